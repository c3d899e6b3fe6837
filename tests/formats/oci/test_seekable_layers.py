"""Layers that tools can read in part: many small compressed members and a table of contents. To
whoever reads them whole they are ordinary gzip and zstd layers, and have to be accepted."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from pathlib import Path

from tests.formats.oci.support import good, odd, verdict_on
from tests.support.images import OCI_LAYER, Layer, Layout, compressed, digest_of, tar_of

FILES = {"bin/app": b"\x7fELF" + bytes(5000), "etc/app.conf": b"key = value\n" * 40}


def _stargz(layout: Layout, *, footer: bytes | None = None) -> Layer:
    """One gzip member for each file, one for the table of contents, and a member without content
    whose header says where that one begins."""
    end = bytes(1024)
    contents = json.dumps({"version": 1, "entries": [{"name": name} for name in FILES]}).encode()
    pieces = [tar_of({name: data})[: -len(end)].rstrip(b"\0") for name, data in FILES.items()]
    pieces = [piece + bytes(-len(piece) % 512) for piece in pieces]
    table = tar_of({"stargz.index.json": contents})
    packed = b"".join(gzip.compress(piece, mtime=0) for piece in pieces)
    if footer is None:
        footer = _footer(len(packed))
    packed += gzip.compress(table, mtime=0) + footer
    tar = b"".join([*pieces, table])
    return Layer(layout.put(packed, OCI_LAYER + "+gzip"), digest_of(tar), tar)


def _footer(offset: int) -> bytes:
    extra = b"SG" + struct.pack("<H", 22) + b"%016xSTARGZ" % offset
    header = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + struct.pack("<H", len(extra)) + extra
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    return header + packer.compress(b"") + packer.flush() + bytes(8)


def _chunked(layout: Layout) -> Layer:
    """A zstd frame for each file, then the table of contents in frames that readers skip."""
    tar = tar_of(FILES)
    half = len(tar) // 2
    packed = compressed(tar[:half], "zstd") + compressed(tar[half:], "zstd")
    for note in (b"table of contents", b"where it begins" * 4):
        packed += struct.pack("<II", 0x184D2A50, len(note)) + note
    return Layer(layout.put(packed, OCI_LAYER + "+zstd"), digest_of(tar), tar)


def test_a_stargz_layer_is_a_gzip_layer(tmp_path: Path) -> None:
    layout = Layout()
    good(verdict_on(layout, layout.image([_stargz(layout)]), tmp_path, files=True))


def test_a_chunked_zstd_layer_is_a_zstd_layer(tmp_path: Path) -> None:
    layout = Layout()
    good(verdict_on(layout, layout.image([_chunked(layout)]), tmp_path, files=True))


def test_a_stargz_footer_with_content_changes_the_layer(tmp_path: Path) -> None:
    layout = Layout()
    layer = _stargz(layout, footer=gzip.compress(b"hidden", mtime=0))
    verdict = verdict_on(layout, layout.image([layer]), tmp_path)
    assert "digest-mismatch" in odd(verdict)
    assert verdict.exit_status == 1

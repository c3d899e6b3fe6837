"""Fuzz target: kernel images, and the certificates built into them."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import struct
from collections.abc import Iterator

from assay.formats.linux import kernel
from assay.linux.image import compression_of, read_image, recognise
from assay.linux.keyring import KeyringScanner, read_keyring
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def seeds() -> Iterator[bytes]:
    """Kernels in several images."""
    from tests.support import modules

    plain = modules.kernel(modules.key_list(modules.signing_key("One"), modules.signing_key()))
    yield plain
    yield modules.bzimage(gzip.compress(plain))
    yield modules.bzimage(lzma.compress(plain) + struct.pack("<I", len(plain)))


def one_input(data: bytes) -> None:
    """However a kernel is cut into pieces, the same is found in it; anything but an AssayError is a
    defect."""
    blob = MemoryBlob(data)
    recognise(data)
    compression_of(data)
    with contextlib.suppress(AssayError):
        image = read_image(blob.read_at, len(data))
        assert 0 <= image.payload[0] <= image.payload[1] <= len(data)
    with contextlib.suppress(AssayError):
        read_keyring(blob.read_at, len(data))
    site = Site(
        Component("", "file", Stored("file"), size=len(data)), blob, None, Options(closely=True)
    )
    kernel.FORMAT.recognise(site)
    assert kernel.FORMAT.read(site).components[0].id == "file"
    with contextlib.suppress(AssayError):
        whole, pieces = KeyringScanner(), KeyringScanner()
        whole.update(memoryview(data))
        for at in range(0, len(data), 1000):
            pieces.update(memoryview(data)[at : at + 1000])
        assert whole.finish() == pieces.finish()

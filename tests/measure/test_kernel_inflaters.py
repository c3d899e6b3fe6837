"""Streams as Linux kernels and initial RAM disks have them: legacy LZ4 and LZMA_alone."""

from __future__ import annotations

import lzma
import subprocess
from collections.abc import Callable

import lz4.block
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.measure.inflaters.lz4 import LEGACY_MAGIC
from assay.model.finding import AssayError
from tests.measure.test_inflate import TEXT, inflate, refusal
from tests.signatures.support import tool

BLOCK = 8 * limits.MIB


def legacy(data: bytes) -> bytes:
    """As ``lz4 -l`` writes it."""
    found = LEGACY_MAGIC
    for at in range(0, len(data), BLOCK):
        block = lz4.block.compress(data[at : at + BLOCK], store_size=False)
        found += len(block).to_bytes(4, "little") + block
    return found


def alone(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"lz4-legacy": legacy, "lzma": alone}
kinds = pytest.mark.parametrize("kind", sorted(COMPRESS))


@kinds
def test_a_stream_gives_what_was_compressed_however_it_is_cut(kind: str) -> None:
    packed = COMPRESS[kind](TEXT)
    for step in (1, 7, 1000, len(packed)):
        assert inflate(kind, packed, step) == TEXT


def test_several_blocks_and_several_legacy_streams() -> None:
    content = TEXT * 200
    assert len(content) > BLOCK
    assert inflate("lz4-legacy", legacy(content), 100_000) == content
    assert inflate("lz4-legacy", legacy(TEXT) + legacy(content)) == TEXT + content


@kinds
def test_truncation_is_refused(kind: str) -> None:
    packed = COMPRESS[kind](TEXT[:3000])
    for length in range(len(packed)):
        if (kind, length) != ("lz4-legacy", 4):  # a stream of no blocks
            assert refusal(kind, packed[:length]) == "compressed-stream-truncated", length


def test_a_block_behind_a_short_one_is_refused() -> None:
    packed = legacy(TEXT)
    assert refusal("lz4-legacy", packed + packed[4:]) == "trailing-data"


def test_a_block_that_expands_too_far_is_refused() -> None:
    block = lz4.block.compress(bytes(BLOCK + 1), store_size=False)
    packed = LEGACY_MAGIC + len(block).to_bytes(4, "little") + block
    assert refusal("lz4-legacy", packed) == "compressed-stream-damaged"


def test_a_block_longer_than_any_is_refused() -> None:
    packed = LEGACY_MAGIC + (1 << 30).to_bytes(4, "little") + bytes(100)
    assert refusal("lz4-legacy", packed) == "compressed-stream-damaged"


@kinds
def test_bytes_of_another_kind_are_refused(kind: str) -> None:
    assert refusal(kind, b"this is no compressed stream at all") == "compressed-stream-damaged"


@kinds
def test_a_bomb_is_stopped(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSED_SIZE", 1_000_000)
    assert refusal(kind, COMPRESS[kind](bytes(30_000_000))) == "limit-exceeded"


@kinds
@settings(deadline=None)
@given(data=st.data())
def test_no_bytes_raise_anything_else(kind: str, data: st.DataObject) -> None:
    packed = bytearray(COMPRESS[kind](TEXT[:500]))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        packed = packed or bytearray(b"x")
    offset = 0
    try:
        inflate(kind, bytes(packed), data.draw(st.sampled_from([1, 13, 1000])))
    except AssayError as error:
        offset = error.finding.offset or 0
    assert 0 <= offset <= len(packed)


@pytest.mark.parametrize(
    ("kind", "command"),
    [("lz4-legacy", ["lz4", "-l", "-c", "-q"]), ("lzma", ["xz", "--format=lzma", "-c"])],
)
def test_what_the_tools_write_is_read(kind: str, command: list[str]) -> None:
    tool(command[0])
    for content in (TEXT, TEXT * 200):
        made = subprocess.run(command, input=content, capture_output=True, check=True)
        assert inflate(kind, made.stdout) == content

"""Inflaters: whole streams only, nothing behind them, bounded, whatever the bytes."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
import subprocess
import sys
from collections.abc import Callable

import lz4.frame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.measure.compression import compression_of
from assay.measure.inflate import inflater_for
from assay.model.finding import AssayError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True, store_size=False),
}
KINDS = sorted(COMPRESS)
"""Those with a check in the stream; `test_kernel_inflaters` has the others."""
TEXT = b"".join(b"%d is a line of text\n" % number for number in range(3000))

kinds = pytest.mark.parametrize("kind", KINDS)


def inflate(kind: str, data: bytes, step: int = 1 << 20) -> bytes:
    found: list[bytes] = []
    inflater = inflater_for(kind, lambda piece: found.append(bytes(piece)))
    view = memoryview(data)
    for at in range(0, len(data), step):
        inflater.update(view[at : at + step])
    inflater.finish()
    return b"".join(found)


def refusal(kind: str, data: bytes, step: int = 1 << 20) -> str:
    with pytest.raises(AssayError) as caught:
        inflate(kind, data, step)
    return caught.value.finding.code


@kinds
def test_a_stream_gives_what_was_compressed_however_it_is_cut(kind: str) -> None:
    packed = COMPRESS[kind](TEXT)
    for step in (1, 7, 1000, len(packed)):
        assert inflate(kind, packed, step) == TEXT


@kinds
def test_more_output_than_fits_at_once_is_handed_over_in_pieces(kind: str) -> None:
    content = TEXT * 40
    assert len(content) > 4 * 256 * 1024
    packed = COMPRESS[kind](content)
    for step in (1000, len(packed)):
        assert inflate(kind, packed, step) == content


@kinds
def test_an_empty_content_is_a_stream_and_no_bytes_are_none(kind: str) -> None:
    assert inflate(kind, COMPRESS[kind](b"")) == b""
    assert refusal(kind, b"") == "compressed-stream-truncated"


@kinds
def test_several_streams_in_a_row_are_one_content(kind: str) -> None:
    pieces = [TEXT[:1000], b"", TEXT[1000:]]
    packed = b"".join(map(COMPRESS[kind], pieces))
    for step in (1, 5, 100, len(packed)):
        assert inflate(kind, packed, step) == TEXT


@kinds
def test_a_truncated_stream_is_refused_wherever_it_ends(kind: str) -> None:
    packed = COMPRESS[kind](TEXT[:3000])
    for length in range(len(packed)):
        for step in (1, len(packed)):
            assert refusal(kind, packed[:length], step) == "compressed-stream-truncated", length


@kinds
@pytest.mark.parametrize("rest", [b"x", b"\0", b"\0" * 7, b"GARBAGE" * 100])
def test_anything_behind_the_stream_is_refused(kind: str, rest: bytes) -> None:
    packed = COMPRESS[kind](TEXT) + rest
    for step in (1, 1000, len(packed)):
        assert refusal(kind, packed, step) == "trailing-data"


@kinds
def test_a_second_stream_cut_short_is_refused(kind: str) -> None:
    packed = COMPRESS[kind](TEXT)
    for length in range(1, 40):
        code = refusal(kind, packed + packed[:length])
        assert code in ("compressed-stream-truncated", "trailing-data")


@kinds
def test_bytes_of_another_kind_are_refused(kind: str) -> None:
    assert refusal(kind, b"this is no compressed stream at all") == "compressed-stream-damaged"
    for other in KINDS:
        if other != kind:
            assert refusal(kind, COMPRESS[other](TEXT)) == "compressed-stream-damaged"


@kinds
def test_a_bomb_is_stopped_by_its_ratio(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSION_RATIO", 20)
    monkeypatch.setattr(limits, "DECOMPRESSION_RATIO_FLOOR", 1000)
    assert refusal(kind, COMPRESS[kind](bytes(10_000_000))) == "limit-exceeded"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lz4"])  # never beyond 255:1
def test_a_large_stream_has_to_be_worth_its_length(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSION_LARGE", 5_000_000)
    monkeypatch.setattr(limits, "DECOMPRESSION_RATIO_FLOOR", 1_000_000)
    monkeypatch.setattr(limits, "DECOMPRESSION_RATIO", 1_000_000)
    assert inflate(kind, COMPRESS[kind](bytes(4_000_000))) == bytes(4_000_000)
    assert refusal(kind, COMPRESS[kind](bytes(10_000_000))) == "limit-exceeded"


@kinds
def test_a_bomb_is_stopped_by_its_size(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSED_SIZE", 1_000_000)
    made = 0

    def count(piece: memoryview) -> None:
        nonlocal made
        made += len(piece)

    inflater = inflater_for(kind, count)
    with pytest.raises(AssayError):
        inflater.update(memoryview(COMPRESS[kind](bytes(10_000_000))))
    assert made <= 1_300_000


@kinds
def test_a_flood_of_empty_streams_is_stopped(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMPRESSED_MEMBERS", 100)
    empty = COMPRESS[kind](b"")
    assert inflate(kind, empty * 100) == b""
    assert refusal(kind, empty * 101) == "limit-exceeded"


@kinds
def test_a_flipped_bit_never_gives_other_content(kind: str) -> None:
    packed = bytearray(COMPRESS[kind](TEXT[:600]))
    for position in range(8 * len(packed)):
        packed[position // 8] ^= 1 << position % 8
        with contextlib.suppress(AssayError):
            assert inflate(kind, bytes(packed)) == TEXT[:600]
        packed[position // 8] ^= 1 << position % 8


@kinds
@settings(deadline=None)
@given(data=st.data())
def test_no_bytes_make_an_inflater_raise_anything_else(kind: str, data: st.DataObject) -> None:
    packed = bytearray(COMPRESS[kind](TEXT[:500]) * 2)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    step = data.draw(st.sampled_from([1, 13, 1000]))
    offset = 0
    try:
        inflate(kind, bytes(packed), step)
    except AssayError as error:
        offset = error.finding.offset or 0
    assert 0 <= offset <= len(packed)


def test_xz_streams_may_have_zero_bytes_between_and_after_them() -> None:
    packed = lzma.compress(b"a") + bytes(8) + lzma.compress(b"b") + bytes(4)
    for step in (1, 3, len(packed)):
        assert inflate("xz", packed, step) == b"ab"
    assert refusal("xz", lzma.compress(b"a") + bytes(6) + lzma.compress(b"b")) == "trailing-data"


def test_xz_that_asks_for_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSION_MEMORY", 1_000_000)
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 64 * 1024 * 1024}]
    assert refusal("xz", lzma.compress(TEXT, filters=filters)) == "limit-exceeded"


def test_zstd_with_a_window_of_gigabytes_is_refused() -> None:
    # a frame header alone: no content size, a window of 2 GiB (RFC 8878 section 3.1.1.1.2)
    assert refusal("zstd", b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(20)) == "limit-exceeded"


def test_zstd_may_have_skippable_frames() -> None:
    skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    packed = skipped + COMPRESS["zstd"](TEXT) + skipped
    for step in (1, len(packed)):
        assert inflate("zstd", packed, step) == TEXT
    assert compression_of(packed[:8]) == "zstd"


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", "bzip2"])
def test_the_kind_is_known_by_its_first_bytes(kind: str) -> None:
    for content in (TEXT, b""):
        assert compression_of(COMPRESS[kind](content)[:8]) == kind
    assert compression_of(b"") == ""
    assert compression_of(b"BZhello, this is text") == ""


def test_an_unknown_transform_is_a_finding() -> None:
    with pytest.raises(AssayError) as caught:
        inflater_for("stuffit", lambda _: None)
    assert caught.value.finding.code == "unsupported-algorithm"


@pytest.mark.parametrize("tool", ["gzip", "zstd", "xz", "bzip2", "lz4"])
def test_what_the_tools_write_is_read(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    for level in ("-1", "-9"):
        made = subprocess.run([tool, level, "-c"], input=TEXT, capture_output=True, check=True)
        assert inflate(tool, made.stdout) == TEXT

"""Two files: which bytes differ, and what that pattern means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.comparison.ranges import compare_chunks, compare_streams
from assay.sources.blobs import MemoryBlob
from tests.compare.support import compared, only, write_baseline
from tests.support.registry import running

SIZE = 3 * limits.READ_CHUNK + 1000
CONTENT = os.urandom(SIZE)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "a.img", tmp_path / "b.img"
    a.write_bytes(CONTENT)
    b.write_bytes(CONTENT)
    return a, b


def test_a_copy_is_the_same(pair: tuple[Path, Path]) -> None:
    found = compared(*pair)
    assert (found.outcome.value, found.exit_status) == ("same", 0)
    assert compared(pair[0], pair[0]).exit_status == 0


def changed(content: bytes, *places: int) -> bytes:
    data = bytearray(content)
    for place in places:
        data[place] ^= 0x40
    return bytes(data)


@pytest.mark.parametrize("at", [0, 1, limits.READ_CHUNK - 1, limits.READ_CHUNK, SIZE - 1])
def test_one_bit_is_found_wherever_it_is(pair: tuple[Path, Path], at: int) -> None:
    pair[1].write_bytes(changed(CONTENT, at))
    found = compared(*pair)
    assert found.exit_status == 1
    ranges = only(found).bytes
    assert ranges is not None
    assert (ranges.ranges, ranges.different, ranges.granularity) == (((at, at + 1),), 1, 1)


def test_ranges_are_listed_up_to_the_limit_and_all_are_counted(pair: tuple[Path, Path]) -> None:
    pair[1].write_bytes(changed(CONTENT, *range(100, SIZE, 100_000)))
    ranges = only(compared(*pair, limit=5)).bytes
    assert ranges is not None
    assert len(ranges.ranges) == 5
    assert len(ranges.ranges) + ranges.more == ranges.different == len(range(100, SIZE, 100_000))


def test_a_range_across_reads_is_one(pair: tuple[Path, Path]) -> None:
    start, end = limits.READ_CHUNK - 100, limits.READ_CHUNK + 100
    pair[1].write_bytes(changed(CONTENT, *range(start, end)))
    ranges = only(compared(*pair)).bytes
    assert ranges is not None
    assert ranges.ranges == ((start, end),)


@pytest.mark.parametrize(
    ("other", "note"),
    [
        (CONTENT[:-7], "b ends there"),
        (CONTENT + b"x", "a ends there"),
        (b"", "b ends there"),
        (CONTENT[:5000] + b"inserted" + CONTENT[5000:], "b has 8 bytes more at byte"),
        (CONTENT[:5000] + CONTENT[5010:], "a has 10 bytes more at byte"),
        (CONTENT[:5000] + b"longer than it was" + CONTENT[5003:], "and the rest is the same"),
        (changed(CONTENT, 5), ""),
    ],
)
def test_what_happened_is_told(pair: tuple[Path, Path], other: bytes, note: str) -> None:
    pair[1].write_bytes(other)
    ranges = only(compared(*pair)).bytes
    assert ranges is not None
    assert note in ranges.note
    assert bool(note) == bool(ranges.note)


def test_an_empty_file_differs_from_another(pair: tuple[Path, Path]) -> None:
    for path in pair:
        path.write_bytes(b"")
    assert compared(*pair).exit_status == 0


def test_what_cannot_be_read_is_status_3(pair: tuple[Path, Path], tmp_path: Path) -> None:
    for names in ((pair[0], tmp_path / "nothing"), (tmp_path / "nothing", pair[0])):
        found = compared(*names)
        assert (found.outcome.value, found.exit_status) == ("unknown", 3)
    assert found.a.findings[0].code == "not-found"


# on web servers


def test_a_file_on_a_server_is_read_once_and_only_its_differing_chunks_again(
    pair: tuple[Path, Path],
) -> None:
    with running() as server:
        server.blobs["disk.img"] = changed(CONTENT, 5000)
        found = compared(pair[0], f"{server.url}/files/disk.img")
        ranges = only(found).bytes
        assert ranges is not None
        assert (ranges.ranges, ranges.granularity) == (((5000, 5001),), 1)
        assert _fetched(server) < SIZE + 2 * limits.MIB
        server.requests.clear()
        server.blobs["disk.img"] = CONTENT
        assert compared(pair[0], f"{server.url}/files/disk.img").exit_status == 0
        assert _fetched(server) <= SIZE + limits.REMOTE_HEAD


def _fetched(server: object) -> int:
    """The bytes that a server was asked for."""
    total = 0
    for request in server.requests:  # type: ignore[attr-defined]
        if request.method != "GET":
            continue
        low, _, high = request.headers.get("Range", "").removeprefix("bytes=").partition("-")
        total += (int(high) + 1 if high else SIZE) - int(low or 0)
    return total


# baselines


def test_a_baseline_stands_for_its_image(pair: tuple[Path, Path], tmp_path: Path) -> None:
    baseline = write_baseline(pair[0], tmp_path / "b.json")
    assert compared(baseline, pair[1]).exit_status == 0
    assert compared(pair[1], baseline).exit_status == 0
    assert compared(baseline, baseline).exit_status == 0
    pair[1].write_bytes(changed(CONTENT, 5000))
    ranges = only(compared(baseline, pair[1])).bytes
    assert ranges is not None
    assert (ranges.ranges, ranges.granularity) == (((4096, 8192),), 4096)
    other = write_baseline(pair[1], tmp_path / "c.json")
    assert only(compared(baseline, other)).bytes == ranges


def test_a_damaged_baseline_is_status_3(pair: tuple[Path, Path], tmp_path: Path) -> None:
    baseline = write_baseline(pair[0], tmp_path / "b.json")
    baseline.write_bytes(baseline.read_bytes()[:-1])
    assert compared(baseline, pair[0]).exit_status == 3


def test_other_json_is_a_file_like_any_other(pair: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"_type": "https://in-toto.io/Statement/v1"}')
    assert compared(other, pair[0]).exit_status == 1
    assert compared(other, other).exit_status == 0


# properties


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 8))
def test_every_byte_that_differs_is_in_a_range_and_counted(a: bytes, b: bytes, limit: int) -> None:
    found, size_a, size_b = compare_streams(MemoryBlob(a), MemoryBlob(b), limit)
    assert (size_a, size_b) == (len(a), len(b))
    longest = max(len(a), len(b))
    differ = [at for at in range(longest) if a[at : at + 1] != b[at : at + 1]]
    assert (found is None) == (not differ)
    if found is not None:
        assert found.different == len(differ)
        covered = {at for start, end in found.ranges for at in range(start, end)}
        assert covered >= set(differ) or found.more
        assert all(start in differ and end - 1 in differ for start, end in found.ranges)
        assert len(found.ranges) <= limit


@given(st.binary(max_size=200), st.binary(max_size=200), st.booleans())
def test_chunks_tell_the_same(a: bytes, b: bytes, again: bool) -> None:
    from hashlib import sha256

    step = 16
    digests = [
        b"".join(sha256(data[at : at + step]).digest() for at in range(0, len(data), step))
        for data in (a, b)
    ]
    blobs = (MemoryBlob(a), MemoryBlob(b)) if again else None
    found = compare_chunks(*digests, 32, step, (len(a), len(b)), 1000, blobs)
    exact, _, _ = compare_streams(MemoryBlob(a), MemoryBlob(b), 1000)
    assert (found is None) == (exact is None)
    if found is not None and exact is not None:
        if again:
            assert found.different == exact.different
        assert found.different >= exact.different


@given(st.binary(max_size=100), st.binary(max_size=30), st.binary(max_size=100))
def test_an_insertion_is_recognised(before: bytes, more: bytes, after: bytes) -> None:
    found, _, _ = compare_streams(MemoryBlob(before + after), MemoryBlob(before + more + after), 10)
    if not more:
        assert found is None
    else:
        assert found is not None
        assert "all else is the same" in found.note or "up to its end" in found.note

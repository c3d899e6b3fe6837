"""Chunk digests: which bytes agree, and what the pattern of those that do not says."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from assay.appraisal.chunks import Comparison, compare

STEP = 8


def digests(data: bytes) -> bytes:
    return b"".join(sha256(data[at : at + STEP]).digest() for at in range(0, len(data), STEP))


def compared(claimed: bytes, actual: bytes, *, size_known: bool = True) -> Comparison:
    return compare(
        digests(claimed),
        digests(actual),
        32,
        STEP,
        len(actual),
        len(claimed) if size_known else None,
    )


@given(st.binary(max_size=60), st.binary(max_size=60), st.booleans())
def test_good_and_bad_add_up_and_are_right(claimed: bytes, actual: bytes, size_known: bool) -> None:
    found = compared(claimed, actual, size_known=size_known)
    assert len(found.good) + len(found.bad) == len(actual)
    assert not found.good & found.bad
    for start, end in found.good:
        assert claimed[start:end] == actual[start:end]
    for at in range(0, len(actual), STEP):
        same = claimed[at : at + STEP] == actual[at : at + STEP]
        assert found.bad.covers(found.bad.__class__(((at, min(at + STEP, len(actual))),))) != same
    assert (found.cause == "") == (claimed == actual)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_prefix_is_a_truncation(claimed: bytes, data: st.DataObject) -> None:
    actual = claimed[: data.draw(st.integers(0, len(claimed) - 1))]
    assert compared(claimed, actual).cause.startswith("truncation: ")


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=20))
def test_an_extension_is_appended_data(claimed: bytes, more: bytes) -> None:
    assert compared(claimed, claimed + more).cause.startswith("appended data: ")


def test_without_a_size_a_missing_chunk_is_a_truncation() -> None:
    data = bytes(range(40))
    found = compared(data, data[:32], size_known=False)
    assert found.cause.startswith("truncation")
    assert found.absent == 1


def test_more_digests_than_a_component_of_the_claimed_size_can_have() -> None:
    claimed = bytes(32) + bytes([1]) * 32 + bytes([2]) * 32
    found = compare(claimed, claimed[:64], 32, 4096, 8192, 8192)
    assert found.absent == 1
    assert found.cause

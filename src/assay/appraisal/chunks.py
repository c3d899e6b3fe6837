"""Compares chunk digests, and tells apart what may have happened to the bytes."""

from __future__ import annotations

from msgspec import Struct

from assay.model.spans import SpanSet


class Comparison(Struct, frozen=True):
    """What of a component agrees with its chunk digests.

    ``good`` and ``bad`` are its byte ranges, ``damaged`` counts the chunks that disagree, and
    ``absent`` those that are claimed and not there. ``cause`` is the likeliest explanation, empty
    when everything agrees.
    """

    good: SpanSet
    bad: SpanSet
    damaged: int
    absent: int
    cause: str


def compare(
    claimed: bytes, actual: bytes, width: int, step: int, size: int, claimed_size: int | None
) -> Comparison:
    """Compare concatenated digests of ``width`` bytes, one for each ``step`` bytes of a component
    of ``size`` bytes, of which ``claimed_size`` are claimed (None where nothing says so)."""
    chunks = len(actual) // width
    absent = max(len(claimed) // width - chunks, 0)
    whole = SpanSet.whole(size)
    if claimed == actual:
        return Comparison(whole, SpanSet(), 0, 0, "")
    wrong = [
        number
        for number in range(chunks)
        if actual[number * width : (number + 1) * width]
        != claimed[number * width : (number + 1) * width]
    ]
    bad = SpanSet((number * step, min((number + 1) * step, size)) for number in wrong)
    if claimed_size is None:
        claimed_size = size + 1 if absent else size
    cause = _cause(wrong, chunks, step, size, claimed_size)
    return Comparison(whole - bad, bad, len(wrong), absent, cause)


def _cause(wrong: list[int], chunks: int, step: int, size: int, claimed: int) -> str:
    """``wrong`` are the numbers of the chunks that disagree, of ``chunks`` in all."""
    # the chunk in which the shorter of the two versions ends cannot agree
    end = min(size, claimed) // step
    before = [number for number in wrong if number < end]
    difference = abs(size - claimed)
    if size != claimed and not before:
        right = f"the first {wrong[0] * step if wrong else min(size, claimed)} bytes are right"
        if size < claimed:
            return f"truncation: {right}, and {difference} bytes are missing at the end"
        return f"appended data: {right}, and there are {difference} bytes too many at the end"
    first = wrong[0]
    to_the_end = len(wrong) == chunks - first and len(wrong) > 1
    start = first * step
    if size != claimed and to_the_end and first == 0:
        return "another file, or bytes inserted or removed at the very beginning"
    if size != claimed and to_the_end:
        what = "inserted" if size > claimed else "removed"
        return (
            f"{difference} bytes {what} somewhere in bytes {start}-{start + step - 1}, so that all"
            " that follows has moved; or rewritten from there on"
        )
    if to_the_end and first == 0:
        return "another file, or rewritten throughout"
    if to_the_end:
        return f"rewritten from somewhere in bytes {start}-{start + step - 1} on, or moved there"
    if size < claimed:
        return f"truncation by {difference} bytes, and damage in the ranges named"
    if size > claimed:
        return f"{difference} bytes appended, and damage in the ranges named"
    if len(wrong) == 1 or wrong[-1] - first == len(wrong) - 1:
        return "one stretch is damaged, or was edited"
    return "damage in several places: bad storage, memory or transfer; or several edits"

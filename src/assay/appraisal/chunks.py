"""Compares chunk digests, and tells apart what may have happened to the bytes."""

from __future__ import annotations

from msgspec import Struct

from assay.model.spans import SpanSet

_NONE = SpanSet()


class Comparison(Struct, frozen=True):
    """What of a component agrees with its chunk digests.

    ``good`` and ``bad`` are its byte ranges, ``damaged`` counts the chunks that disagree, and
    ``numbers`` are theirs; ``absent`` counts those that are claimed and not there, and ``untold``
    those of which nothing is claimed. ``cause`` is the likeliest explanation, empty when
    everything agrees.
    """

    good: SpanSet
    bad: SpanSet
    damaged: int
    absent: int
    cause: str
    numbers: SpanSet = _NONE
    untold: int = 0


def compare(
    claimed: bytes,
    actual: bytes,
    width: int,
    step: int,
    size: int,
    claimed_size: int | None,
    gaps: SpanSet = _NONE,
) -> Comparison:
    """Compare concatenated digests of ``width`` bytes, one for each ``step`` bytes of a component
    of ``size`` bytes, of which ``claimed_size`` are claimed (None where nothing says so). Nothing
    is claimed of the chunks whose numbers are in ``gaps``."""
    chunks = len(actual) // width
    absent = max(len(claimed) // width - chunks, 0)
    whole = SpanSet.whole(size)
    if claimed == actual and not gaps:
        return Comparison(whole, _NONE, 0, 0, "")
    wrong = [
        number
        for first, end in SpanSet.whole(chunks) - gaps
        for number in range(first, end)
        if actual[number * width : (number + 1) * width]
        != claimed[number * width : (number + 1) * width]
    ]
    numbers = SpanSet((number, number + 1) for number in wrong)
    bad = _bytes(numbers, step, size)
    if claimed_size is None or (absent and not wrong and claimed_size <= size):
        claimed_size = size + 1 if absent else size
    cause = _UNTOLD
    if wrong or not gaps:
        cause = _cause(wrong, chunks, step, size, claimed_size)
    good = whole - bad - _bytes(gaps, step, size)
    return Comparison(good, bad, len(wrong), absent, cause, numbers, len(gaps))


_UNTOLD = "their digests are damaged, or were made up"


def _bytes(chunks: SpanSet, step: int, size: int) -> SpanSet:
    return SpanSet((first * step, min(end * step, size)) for first, end in chunks)


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
    if chunks == 1:
        return "damage or an edit somewhere in it, or it belongs to another version"
    if len(wrong) == 1 or wrong[-1] - first == len(wrong) - 1:
        return "one stretch is damaged, or was edited"
    return "damage in several places: bad storage, memory or transfer; or several edits"

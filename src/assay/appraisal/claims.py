"""Compares each claim with what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from assay.model.claim import ChunksAre, Claim, DigestIs, SizeIs
from assay.model.codes import content as codes
from assay.model.digest import ALGORITHMS
from assay.model.finding import Finding
from assay.model.measurement import Facts, HashRequest, Request
from assay.model.spans import SpanSet

SHOWN_RANGES = 8
"""How many damaged ranges a finding lists."""


class Outcome(Struct):
    """What became of one claim. ``holds`` and ``broken`` are byte ranges of its subject;
    ``binding`` says whether agreement proves anything; ``checked`` is False without a
    measurement."""

    claim: Claim
    checked: bool
    binding: bool
    holds: SpanSet
    broken: SpanSet
    finding: Finding | None = None


def request_for(claim: Claim) -> Request | None:
    """What has to be measured of the subject to check the claim; None when its size is enough."""
    if isinstance(claim.expected, DigestIs):
        return HashRequest(claim.expected.digest.algorithm)
    if isinstance(claim.expected, ChunksAre):
        return claim.expected.request
    return None


def check(claim: Claim, facts: Facts, sizes: Mapping[str, int]) -> Outcome:
    """Compare a claim with the facts. ``sizes`` maps a subject to the size claimed of it."""
    nothing = SpanSet()
    size = facts.sizes.get(claim.subject)
    expected = claim.expected
    if size is None:
        return Outcome(claim, False, False, nothing, nothing)
    whole = SpanSet.whole(size)
    if isinstance(expected, SizeIs):
        if size == expected.size:
            return Outcome(claim, True, False, whole, nothing)
        finding = Finding.of(
            codes.SIZE_MISMATCH,
            claim.subject,
            _says(claim, f"claims {expected.size} bytes, and there are {size}"),
            expected=f"{expected.size} bytes",
            actual=f"{size} bytes",
            offset=min(size, expected.size),
            cause="truncation" if size < expected.size else "appended data or another file",
        )
        return Outcome(claim, True, False, nothing, whole, finding)
    if isinstance(expected, DigestIs):
        actual = facts.hash(claim.subject, expected.digest.algorithm)
        if actual is None:
            return Outcome(claim, False, False, nothing, nothing)
        if actual == expected.digest.value:
            return Outcome(claim, True, expected.digest.binding, whole, nothing)
        finding = Finding.of(
            codes.DIGEST_MISMATCH,
            claim.subject,
            _says(claim, "claims another digest than the bytes have"),
            expected=expected.digest,
            actual=f"{expected.digest.algorithm}:{actual.hex()}",
            cause=_cause(size, sizes.get(claim.subject)),
        )
        return Outcome(claim, True, False, nothing, whole, finding)
    return _check_chunks(claim, expected, facts, size)


def _check_chunks(claim: Claim, expected: ChunksAre, facts: Facts, size: int) -> Outcome:
    nothing = SpanSet()
    actual: bytes | None = facts.answers.get((claim.subject, expected.request))
    if actual is None:
        return Outcome(claim, False, False, nothing, nothing)
    algorithm = ALGORITHMS[expected.request.algorithm]
    width, step = algorithm.size, expected.request.chunk_size
    good: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    for index in range((size + step - 1) // step):
        span = (index * step, min((index + 1) * step, size))
        at = index * width
        same = actual[at : at + width] == expected.values[at : at + width]
        (good if same else bad).append(span)
    missing = len(expected.values) // width - (size + step - 1) // step
    holds, broken = SpanSet(good), SpanSet(bad)
    finding = None
    if broken or missing > 0:
        shown = ", ".join(f"{start}-{end - 1}" for start, end in broken.spans[:SHOWN_RANGES])
        more = len(broken.spans) - SHOWN_RANGES
        finding = Finding.of(
            codes.CHUNK_MISMATCH,
            claim.subject,
            _says(
                claim,
                f"finds {len(bad)} of {len(good) + len(bad)} chunks of {step} bytes damaged"
                + (f", and {missing} missing at the end" if missing > 0 else "")
                + (f": bytes {shown}" if shown else "")
                + (f" and {more} more ranges" if more > 0 else ""),
            ),
            expected=f"{len(expected.values) // width} chunk digests",
            actual=f"{len(good)} that agree",
            offset=broken.spans[0][0] if broken else size,
            cause=_chunk_cause(good, bad, missing),
        )
    binding = algorithm.name not in ("md5", "sha1")
    return Outcome(claim, True, binding, holds, broken, finding)


def _chunk_cause(
    good: Sequence[tuple[int, int]], bad: Sequence[tuple[int, int]], missing: int
) -> str:
    if missing > 0 and len(bad) <= 1:
        return "truncation"
    if bad and good and bad[0][0] > good[-1][0]:
        return "everything after one offset differs: a cut, an insertion or a rewrite from there"
    if not good:
        return "another file, or rewritten throughout"
    return "damage or an edit in the ranges named"


def _cause(actual: int, claimed: int | None) -> str:
    if claimed is None:
        return "corruption, tampering, or a claim about another version"
    if actual < claimed:
        return "truncation"
    if actual > claimed:
        return "appended data or another file"
    return "corruption or tampering (the size is right)"


def _says(claim: Claim, what: str) -> str:
    field = f" ({claim.field})" if claim.field else ""
    return f"{claim.origin}{field} {what}"

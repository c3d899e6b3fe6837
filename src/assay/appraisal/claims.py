"""Compares each claim with what was measured."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct

from assay.appraisal.chunks import compare
from assay.model.claim import ChunksAre, Claim, DigestIs, FsVerityIs, SizeIs
from assay.model.codes import content as codes
from assay.model.digest import ALGORITHMS, Strength
from assay.model.finding import Finding
from assay.model.measurement import Facts, HashRequest, Request
from assay.model.spans import SpanSet

SHOWN_RANGES = 8
"""How many damaged ranges a finding lists."""


class Outcome(Struct):
    """What became of one claim. ``holds`` and ``broken`` are byte ranges of its subject;
    ``binding`` says whether agreement proves anything; ``checked`` is False without a
    measurement. A claim that is not met has a finding, even where no byte is broken, since some
    are missing."""

    claim: Claim
    checked: bool
    binding: bool
    holds: SpanSet
    broken: SpanSet
    finding: Finding | None = None

    @property
    def met(self) -> bool:
        """Whether the claim was compared with the bytes, and all of it is true."""
        return self.checked and self.finding is None


def request_for(claim: Claim) -> Request | None:
    """What has to be measured of the subject to check the claim; None when its size is enough."""
    if isinstance(claim.expected, DigestIs):
        return HashRequest(claim.expected.digest.algorithm)
    if isinstance(claim.expected, ChunksAre | FsVerityIs):
        return claim.expected.request
    return None


def check(
    claim: Claim, facts: Facts, claimed_size: int | None, components: Container[str]
) -> Outcome:
    """Compare a claim with the facts. ``claimed_size`` is the subject's size by other claims, to
    tell what happened to it; ``components`` are those that the image has."""
    nothing = SpanSet()
    size = facts.sizes.get(claim.subject)
    expected = claim.expected
    if claim.subject not in components:
        finding = Finding.of(
            codes.MISSING_COMPONENT,
            claim.subject,
            _says(claim, "speaks of it, and the image has no such part"),
            expected=f"{expected.size} bytes" if isinstance(expected, SizeIs) else "",
            actual="nothing",
        )
        return Outcome(claim, True, False, nothing, nothing, finding)
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
            cause=_cause(size, claimed_size),
        )
        return Outcome(claim, True, False, nothing, whole, finding)
    if isinstance(expected, FsVerityIs):
        return _check_fs_verity(claim, expected, facts, whole)
    return _check_chunks(claim, expected, facts, size, claimed_size)


def _check_fs_verity(claim: Claim, expected: FsVerityIs, facts: Facts, whole: SpanSet) -> Outcome:
    nothing = SpanSet()
    actual: bytes | None = facts.answers.get((claim.subject, expected.request))
    if actual is None:
        return Outcome(claim, False, False, nothing, nothing)
    if actual == expected.value:
        return Outcome(claim, True, True, whole, nothing)
    finding = Finding.of(
        codes.DIGEST_MISMATCH,
        claim.subject,
        _says(claim, "claims another fs-verity digest than the bytes have"),
        expected=f"{expected.request.algorithm}:{expected.value.hex()}",
        actual=f"{expected.request.algorithm}:{actual.hex()}",
        cause="corruption or tampering; or a digest with another block size or salt",
    )
    return Outcome(claim, True, True, nothing, whole, finding)


def _check_chunks(
    claim: Claim, expected: ChunksAre, facts: Facts, size: int, claimed_size: int | None
) -> Outcome:
    nothing = SpanSet()
    actual: bytes | None = facts.answers.get((claim.subject, expected.request))
    if actual is None:
        return Outcome(claim, False, False, nothing, nothing)
    algorithm = ALGORITHMS[expected.request.algorithm]
    binding = algorithm.strength is Strength.BINDING
    step = expected.request.chunk_size
    gaps = SpanSet(expected.gaps)
    found = compare(expected.values, actual, algorithm.size, step, size, claimed_size, gaps)
    if not found.cause:
        return Outcome(claim, True, binding, found.good, nothing)
    total = len(actual) // algorithm.size
    agreeing = total - found.damaged - found.untold
    parts = [
        f"{found.damaged} of {total} chunks of {step} bytes differ: bytes {_ranges(found.bad)}"
        f" (number {_ranges(found.numbers)})"
        if found.damaged
        else f"all {agreeing} chunks of {step} bytes agree",
        *([f"{found.absent} chunks are missing at the end"] if found.absent else []),
        *(
            [f"of {found.untold} chunks nothing is known (number {_ranges(gaps)})"]
            if found.untold
            else []
        ),
    ]
    finding = Finding.of(
        codes.CHUNK_MISMATCH,
        claim.subject,
        _says(claim, "is not met: " + "; ".join(parts)),
        expected=f"{len(expected.values) // algorithm.size} chunks as claimed",
        actual=f"{agreeing} of them",
        offset=min(
            [*(start for start, _ in found.bad), *(first * step for first, _ in gaps), size]
        ),
        cause=found.cause,
    )
    return Outcome(claim, True, binding, found.good, found.bad, finding)


def _ranges(spans: SpanSet) -> str:
    """The first of these ranges; single numbers stand alone."""
    shown = ", ".join(
        f"{start}-{end - 1}" if end - start > 1 else f"{start}"
        for start, end in spans.spans[:SHOWN_RANGES]
    )
    more = len(spans.spans) - SHOWN_RANGES
    return shown + (f" and {more} more ranges" if more > 0 else "")


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

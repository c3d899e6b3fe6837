"""What has to be measured so that the contents of an image can be compared with SBOMs."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from assay import limits
from assay.contents.candidates import GIVEN, Candidate, candidates
from assay.contents.options import ContentOptions
from assay.formats.layer.capture import Allowance
from assay.formats.layer.files import ALGORITHM, Recording, is_recording, record_request
from assay.formats.layer.scanner import scan_request
from assay.measure.hashing import new_hasher
from assay.model.codes import sbom as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import HashRequest
from assay.model.reading import Reading
from assay.packages.installed import KEEP

_CHECKSUMS = {"deb": {"md5"}, "apk": {"sha1"}, "": {"md5", "sha1"}}
"""What databases hold checksums of, beside SHA-256, by the kind of packages that an SBOM lists; an
entry that does not say its kind may be of any."""
_COMMON = {"sha512", "sha384", "sha1", "md5"}
"""Digests taken for whoever attaches an SBOM; who gives one gets whatever it lists."""


class Plan(Struct, frozen=True):
    """What may be compared, and how the user asked for it; ``findings`` say what was left out."""

    options: ContentOptions
    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...] = ()


def plan(reading: Reading, options: ContentOptions) -> Plan | None:
    """Find the SBOMs that there may be, and have layers recorded that would only be looked at; None
    when there is nothing to do. Raises UsageError for a file that cannot be opened."""
    found, more_there = candidates(reading, options)
    if not found and not options.asked and not options.packages:
        return None
    more = tuple(sorted(filter(_available, _algorithms(found))))
    record = record_request(Recording(more, KEEP, Allowance(limits.CAPTURED_SIZE)))
    scan = scan_request()
    reading.requests[:] = [
        (name, record if asked == scan or is_recording(asked) else asked)
        for name, asked in reading.requests
    ]
    reading.requests += [
        (candidate.document, HashRequest(candidate.digest.algorithm))
        for candidate in found
        if candidate.digest is not None
    ]
    findings = [_too_many(options)] if more_there else []
    return Plan(options, tuple(found), tuple(findings))


def _algorithms(found: Iterable[Candidate]) -> set[str]:
    """The digests to take beside SHA-256: each takes its time, so only those that entries cannot do
    without."""
    wanted: set[str] = set()
    for candidate in found:
        if candidate.inventory is None:
            continue
        for package in candidate.inventory.packages:
            if not package.other:
                wanted |= _CHECKSUMS.get(package.purl.kind if package.purl else "", set())
        for file in candidate.inventory.files:
            listed = {digest.algorithm for digest in file.digests}
            if listed and ALGORITHM not in listed:
                wanted |= listed if candidate.source == GIVEN else listed & _COMMON
    return wanted


def _available(algorithm: str) -> bool:
    """Whether this machine can take such digests: some may not, by their configuration."""
    try:
        new_hasher(algorithm)
    except AssayError:
        return False
    return True


def _too_many(options: ContentOptions) -> Finding:
    return Finding.of(
        codes.SBOM_NOT_COMPARED,
        detail=f"only the first {limits.SBOMS} SBOMs of {limits.SBOM_DOCUMENTS} documents at most"
        " were looked at",
        severity=None if options.asked else Severity.WARNING,
    )

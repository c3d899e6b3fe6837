"""Finds a path from a certificate to an anchor (RFC 4158), and has it checked.

The certificates between the two come from whoever made the signature, so the search is bounded:
in the length of a path, in its steps, and in how many signatures are checked in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from assay import limits
from assay.model.codes import x509 as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.x509.certificate import Certificate
from assay.x509.requirements import PathResult, Requirements
from assay.x509.revocation import revocation_faults
from assay.x509.rules import faults_of
from assay.x509.signing import signature_fault

_Path = tuple[Certificate, ...]


def find_path(
    leaf: Certificate,
    untrusted: Sequence[Certificate],
    anchors: Sequence[Certificate],
    requirements: Requirements,
) -> PathResult:
    """A path from ``leaf`` to one of ``anchors`` that meets the requirements.

    An anchor may be any certificate: a root, an authority below one, or the signer's own. What it
    says of itself (validity, constraints, purposes) is heeded; who signed it is not asked.
    ``untrusted`` are certificates that may stand in between. Raises nothing.
    """
    search = _Search(untrusted, anchors, requirements.legacy)
    closest: tuple[Finding, ...] = ()
    for path in search.paths(leaf):
        faults, notices = _judged(path, search.pool, requirements)
        if not faults:
            return PathResult(path, (), notices)
        if not closest or len(faults) < len(closest):
            closest = faults
    return PathResult((), closest or (search.dead_end(leaf),))


def _judged(
    path: _Path, pool: Sequence[Certificate], requirements: Requirements
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What refuses a path, and what is worth saying of it.

    Others are asked about revocation only when nothing else is wrong: so the places that are asked
    are named by authorities that may issue certificates, and not by whoever made one up.
    """
    faults = dict.fromkeys(faults_of(path, requirements))
    told = list(revocation_faults(path, pool, requirements, ask=not faults))
    faults |= dict.fromkeys(each for each in told if each.severity is Severity.ERROR)
    notices = dict.fromkeys(each for each in told if each.severity is not Severity.ERROR)
    return tuple(faults), tuple(notices)


@lru_cache(128)
def _link_fault(certificate: Certificate, issuer: Certificate, legacy: bool) -> Finding | None:
    """As `signature_fault`. Whether one certificate signed another never changes, and paths of one
    run share their upper links; validity and all else are judged anew each time."""
    return signature_fault(certificate, issuer, legacy=legacy)


class _Search:
    def __init__(
        self, untrusted: Sequence[Certificate], anchors: Sequence[Certificate], legacy: bool
    ) -> None:
        self._legacy = legacy
        self._anchors = dict.fromkeys(anchors)
        self.pool = (*self._anchors, *dict.fromkeys(untrusted))
        self._untrusted = [each for each in dict.fromkeys(untrusted) if each not in self._anchors]
        self._links: dict[tuple[Certificate, Certificate], Finding | None] = {}
        self._missing: Certificate | None = None
        self._steps = 0
        self._exhausted = False

    def paths(self, leaf: Certificate) -> Iterator[_Path]:
        """Every path whose signatures are right, those to the nearest anchors first."""
        if leaf in self._anchors:
            yield (leaf,)
        yield from self._beyond((leaf,))

    def _beyond(self, path: _Path) -> Iterator[_Path]:
        self._steps += 1
        if len(path) >= limits.PATH_LENGTH or self._steps > limits.PATH_STEPS:
            self._exhausted = True
            return
        last = path[-1]
        onward = False
        for issuer in self._issuers(path):
            if self._link(last, issuer) is not None:
                continue
            onward = True
            if issuer in self._anchors:
                yield (*path, issuer)
            else:
                yield from self._beyond((*path, issuer))
        if not onward:
            self._missing = self._missing or last

    def _issuers(self, path: _Path) -> list[Certificate]:
        """Certificates that may have issued the last one of a path, the likeliest first. The same
        key under the same name is not met twice, so that crossed certificates make no circles."""
        last = path[-1]
        seen = {(each.subject, each.spki) for each in path}
        named = [
            each
            for each in (*self._anchors, *self._untrusted)
            if each.subject == last.issuer and (each.subject, each.spki) not in seen
        ]
        return sorted(named, key=lambda each: _unlikely(last, each))

    def _link(self, certificate: Certificate, issuer: Certificate) -> Finding | None:
        key = (certificate, issuer)
        if key not in self._links:
            if len(self._links) >= limits.PATH_CHECKS:
                self._exhausted = True
                return Finding.of(codes.UNKNOWN_ISSUER)
            self._links[key] = _link_fault(certificate, issuer, self._legacy)
        return self._links[key]

    def dead_end(self, leaf: Certificate) -> Finding:
        """Why there is no path at all."""
        for link, fault in self._links.items():
            if fault is not None and not _unlikely(*link):
                return fault
        if self._exhausted:
            return Finding.of(
                codes.PATH_TOO_LONG,
                detail=f"{leaf}: no path of at most {limits.PATH_LENGTH} certificates, in"
                f" {limits.PATH_CHECKS} attempts",
            )
        missing = self._missing or leaf
        below = "" if missing == leaf else f" (above {leaf})"
        itself = ", which names itself as its issuer" if missing.self_issued else ""
        if any(anchor.subject == missing.issuer for anchor in self._anchors):
            why = "has another key than the authority of that name that was given"
        else:
            why = "is not among the authorities given, nor among the certificates at hand"
        return Finding.of(
            codes.UNKNOWN_ISSUER,
            detail=f"the issuer of {missing}{itself}{below} {why}",
            expected=", ".join(str(anchor) for anchor in list(self._anchors)[:5]),
            actual=str(missing.issuer)[:1000],
        )


def _unlikely(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the key identifiers say that this is not the issuer. They are hints: anyone can write
    anything there, and only the signature decides."""
    try:
        wanted, found = certificate.authority_key.key_id, issuer.key_id
    except AssayError:
        return False
    return bool(wanted and found and wanted != found)

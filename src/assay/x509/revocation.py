"""Whether certificates of a path were revoked (RFC 5280 section 6.3, RFC 6960): by lists that are
given, and by what the places say that a certificate names.

Complete lists and delta lists, for all certificates of an issuer or for one of its distribution
points. Indirect lists (of another issuer) and lists for some reasons only are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList, Revoked, Scope
from assay.x509.requirements import Asking, Obtained, Requirements
from assay.x509.responder import CLOCK_SKEW, told_by
from assay.x509.signing import signature_fault, signed_by

_HARMLESS = {
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
}
"""Reasons that leave signatures standing that were proven to exist before. Any other may mean that
someone else had the key for an unknown time."""

_DEPTH = 2
"""How far the question goes whether who signed a list was revoked."""

_HEEDED = {oids.DELTA_CRL, oids.ISSUING_DISTRIBUTION_POINT}


def revocation_faults(
    path: tuple[Certificate, ...],
    pool: Sequence[Certificate],
    requirements: Requirements,
    *,
    ask: bool,
) -> Iterator[Finding]:
    """What is known of the revocation of every certificate below the anchor. ``pool`` are
    certificates at hand; an authority may sign its lists with another key than its certificates,
    or with a new one. With ``ask``, and only then, the source of the requirements is asked."""
    asking = requirements.asking if ask else None
    if not requirements.lists and asking is None:
        return
    judge = _Judge(path, pool, requirements, asking)
    for number, certificate in enumerate(path[:-1]):
        fault = judge.fault(certificate, number + 1)
        if fault is not None:
            yield fault


class _Judge:
    def __init__(
        self,
        path: tuple[Certificate, ...],
        pool: Sequence[Certificate],
        requirements: Requirements,
        asking: Asking | None,
    ) -> None:
        self._path, self._pool, self._requirements = path, pool, requirements
        self._asking = asking
        self._lists = requirements.lists

    def fault(self, certificate: Certificate, above: int, depth: int = 0) -> Finding | None:
        """What is wrong with a certificate that the one at ``above`` in the path has issued."""
        try:
            found = self._by_lists(certificate, above, depth)
            if found is None or found.code != codes.REVOCATION_UNKNOWN.name:
                return found
            if self._asking is None:
                return found
            return self._by_asking(self._asking, certificate, above, depth)
        except AssayError as error:
            return _unknown(certificate, error.finding.detail)

    def _by_asking(
        self, asking: Asking, certificate: Certificate, above: int, depth: int
    ) -> Finding | None:
        """What the places say that a certificate names; of who signed such an answer (``depth``)
        only lists are asked for, so that no responder answers for itself."""
        issuer, now = self._path[above], self._requirements.checked_at
        whys: list[str] = []
        answers = Obtained()
        if depth == 0:
            answers = asking.source.responses(certificate, issuer, now)
            good = False
            for response in answers.responses:
                told = told_by(
                    response,
                    certificate,
                    issuer,
                    now,
                    lambda signer: self._why_revoked(signer, above, depth),
                )
                if told.revoked is not None and not _before(told.revoked, self._requirements):
                    return _revoked(certificate, told.revoked)
                good = good or told.good or (told.revoked is not None and not told.why)
                whys += [told.why] if told.why else []
            if good:
                return None
        lists = asking.source.lists(certificate, issuer, now)
        if lists.lists:
            self._lists = (*self._lists, *lists.lists)
            found = self._by_lists(certificate, above, depth)
            if found is None or found.code != codes.REVOCATION_UNKNOWN.name:
                return found
            whys.append(found.actual)
        whys += [*answers.useless, *lists.useless]
        unreachable = (*answers.unreachable, *lists.unreachable)
        if not answers.asked + lists.asked:
            if asking.silent and depth == 0 and not self._requirements.lists:
                return None
            whys.append("it does not say where to ask, and no list that counts was given")
        severity = Severity.ERROR if self._requirements.lists else asking.unknown
        if unreachable:
            return Finding.of(
                codes.REVOCATION_UNREACHABLE,
                detail=f"{certificate}: {'; '.join((*unreachable, *dict.fromkeys(whys)))}",
                expected="an answer",
                actual="none",
                severity=severity,
            )
        return _unknown(certificate, "; ".join(dict.fromkeys(whys)), severity)

    def _why_revoked(self, signer: Certificate, above: int, depth: int) -> str:
        """Why a certificate for answering may not be used; empty when it was not revoked."""
        found = self.fault(signer, above, depth + 1)
        if found is None:
            return ""
        if found.code == trust_codes.KEY_REVOKED.name:
            return "was revoked"
        return f"may have been revoked itself ({found.actual})"

    def _by_lists(self, certificate: Certificate, above: int, depth: int) -> Finding | None:
        """What the lists at hand say."""
        why = "none of the lists given is by its issuer" if self._lists else "no list was given"
        bases: list[RevocationList] = []
        deltas: list[RevocationList] = []
        for each in self._lists:
            if each.issuer != certificate.issuer:
                continue
            try:
                unusable = _beside_the_point(each, certificate) or self._unsigned(
                    each, above, depth
                )
            except AssayError as error:
                unusable = error.finding.detail
            if unusable:
                why = unusable
            else:
                (bases if each.base_number < 0 else deltas).append(each)
        entry = _entry(certificate, bases, deltas)
        if entry is not None and not _before(entry, self._requirements):
            return _revoked(certificate, entry)
        current = [_out_of_date(each, self._requirements) for each in bases]
        if "" in current:
            return None
        if deltas and not bases:
            why = "the list is a delta, which says only what changed since a complete one"
        return _unknown(certificate, current[-1] if current else why)

    def _unsigned(self, crl: RevocationList, above: int, depth: int) -> str:
        """Why the issuer did not sign a list; empty when it did."""
        issuer = self._path[above]
        usage = issuer.key_usage
        permitted = usage is None or "cRLSign" in usage
        if permitted and signed_by(issuer, crl.algorithm, crl.signature, crl.tbs):
            return ""
        for signer in self._pool:
            try:
                if self._is_the_issuer_too(signer, issuer, above, depth) and signed_by(
                    signer, crl.algorithm, crl.signature, crl.tbs
                ):
                    return ""
            except AssayError:
                continue
        if not permitted:
            return f"{issuer} may not sign revocation lists"
        return "the list was not signed with the issuer's key"

    def _is_the_issuer_too(
        self, signer: Certificate, issuer: Certificate, above: int, depth: int
    ) -> bool:
        """Whether a certificate for signing lists, by the name of the issuer, is certified by the
        issuer itself or by an authority above it, valid, and not revoked (RFC 5280 section 6.3.3
        (f))."""
        now = self._requirements.checked_at
        if (
            signer.subject != issuer.subject
            or signer == issuer
            or "cRLSign" not in (signer.key_usage or ())
            or not signer.not_before <= now <= signer.not_after
            or depth >= _DEPTH
        ):
            return False
        for number in range(above, len(self._path)):
            authority = self._path[number]
            if authority.subject == signer.issuer and signature_fault(signer, authority) is None:
                return self.fault(signer, number, depth + 1) is None
        return False


def _unknown(certificate: Certificate, why: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding.of(
        codes.REVOCATION_UNKNOWN,
        detail=f"{certificate}: {why}",
        expected=f"a current list or answer of {certificate.issuer}",
        actual=why,
        severity=severity,
    )


def _revoked(certificate: Certificate, entry: Revoked) -> Finding:
    return Finding.of(
        trust_codes.KEY_REVOKED,
        detail=f"{certificate} was revoked on {entry.date:%Y-%m-%d %H:%M:%SZ} ({entry.reason})",
        expected="not revoked",
        actual=f"{entry.reason}, {entry.date:%Y-%m-%dT%H:%M:%SZ}",
        cause="revocation",
    )


def _entry(
    certificate: Certificate, bases: list[RevocationList], deltas: list[RevocationList]
) -> Revoked | None:
    """What the lists say, those that are out of date included: who was revoked once stays so,
    unless a newer list no longer has what was only on hold, or a delta list takes it off."""
    for base in bases:
        entry = base.find(certificate.serial)
        if entry is not None and entry.reason == "certificateHold" and _superseded(base, bases):
            entry = None
        fitting = (
            delta
            for delta in deltas
            if delta.scope == base.scope and delta.base_number <= base.number <= delta.number
        )
        for delta in sorted(fitting, key=lambda each: each.number):
            changed = delta.find(certificate.serial)
            if changed is not None:
                entry = None if changed.reason == "removeFromCRL" else changed
        if entry is not None:
            return entry
    return None


def _superseded(base: RevocationList, bases: list[RevocationList]) -> bool:
    return any(
        other.scope == base.scope and other.this_update > base.this_update for other in bases
    )


def _before(entry: Revoked, requirements: Requirements) -> bool:
    """Whether the signature is proven to be older than a revocation that does not reach back."""
    return (
        requirements.at < requirements.checked_at
        and requirements.at < entry.date
        and entry.reason in _HARMLESS
    )


def _beside_the_point(crl: RevocationList, certificate: Certificate) -> str:
    """Why a list says nothing about a certificate, whoever signed it; empty when it does."""
    unknown = [oid for oid, each in crl.extensions.items() if each.critical and oid not in _HEEDED]
    if unknown:
        return f"the list has the critical extension {oids.name(unknown[0])}"
    scope = crl.scope
    if scope.indirect:
        return "the list is an indirect one, which is not supported"
    if scope.only_some_reasons or scope.only_attributes:
        return "the list is for some reasons, or for attribute certificates, only"
    if not _in_scope(scope, certificate):
        return "the list is for other certificates of the issuer"
    return ""


def _in_scope(scope: Scope, certificate: Certificate) -> bool:
    constraints = certificate.basic_constraints
    authority = constraints is not None and constraints.authority
    if (scope.only_users and authority) or (scope.only_authorities and not authority):
        return False
    return not scope.names or bool(scope.names & certificate.distribution_points)


def _out_of_date(crl: RevocationList, requirements: Requirements) -> str:
    """Why a list does not count at the time of the check; empty when it does."""
    now = requirements.checked_at
    if now + CLOCK_SKEW < crl.this_update:
        return f"the list is of {crl.this_update:%Y-%m-%d %H:%M:%SZ}, after the effective time"
    if crl.next_update is None:
        return "the list does not say until when it counts"
    if now > crl.next_update:
        return f"the list counted until {crl.next_update:%Y-%m-%d %H:%M:%SZ}"
    return ""

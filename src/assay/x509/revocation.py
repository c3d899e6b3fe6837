"""Whether certificates of a path were revoked (RFC 5280 section 6.3), by lists that are given.

Complete lists and delta lists, for all certificates of an issuer or for one of its distribution
points. Indirect lists (of another issuer) and lists for some reasons only are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as codes
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList, Revoked, Scope
from assay.x509.requirements import Requirements
from assay.x509.signing import signed_by

_HARMLESS = {
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
}
"""Reasons that leave signatures standing that were proven to exist before. Any other may mean that
someone else had the key for an unknown time."""

_HEEDED = {oids.DELTA_CRL, oids.ISSUING_DISTRIBUTION_POINT}


def revocation_faults(
    path: tuple[Certificate, ...], requirements: Requirements
) -> Iterator[Finding]:
    """What the lists say of every certificate below the anchor."""
    for number, certificate in enumerate(path[:-1]):
        issuer = path[number + 1]
        try:
            fault = _fault(certificate, issuer, requirements)
        except AssayError as error:
            fault = _unknown(certificate, error.finding.detail)
        if fault is not None:
            yield fault


def _unknown(certificate: Certificate, why: str) -> Finding:
    return Finding.of(
        codes.REVOCATION_UNKNOWN,
        detail=f"{certificate}: {why}",
        expected=f"a current list of {certificate.issuer}",
        actual=why,
    )


def _fault(
    certificate: Certificate, issuer: Certificate, requirements: Requirements
) -> Finding | None:
    why = "none of the lists given is by its issuer"
    bases: list[RevocationList] = []
    deltas: list[RevocationList] = []
    for each in requirements.lists:
        if each.issuer != certificate.issuer:
            continue
        try:
            unusable = _unusable(each, certificate, issuer)
        except AssayError as error:
            unusable = error.finding.detail
        if unusable:
            why = unusable
        else:
            (bases if each.base_number < 0 else deltas).append(each)
    entry = _entry(certificate, bases, deltas)
    if entry is not None and not _before(entry, requirements):
        return Finding.of(
            trust_codes.KEY_REVOKED,
            detail=f"{certificate} was revoked on {entry.date:%Y-%m-%d %H:%M:%SZ} ({entry.reason})",
            expected="not revoked",
            actual=f"{entry.reason}, {entry.date:%Y-%m-%dT%H:%M:%SZ}",
            cause="revocation",
        )
    current = [_out_of_date(each, requirements) for each in bases]
    if "" in current:
        return None
    return _unknown(certificate, current[-1] if current else why)


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


def _unusable(crl: RevocationList, certificate: Certificate, issuer: Certificate) -> str:
    """Why a list says nothing about a certificate; empty when it does."""
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
    usage = issuer.key_usage
    if usage is not None and "cRLSign" not in usage:
        return f"{issuer} may not sign revocation lists"
    if not signed_by(issuer, crl.algorithm, crl.signature, crl.tbs):
        return "the list was not signed with the issuer's key"
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
    if now < crl.this_update:
        return f"the list is of {crl.this_update:%Y-%m-%d %H:%M:%SZ}, after the effective time"
    if crl.next_update is None:
        return "the list does not say until when it counts"
    if now > crl.next_update:
        return f"the list counted until {crl.next_update:%Y-%m-%d %H:%M:%SZ}"
    return ""

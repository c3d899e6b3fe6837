"""What an OCSP response says of a certificate, once it is clear who signed it (RFC 6960 sections
3.2 and 4.2.2).

An answer counts when the issuer signed it itself, or a responder whose certificate the issuer
signed for just that purpose. No other responder is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from assay import limits
from assay.model.finding import AssayError
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.crl import Revoked
from assay.x509.ocsp import Answer, OcspResponse, certificates_of, critical_unknown
from assay.x509.signing import signature_fault, signed_by

CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of who made an answer may be ahead of ours."""

_HEEDED = {
    oids.KEY_USAGE,
    oids.EXTENDED_KEY_USAGE,
    oids.BASIC_CONSTRAINTS,
    oids.SUBJECT_ALTERNATIVE_NAME,
    oids.CERTIFICATE_POLICIES,
    oids.OCSP_NO_CHECK,
}
_LIFTED = "certificateHold"

WhyRevoked = Callable[[Certificate], str]
"""Says why a responder's own certificate may have been revoked; empty when it was not."""


class Told(Struct, frozen=True):
    """What a response says: ``good``, or the entry in ``revoked``; else ``why`` it says nothing.
    A revocation counts however old the answer is, which ``why`` says then: the reason for it may
    have become another since."""

    good: bool = False
    revoked: Revoked | None = None
    why: str = ""


def told_by(
    response: OcspResponse,
    certificate: Certificate,
    issuer: Certificate,
    now: datetime,
    why_revoked: WhyRevoked,
) -> Told:
    """What a response says of a certificate of ``issuer`` at the time ``now``. Raises AssayError
    when a certificate in it cannot be judged."""
    about = [each for each in response.answers if each.certificate.means(certificate, issuer)]
    if not about:
        return Told(why="the responder's answer is about another certificate")
    unknown = critical_unknown(response.extensions)
    unknown = unknown or next(filter(None, (critical_unknown(a.extensions) for a in about)), "")
    if unknown:
        return Told(why=f"the responder's answer has the critical extension {unknown}")
    why = _unsigned(response, issuer, now, why_revoked)
    if why:
        return Told(why=why)
    for answer in about:
        outdated = _out_of_date(answer, now)
        if answer.revoked_at is not None and not (outdated and answer.reason == _LIFTED):
            entry = Revoked(certificate.serial, answer.revoked_at, answer.reason)
            return Told(revoked=entry, why=outdated)
    latest = max(about, key=lambda each: each.this_update)
    why = _out_of_date(latest, now)
    if not why and latest.status != "good":
        why = "the responder does not know the certificate"
    return Told(good=not why, why=why)


def _unsigned(
    response: OcspResponse, issuer: Certificate, now: datetime, why_revoked: WhyRevoked
) -> str:
    """Why nobody who may answer for the issuer signed a response; empty when somebody did."""
    why = "the answer is by neither the issuer nor a responder that the issuer has certified"
    if _is_by(response, issuer):
        unmade = _unmade(response, issuer)
        if not unmade:
            return ""
        why = f"{issuer} {unmade}"
    for signer in certificates_of(response):
        if not _is_by(response, signer):
            continue
        unfit = _unfit(signer, issuer, now) or _unmade(response, signer)
        if not unfit and oids.OCSP_NO_CHECK not in signer.extensions:
            unfit = why_revoked(signer)
        if not unfit:
            return ""
        why = f"the responder {signer} {unfit}"
    return why


def _is_by(response: OcspResponse, certificate: Certificate) -> bool:
    """Whether a response calls this its responder."""
    if response.name is not None:
        return response.name == certificate.subject
    return response.key_hash == hashlib.sha1(certificate.key_bits).digest()


def _unmade(response: OcspResponse, signer: Certificate) -> str:
    """Why the key of a certificate did not sign a response; empty when it did."""
    try:
        right = signed_by(signer, response.algorithm, response.signature, response.tbs)
    except AssayError as error:
        return f"signed the answer in a way that does not count ({error.finding.detail})"
    return "" if right else "did not sign the answer"


def _unfit(signer: Certificate, issuer: Certificate, now: datetime) -> str:
    """Why a certificate does not make its holder a responder of the issuer; empty when it does."""
    if signer.issuer != issuer.subject or signature_fault(signer, issuer) is not None:
        return "was not certified by the issuer itself"
    # any purpose is not this purpose: the issuer has to have meant it
    if oids.OCSP_SIGNING not in (signer.purposes or ()):
        return "is not for signing OCSP answers by its extended key usage"
    usage = signer.key_usage
    if usage is not None and not usage & {"digitalSignature", "nonRepudiation"}:
        return "is not for signing by its key usage"
    if not signer.not_before <= now <= signer.not_after:
        return "has a certificate that is not valid at the effective time"
    for oid, extension in signer.extensions.items():
        if extension.critical and oid not in _HEEDED:
            return f"has a certificate with the critical extension {oids.name(oid)}"
    return ""


def _out_of_date(answer: Answer, now: datetime) -> str:
    """Why an answer does not count at the time of the check; empty when it does."""
    if answer.this_update > now + CLOCK_SKEW:
        return f"the answer is of {_shown(answer.this_update)}, after the effective time"
    if answer.next_update is None:
        # newer information is always to be had, so an old answer is a replayed one
        age = now - answer.this_update
        if age > timedelta(seconds=limits.REVOCATION_ANSWER_AGE):
            return f"the answer is of {_shown(answer.this_update)}, and newer ones are to be had"
        return ""
    if now > answer.next_update:
        return f"the answer counted until {_shown(answer.next_update)}"
    return ""


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%SZ}"

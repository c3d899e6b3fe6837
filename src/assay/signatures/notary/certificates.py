"""What the certificates in a Notary signature have to be, beside what every path has to be
(notaryproject/specifications, signature-specification.md, "Certificate Requirements")."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from assay.model.codes import notary as codes
from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as x509_codes
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.signing import about, signature_fault

_OTHER_USES = {
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
}
_OTHER_PURPOSES = {
    oids.ANY_PURPOSE,
    oids.SERVER_AUTH,
    oids.EMAIL_PROTECTION,
    oids.TIME_STAMPING,
    oids.OCSP_SIGNING,
}


def chain_faults(chain: Sequence[Certificate]) -> Iterator[Finding]:
    """What is wrong with the certificates of a signature, the signer's first."""
    yield from _links(chain)
    for number, certificate in enumerate(chain):
        try:
            yield from _authority_faults(certificate) if number else _signer_faults(certificate)
        except AssayError as error:
            yield about(error.finding, certificate)


def _links(chain: Sequence[Certificate]) -> Iterator[Finding]:
    """In order, each signed by the next, and the last by itself: so whoever verifies sees every
    certificate that the signer's rests on, and not just those up to an authority of his."""
    for lower, upper in itertools.pairwise(chain):
        if lower.issuer != upper.subject:
            yield Finding.of(
                codes.CERTIFICATE_CHAIN_INCOMPLETE,
                detail=f"{lower} is followed by {upper}, which is not its issuer",
                expected=str(lower.issuer)[:1000],
                actual=str(upper.subject)[:1000],
            )
        elif (fault := signature_fault(lower, upper)) is not None:
            yield fault
    last = chain[-1]
    if not last.self_issued:
        yield Finding.of(
            codes.CERTIFICATE_CHAIN_INCOMPLETE,
            detail=f"the certificates end at {last}, which is not a root",
            expected="a root, signed by itself",
            actual=f"a certificate of {str(last.issuer)[:1000]}",
        )
    elif (fault := signature_fault(last, last)) is not None:
        yield fault


def _signer_faults(leaf: Certificate) -> Iterator[Finding]:
    constraints, usage = leaf.basic_constraints, leaf.key_usage
    if constraints is not None and constraints.authority:
        yield _not_permitted(leaf, "is the certificate of an authority, and not of a signer")
    if usage is None or "digitalSignature" not in usage:
        yield _not_permitted(leaf, "does not say that it is for digital signatures (key usage)")
    elif not leaf.extensions[oids.KEY_USAGE].critical:
        yield _not_permitted(leaf, "has a key usage that is not marked critical")
    elif others := sorted(usage & _OTHER_USES):
        yield _not_permitted(leaf, f"is for more than signing by its key usage: {others[0]}")
    purposes = leaf.purposes
    if purposes is None:
        return
    if oids.CODE_SIGNING not in purposes:
        yield _not_permitted(leaf, "is not for code signing by its extended key usage")
    for oid in purposes:
        if oid in _OTHER_PURPOSES:
            yield _not_permitted(leaf, f"is for {oids.name(oid)}, too, by its extended key usage")


def _not_permitted(certificate: Certificate, why: str) -> Finding:
    return Finding.of(trust_codes.KEY_NOT_PERMITTED, detail=f"{certificate} {why}")


def _authority_faults(certificate: Certificate) -> Iterator[Finding]:
    constraints, usage = certificate.basic_constraints, certificate.key_usage
    if constraints is None or not constraints.authority:
        why = "is no authority by its basic constraints"
    elif not certificate.extensions[oids.BASIC_CONSTRAINTS].critical:
        why = "has basic constraints that are not marked critical"
    elif usage is None or "keyCertSign" not in usage:
        why = "does not say that it may sign certificates (key usage)"
    elif not certificate.extensions[oids.KEY_USAGE].critical:
        why = "has a key usage that is not marked critical"
    else:
        return
    yield Finding.of(x509_codes.NOT_AN_AUTHORITY, detail=f"{certificate} {why}")


def tells_of_revocation(certificate: Certificate) -> bool:
    """Whether a certificate says where to ask if it was revoked: a list, or a responder. One that
    cannot be read may."""
    if oids.CRL_DISTRIBUTION_POINTS in certificate.extensions:
        return True
    try:
        return bool(certificate.responders)
    except AssayError:
        return True

"""What every certificate of a path has to meet (RFC 5280 section 6.1), beside its signature.

Certificate policies are not evaluated: any policy will do. A path that demands explicit policies
is refused, as nobody here could say which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assay import limits
from assay.asn1.der import IA5_STRING, Der, context, encode
from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as codes
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.constraints import shown
from assay.x509.general_names import GeneralName, Kind
from assay.x509.names import EMAIL_ADDRESS
from assay.x509.netscape import type_faults
from assay.x509.requirements import Requirements
from assay.x509.signing import about

_HEEDED = {
    oids.KEY_USAGE,
    oids.SUBJECT_ALTERNATIVE_NAME,
    oids.ISSUER_ALTERNATIVE_NAME,
    oids.BASIC_CONSTRAINTS,
    oids.NAME_CONSTRAINTS,
    oids.EXTENDED_KEY_USAGE,
    oids.NETSCAPE_CERTIFICATE_TYPE,
    oids.SUBJECT_KEY_IDENTIFIER,
    oids.AUTHORITY_KEY_IDENTIFIER,
    oids.CRL_DISTRIBUTION_POINTS,
    # These three matter only once explicit policies are demanded, which is refused.
    oids.CERTIFICATE_POLICIES,
    oids.POLICY_MAPPINGS,
    oids.INHIBIT_ANY_POLICY,
    oids.POLICY_CONSTRAINTS,
}
"""Critical extensions that are heeded, or that ask for nothing here."""

_Path = tuple[Certificate, ...]


def faults_of(path: _Path, requirements: Requirements) -> Iterator[Finding]:
    """Everything that is wrong with a path, from the signer's certificate (first) to the anchor,
    but for revocation."""
    for number, certificate in enumerate(path):
        yield from _guarded(certificate, _own_faults, certificate, requirements)
        if number:
            yield from _guarded(certificate, _issuing_faults, path, number)
    yield from _guarded(path[0], _usage_faults, path[0])
    yield from _purpose_faults(path, requirements)
    yield from _guarded(path[0], type_faults, path, requirements.purposes)
    yield from _constraint_faults(path)


def _guarded(
    certificate: Certificate, check: Callable[..., Iterator[Finding]], *arguments: object
) -> Iterator[Finding]:
    """What a check finds; an extension that it cannot read is a fault of the certificate."""
    try:
        yield from check(*arguments)
    except AssayError as error:
        yield about(error.finding, certificate)


def _own_faults(certificate: Certificate, requirements: Requirements) -> Iterator[Finding]:
    # certificates count whole seconds, of which the last one is still within
    at = requirements.at.replace(microsecond=0)
    if at < certificate.not_before and not requirements.timeless:
        yield Finding.of(
            codes.CERTIFICATE_NOT_YET_VALID,
            detail=f"{certificate} is not valid before {certificate.not_before:%Y-%m-%d %H:%M:%SZ}",
            expected=f"valid from {at:%Y-%m-%d %H:%M:%SZ} or before",
            actual=f"valid from {certificate.not_before:%Y-%m-%d %H:%M:%SZ}",
        )
    if at > certificate.not_after and not requirements.timeless:
        yield Finding.of(
            trust_codes.KEY_EXPIRED,
            detail=f"{certificate} expired on {certificate.not_after:%Y-%m-%d %H:%M:%SZ}",
            expected=f"valid at {at:%Y-%m-%d %H:%M:%SZ}",
            actual=f"valid until {certificate.not_after:%Y-%m-%d %H:%M:%SZ}",
            cause="expiry",
        )
    for oid, extension in certificate.extensions.items():
        if extension.critical and oid not in _HEEDED:
            yield Finding.of(
                codes.CRITICAL_EXTENSION_UNKNOWN,
                detail=f"{certificate} has the critical extension {oids.name(oid)}",
                actual=oid,
            )
    policy = certificate.extensions.get(oids.POLICY_CONSTRAINTS)
    if policy is not None and _demands_policies(policy.value):
        yield Finding.of(
            codes.CRITICAL_EXTENSION_UNKNOWN,
            detail=f"{certificate} demands explicit certificate policies",
            actual=oids.name(oids.POLICY_CONSTRAINTS),
        )
    # These raise: for a key that is weak or of an unknown kind, and for what cannot be read.
    _ = certificate.key, certificate.basic_constraints, certificate.key_usage
    _ = certificate.purposes, certificate.name_constraints


def _demands_policies(value: bytes) -> bool:
    """PolicyConstraints (RFC 5280 section 4.2.1.11): whether requireExplicitPolicy is in it."""
    cursor = Der(value, codes.CERTIFICATE_MALFORMED)
    return cursor.enter().peek() == context(0, constructed=False)


def _issuing_faults(path: _Path, number: int) -> Iterator[Finding]:
    issuer, subject = path[number], path[number - 1]
    constraints, usage = issuer.basic_constraints, issuer.key_usage
    if not issuer.subject.parts:
        yield _not_an_authority(issuer, subject, "has no name")
    anchor = number == len(path) - 1
    if constraints is None and not (anchor and issuer.version < 3):
        # Versions 1 and 2 cannot say what a certificate is for. Whoever gives one as an authority
        # says it in its place.
        yield _not_an_authority(issuer, subject, "has no basic constraints")
    elif constraints is not None and not constraints.authority:
        yield _not_an_authority(issuer, subject, "is no authority by its basic constraints")
    if usage is not None and "keyCertSign" not in usage:
        yield _not_an_authority(issuer, subject, "may not sign certificates by its key usage")
    between = sum(1 for each in path[1:number] if not each.self_issued)
    if (
        constraints is not None
        and constraints.path_length is not None
        and between > constraints.path_length
    ):
        yield Finding.of(
            codes.PATH_TOO_LONG,
            detail=f"{between} authorities stand between {issuer} and {path[0]}",
            expected=f"at most {constraints.path_length}",
            actual=str(between),
        )


def _not_an_authority(issuer: Certificate, subject: Certificate, why: str) -> Finding:
    return Finding.of(codes.NOT_AN_AUTHORITY, detail=f"{issuer} {why}, and has issued {subject}")


def _usage_faults(leaf: Certificate) -> Iterator[Finding]:
    usage, _ = leaf.key_usage, leaf.alternative_names
    if usage is not None and not usage & {"digitalSignature", "nonRepudiation"}:
        yield Finding.of(
            trust_codes.KEY_NOT_PERMITTED,
            detail=f"{leaf} is not for signing by its key usage",
            expected="digitalSignature or nonRepudiation",
            actual=", ".join(sorted(usage)) or "no usage at all",
        )


def _purpose_faults(path: _Path, requirements: Requirements) -> Iterator[Finding]:
    """Extended key usage, of the signer's certificate and of every authority above it that has
    the extension: some one purpose has to be allowed by all of them."""
    if not requirements.purposes:
        return
    left = requirements.purposes
    for number, certificate in enumerate(path):
        try:
            purposes = certificate.purposes
        except AssayError:  # said of the certificate itself
            return
        named = frozenset(purposes or ())
        if number == 0 and requirements.explicit:
            fits, wanted = named & left, left
        elif purposes is None or oids.ANY_PURPOSE in named:
            fits, wanted = left, left
        else:
            fits, wanted = named & left, left
        if not fits:
            shown_wanted = " or ".join(sorted(oids.name(oid) for oid in wanted))
            yield Finding.of(
                trust_codes.KEY_NOT_PERMITTED,
                detail=f"{certificate} is for another purpose by its extended key usage",
                expected=shown_wanted,
                actual=", ".join(oids.name(oid) for oid in purposes or ()) or "no extension",
            )
            return
        left = fits
    if requirements.alone:
        extension = path[0].extensions.get(oids.EXTENDED_KEY_USAGE)
        if extension is None or not extension.critical or len(path[0].purposes or ()) != 1:
            yield Finding.of(
                trust_codes.KEY_NOT_PERMITTED,
                detail=f"{path[0]} is not for this purpose alone",
                expected="one purpose, in a critical extension",
                actual=", ".join(oids.name(oid) for oid in path[0].purposes or ()),
            )


def _constraint_faults(path: _Path) -> Iterator[Finding]:
    """Name constraints of every certificate but the first, on all names below it. Self-issued
    certificates in between are exempt (RFC 5280 section 6.1.3 (b))."""
    comparisons = 0
    for above in range(len(path) - 1, 0, -1):
        authority = path[above]
        try:
            constraints = authority.name_constraints
        except AssayError:  # said of the certificate itself
            continue
        if constraints is None:
            continue
        if constraints.unknown is not None:
            yield Finding.of(
                codes.NAME_CONSTRAINT_VIOLATED,
                detail=f"{authority} constrains {shown(constraints.unknown)}, which is not"
                " supported",
            )
            continue
        for below in range(above - 1, -1, -1):
            certificate = path[below]
            if below and certificate.self_issued:
                continue
            try:
                names = _all_names(certificate)
                comparisons += len(names) * len(constraints)
                if comparisons > limits.NAME_COMPARISONS:
                    raise ValueError("too many names and constraints")
                broken = [(name, constraints.violation(name)) for name in names]
            except AssayError as error:
                yield about(error.finding, certificate)
                continue
            except ValueError as error:
                yield _violation(certificate, authority, str(error))
                continue
            for name, why in broken:
                if why:
                    yield _violation(certificate, authority, f"{shown(name)}: {why}")


def _violation(certificate: Certificate, authority: Certificate, why: str) -> Finding:
    return Finding.of(
        codes.NAME_CONSTRAINT_VIOLATED,
        detail=f"{certificate} breaks the name constraints of {authority}: {why}",
    )


def _all_names(certificate: Certificate) -> list[GeneralName]:
    """Every name that constraints apply to: those of the extension, the subject, and e-mail
    addresses within the subject."""
    names = list(certificate.alternative_names)
    subject = certificate.subject
    if subject.parts:
        names.append(GeneralName(Kind.DIRECTORY, subject, subject.encoded))
    for address in subject.texts(EMAIL_ADDRESS):
        names.append(
            GeneralName(Kind.EMAIL, address, encode(IA5_STRING, address.encode("utf-8", "replace")))
        )
    return names

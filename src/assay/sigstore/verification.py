"""Verifies a bundle whose signer is named by a certificate (Sigstore client specification,
section 4), in steps that each stop an attack:

1. the signature is over the document, by the key of the certificate: anything else is noise;
2. each log entry is in a log of the trusted root: nobody signed in secret;
3. each log entry is about this very signature: no other one lends its entry (CVE-2022-36056);
4. something proves when the signature existed: certificates live for minutes;
5. the certificate was valid at every one of these times, by an authority of the trusted root that
   was then to be believed: keys that were thrown away, or stolen later, sign nothing;
6. the certificate is in a certificate log: the authority did not issue it in secret.

Who the signer is comes out of this; whether it is who was asked for is not decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from assay.crypto.public_key import PublicKey
from assay.model.codes import sigstore as codes
from assay.model.codes import trust as trust_codes
from assay.model.finding import AssayError, Finding
from assay.sigstore import fulcio
from assay.sigstore.bundle import Bundle, Envelope
from assay.sigstore.entry_body import Verified, check_body
from assay.sigstore.log import check_entry
from assay.sigstore.sct import check_timestamps
from assay.sigstore.times import ProvenTime, stamped_times
from assay.sigstore.trusted_root import Authority, TrustedRoot
from assay.x509 import oids
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.path import find_path
from assay.x509.requirements import Requirements

Digests = Callable[[str], bytes | None]
"""Gives the digest of the signed bytes by an algorithm; None when it was not measured."""


class Proof(Struct, frozen=True):
    """What was proven of a signer. ``logged`` names the logs that have the signature."""

    names: tuple[str, ...]
    issuer: str
    claims: dict[str, str]
    times: tuple[ProvenTime, ...]
    logged: tuple[str, ...]


def signer_of(bundle: Bundle) -> Certificate:
    """The certificate of the signer. Raises AssayError when a certificate cannot be read, or is of
    a kind that has no place in a bundle."""
    found = [read_certificate(der) for der in bundle.certificates]
    for extra in found[1:]:
        if extra.self_issued:
            # A root in the bundle would invite somebody to believe it.
            raise AssayError(
                Finding.of(
                    trust_codes.SIGNATURE_MALFORMED,
                    detail=f"the bundle has the root certificate {extra} in it, which has to come"
                    " from the trusted root alone",
                )
            )
    _ = found[0].key  # a key that nothing can be checked with is told here
    return found[0]


def check_logged(
    bundle: Bundle,
    key: PublicKey,
    certificate: Certificate | None,
    root: TrustedRoot,
    digests: Digests,
) -> tuple[list[ProvenTime], list[str]]:
    """Steps 2 and 3: the times that logs give the signature, and the logs. Raises AssayError."""
    envelope = bundle.content if isinstance(bundle.content, Envelope) else None
    verified = Verified(
        bundle.signature,
        certificate.der if certificate else None,
        key,
        envelope,
        _signed_digests(envelope) if envelope else digests,
    )
    times: list[ProvenTime] = []
    logs: list[str] = []
    unknown: AssayError | None = None
    for entry in bundle.entries:
        try:
            time = check_entry(entry, root)
        except AssayError as error:
            if error.finding.code not in (codes.LOG_UNKNOWN.name, codes.LOG_NOT_WITNESSED.name):
                raise
            # another instance's word, or one that too few have seen: it counts for nothing here
            if unknown is None or error.finding.code == codes.LOG_NOT_WITNESSED.name:
                unknown = error
            continue
        check_body(entry, verified)
        log = next(log for log in root.logs if log.log_id == entry.log_id)
        logs.append(f"{log.base_url} entry {entry.log_index}")
        if time is not None:
            times.append(ProvenTime(time, log.base_url))
    if not logs:
        raise unknown or AssayError(Finding.of(codes.LOG_PROOF_MISSING))
    return times, logs


def _signed_digests(envelope: Envelope) -> Digests:
    return lambda algorithm: hashlib.new(algorithm, envelope.signed).digest()


def prove(
    bundle: Bundle, leaf: Certificate, root: TrustedRoot, digests: Digests, now: datetime
) -> Proof:
    """Steps 2 to 6, for a signature that is right by the certificate's key. Raises AssayError with
    the first step that fails."""
    logged, logs = check_logged(bundle, leaf.key, leaf, root, digests)
    times = [*logged, *stamped_times(bundle, root)]
    if not times:
        raise AssayError(Finding.of(codes.TIME_UNPROVEN))
    open_chains = root.bare or root.partial
    between = [read_certificate(der) for der in bundle.certificates[1:]] if open_chains else []
    issuer = _issuer(leaf, between, root, times, now)
    if not root.bare:
        check_timestamps(leaf, issuer, root)
    claims = fulcio.claims_of(leaf)
    return Proof(fulcio.names_of(leaf), fulcio.issuer_of(claims), claims, tuple(times), tuple(logs))


def _issuer(
    leaf: Certificate,
    between: Sequence[Certificate],
    root: TrustedRoot,
    times: Sequence[ProvenTime],
    now: datetime,
) -> Certificate:
    """The certificate that issued the signer's, of an authority to be believed at each time."""
    faults: list[Finding] = []
    for authority in root.certificate_authorities:
        found = [_issuer_at(leaf, between, authority, proven, now) for proven in times]
        issuers = [each for each in found if isinstance(each, Certificate)]
        if len(issuers) == len(found):
            return issuers[0]
        faults.append(next(each for each in found if isinstance(each, Finding)))
    # The authority that issued the certificate has the best reason; others do not know it at all.
    known = [fault for fault in faults if fault.code != "unknown-issuer"]
    raise AssayError((known or faults or [Finding.of(codes.TRUSTED_ROOT_MISSING)])[0])


def _issuer_at(
    leaf: Certificate,
    between: Sequence[Certificate],
    authority: Authority,
    proven: ProvenTime,
    now: datetime,
) -> Certificate | Finding:
    """The certificate that issued the signer's, or what is wrong with it at a time."""
    chain = authority.chain
    path = find_path(
        leaf,
        (*between, *chain[:-1]),
        chain[-1:],
        Requirements(
            at=proven.time,
            now=now,
            purposes=frozenset({oids.CODE_SIGNING}),
            explicit=True,
        ),
    )
    if path.faults:
        return path.faults[0]
    # The window of the trusted root counts when the certificate was issued, and when it was used.
    for time in (leaf.not_before, proven.time):
        if not authority.validity.includes(time):
            return Finding.of(
                trust_codes.KEY_EXPIRED,
                detail=f"the authority {authority.uri} was not to be believed at"
                f" {time.isoformat()}, by the trusted root",
                expected=str(authority.validity),
                actual=time.isoformat(),
            )
    return path.path[1] if len(path.path) > 1 else path.path[0]

"""Time stamps (RFC 3161): a statement, signed by an authority, that a message existed at a time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from assay.asn1.der import BOOLEAN, INTEGER, OCTET_STRING, SEQUENCE, Der, context
from assay.cms import oids
from assay.cms.attributes import read_attributes
from assay.cms.signed_data import SignedData, read_signed_data
from assay.cms.verify import fault_of
from assay.measure.hashing import hash_bytes
from assay.model.codes import cms as codes
from assay.model.digest import ALGORITHMS, Strength
from assay.model.finding import AssayError, Finding
from assay.x509 import oids as x509_oids
from assay.x509.algorithms import digest_name, read_identifier
from assay.x509.certificate import Certificate, read_extensions
from assay.x509.crl import RevocationList
from assay.x509.path import find_path
from assay.x509.requirements import Asking, Requirements


class Timestamp(Struct, frozen=True):
    """A time stamp token as it is written, not believed.

    ``algorithm`` is the canonical name of the digest that ``imprint``, of the message, was made
    with. ``accuracy`` is how far off ``time`` may be. ``nonce`` is that of the request, if any.
    """

    signed: SignedData
    policy: str
    algorithm: str
    imprint: bytes
    serial: int
    time: datetime
    accuracy: timedelta
    nonce: int | None


class TimeAuthority(Struct, frozen=True):
    """Who may state times: the certificates that a path has to end at, those that may stand in
    between, and the period in which its word counts, both ends included (None: no end)."""

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    def counts_at(self, time: datetime) -> bool:
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)


class ProvenTime(Struct, frozen=True):
    """What a time stamp proves: the message existed at ``time``, give or take, which is not before
    ``earliest`` and not after ``latest``. ``path`` is that of the authority's certificate."""

    time: datetime
    earliest: datetime
    latest: datetime
    path: tuple[Certificate, ...]


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.TIMESTAMP_INVALID, detail=detail))


def read_response(data: bytes) -> Timestamp:
    """The token in a TimeStampResp, as a server sends it. Raises AssayError (timestamp-invalid or
    signature-malformed) when it holds none."""
    return read_token(token_in(data))


def token_in(data: bytes) -> bytes:
    """The encoded token in a TimeStampResp (RFC 3161 section 2.4.2). Raises AssayError
    (timestamp-invalid) when it holds none."""
    outer = Der(data, codes.TIMESTAMP_INVALID)
    inside = outer.enter()
    outer.finish()
    status = inside.enter().integer()
    if status not in (0, 1) or not inside.more:
        raise _malformed(f"the authority granted no time stamp (status {status})")
    token = inside.take(SEQUENCE)
    inside.finish()
    return token.encoded


def read_token(data: bytes) -> Timestamp:
    """A TimeStampToken. Raises AssayError (timestamp-invalid or signature-malformed)."""
    signed = read_signed_data(data)
    if signed.content_type != oids.TST_INFO or not signed.wrapped:
        raise _malformed(f"its content is {oids.name(signed.content_type)}, and no time stamp")
    if signed.content is None or signed.content_tag != OCTET_STRING:
        raise _malformed("it has no content")
    if len(signed.signers) != 1:
        raise _malformed(f"it has {len(signed.signers)} signers, not one")
    outer = Der(signed.content, codes.TIMESTAMP_INVALID)
    info = outer.enter()
    outer.finish()
    version = info.integer(most=1)
    if version != 1:
        raise info.fail(f"a time stamp of version {version}", 0)
    policy = info.oid()
    message = info.enter()
    identifier = read_identifier(message)
    algorithm, imprint = digest_name(identifier), message.octets()
    message.finish()
    serial = info.integer()
    time = info.precise_time()
    accuracy = _accuracy(info)
    if info.peek() == BOOLEAN:
        info.boolean()
    nonce = info.integer() if info.peek() == INTEGER else None
    info.optional(context(0))
    if info.peek() == context(1):
        extensions = read_extensions(info, context(1))
        if any(each.critical for each in extensions.values()):
            raise info.fail("a critical extension")
    info.finish()
    if not algorithm or len(imprint) != ALGORITHMS[algorithm].size:
        raise _malformed(f"it is over a digest of an unknown kind, {identifier.oid}")
    return Timestamp(signed, policy, algorithm, imprint, serial, time, accuracy, nonce)


def _accuracy(info: Der) -> timedelta:
    """Accuracy; none at all when it is not stated, as no bound is known then."""
    inside = info.enter_optional(SEQUENCE)
    if inside is None:
        return timedelta()
    seconds = inside.integer(most=5) if inside.peek() == INTEGER else 0
    parts = []
    for number in (0, 1):
        tag = context(number, constructed=False)
        parts.append(inside.integer(tag, most=3) if inside.peek() == tag else None)
    inside.finish()
    if seconds < 0 or any(part is not None and not 1 <= part <= 999 for part in parts):
        raise info.fail("an accuracy that is out of range")
    return timedelta(seconds=seconds, milliseconds=parts[0] or 0, microseconds=parts[1] or 0)


def check_timestamp(
    stamp: Timestamp,
    message: bytes | Mapping[str, bytes],
    authorities: Sequence[TimeAuthority],
    *,
    lists: tuple[RevocationList, ...] = (),
    asking: Asking | None = None,
    now: datetime | None = None,
) -> ProvenTime:
    """What a time stamp proves of a message.

    ``message`` is the message itself, or digests of it by algorithm (`Timestamp.algorithm` says
    which one is needed). The path of the authority's certificate has to be valid at the time that
    it states, and its key be for time stamps alone (RFC 3161 section 2.3). ``lists`` are
    revocation lists, which have to be current at ``now``, and ``asking`` says who is asked beyond
    them (`Requirements`). Raises AssayError (timestamp-invalid).
    """
    if ALGORITHMS[stamp.algorithm].strength is Strength.CORRUPTION_ONLY:
        raise _malformed(f"it is over {stamp.algorithm.upper()}, which can be forged")
    if isinstance(message, Mapping):
        digest = message.get(stamp.algorithm)
    else:
        digest = hash_bytes(stamp.algorithm, message)
    if digest is None or not hmac.compare_digest(digest, stamp.imprint):
        raise _malformed("it is over something else")
    certificate, fault = _signer(stamp, authorities)
    if certificate is None:
        raise _malformed(fault)
    earliest, latest = _span(stamp)
    why = "none of the authorities given states times at that date"
    for authority in authorities:
        if not authority.counts_at(stamp.time):
            continue
        between = (*stamp.signed.certificates, *authority.intermediates)
        asked = Requirements(
            at=stamp.time,
            now=now,
            purposes=frozenset({x509_oids.TIME_STAMPING}),
            explicit=True,
            alone=True,
            lists=lists,
            asking=asking,
        )
        result = find_path(certificate, between, authority.anchors, asked)
        if result.path:
            return ProvenTime(stamp.time, earliest, latest, result.path)
        why = result.faults[0].detail
    raise _malformed(why)


def _span(stamp: Timestamp) -> tuple[datetime, datetime]:
    try:
        return stamp.time - stamp.accuracy, stamp.time + stamp.accuracy
    except OverflowError:
        raise _malformed("an accuracy that is out of range") from None


def _signer(
    stamp: Timestamp, authorities: Sequence[TimeAuthority]
) -> tuple[Certificate | None, str]:
    """The certificate whose key signed the token, or why there is none."""
    [signer] = stamp.signed.signers
    assert stamp.signed.content is not None
    known = dict.fromkeys(stamp.signed.certificates)
    for authority in authorities:
        known |= dict.fromkeys((*authority.intermediates, *authority.anchors))
    why = f"{signer.certificate_name} is not at hand"
    if signer.signed_attributes is None:
        return None, "its signed attributes are missing"
    for certificate in known:
        if not signer.is_by(certificate):
            continue
        try:
            if not read_attributes(signer).certificates:
                return None, "it does not say which certificate it was made with"
            digest = hash_bytes(signer.digest, stamp.signed.content) if signer.digest else b""
            fault = fault_of(stamp.signed, signer, certificate.key, digest, certificate=certificate)
        except AssayError as error:
            fault = error.finding
        if fault is None:
            return certificate, ""
        why = fault.detail
    return None, why

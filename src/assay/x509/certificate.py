"""X.509 certificates (RFC 5280 section 4): read strictly, and not believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from assay import limits
from assay.asn1.der import BIT_STRING, BOOLEAN, OCTET_STRING, SEQUENCE, Der, context
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.algorithms import AlgorithmIdentifier, read_identifier
from assay.x509.constraints import NameConstraints, read_constraints
from assay.x509.general_names import GeneralName, Kind, read_general_name, read_general_names
from assay.x509.names import Name, read_name

if TYPE_CHECKING:
    from assay.crypto.public_key import PublicKey

Value = TypeVar("Value")


class Extension(Struct, frozen=True):
    """One extension: whether it must be heeded, and its DER value."""

    critical: bool
    value: bytes


class BasicConstraints(Struct, frozen=True):
    """Whether the holder may issue certificates, and how many authorities may stand below it."""

    authority: bool
    path_length: int | None = None


class AuthorityKey(Struct, frozen=True):
    """The issuer's key, as the certificate names it: by identifier, or by issuer and serial."""

    key_id: bytes = b""
    serial: int | None = None


class Certificate(Struct, frozen=True, dict=True, eq=False):
    """A certificate as it is written. Two are equal when their bytes are.

    Extensions are read when they are asked for; each such property raises AssayError
    (certificate-malformed) when its extension cannot be read.
    """

    der: bytes
    tbs: bytes
    version: int
    serial: int
    algorithm: AlgorithmIdentifier
    issuer: Name
    not_before: datetime
    not_after: datetime
    subject: Name
    spki: bytes
    key_bits: bytes
    extensions: dict[str, Extension]
    signature: bytes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __ne__(self, other: object) -> bool:
        # Struct has one of its own, which would win over what follows from __eq__.
        return not self == other

    def __hash__(self) -> int:
        return hash(self.der)

    def __str__(self) -> str:
        """What people call it."""
        name = str(self.subject)
        if len(name) > 200:
            name = name[:200] + "..."
        return name or f"certificate number {self.serial:x} of {str(self.issuer)[:200]}"

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:`` and the digest of the whole certificate."""
        return "sha256:" + hashlib.sha256(self.der).hexdigest()

    @cached_property
    def key(self) -> PublicKey:
        """The holder's public key. Raises AssayError: key-malformed, weak-signature or
        signature-unsupported."""
        from assay.crypto.spki import read_spki

        return read_spki(self.spki, "")

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject == self.issuer

    def _extension(self, oid: str, read: Callable[[Der], Value]) -> Value | None:
        extension = self.extensions.get(oid)
        if extension is None:
            return None
        cursor = Der(extension.value, CERTIFICATE_MALFORMED)
        try:
            value = read(cursor)
            cursor.finish()
        except AssayError as error:
            raise malformed(f"{self}: {oids.name(oid)}: {error.finding.detail}") from None
        return value

    @cached_property
    def basic_constraints(self) -> BasicConstraints | None:
        return self._extension(oids.BASIC_CONSTRAINTS, _basic_constraints)

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """The names of the usages that are permitted (`KEY_USAGES`)."""
        return self._extension(oids.KEY_USAGE, _key_usage)

    @cached_property
    def purposes(self) -> tuple[str, ...] | None:
        """Extended key usage: the object identifiers of what the key is for."""
        return self._extension(oids.EXTENDED_KEY_USAGE, _purposes)

    @cached_property
    def alternative_names(self) -> list[GeneralName]:
        """Subject alternative names."""
        names = self._extension(
            oids.SUBJECT_ALTERNATIVE_NAME, lambda der: read_general_names(der.enter())
        )
        return names or []

    @cached_property
    def name_constraints(self) -> NameConstraints | None:
        return self._extension(oids.NAME_CONSTRAINTS, read_constraints)

    @cached_property
    def key_id(self) -> bytes:
        """Subject key identifier; empty when there is none."""
        return self._extension(oids.SUBJECT_KEY_IDENTIFIER, Der.octets) or b""

    @cached_property
    def authority_key(self) -> AuthorityKey:
        return self._extension(oids.AUTHORITY_KEY_IDENTIFIER, _authority_key) or AuthorityKey()

    @cached_property
    def distribution_points(self) -> frozenset[bytes]:
        """The encoded names of the revocation lists that this certificate would be in."""
        found = self._extension(oids.CRL_DISTRIBUTION_POINTS, _distribution_points)
        return found or frozenset()

    @cached_property
    def list_places(self) -> tuple[str, ...]:
        """Where complete lists that the issuer itself signs are kept: URIs."""
        return self._extension(oids.CRL_DISTRIBUTION_POINTS, _list_places) or ()

    @cached_property
    def responders(self) -> tuple[str, ...]:
        """Where to ask by OCSP (RFC 6960) whether this certificate was revoked: URIs."""
        return self._extension(oids.AUTHORITY_INFORMATION, _responders) or ()


KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
"""By bit (RFC 5280 section 4.2.1.3)."""


def malformed(detail: str, offset: int | None = None) -> AssayError:
    """The error for a certificate that cannot be read."""
    return AssayError(Finding.of(CERTIFICATE_MALFORMED, detail=detail, offset=offset))


def read_certificate(data: bytes) -> Certificate:
    """A certificate in DER. Raises AssayError (certificate-malformed, with the offset)."""
    if len(data) > limits.CERTIFICATE_SIZE:
        raise malformed(f"a certificate of {len(data)} bytes")
    outer = Der(data, CERTIFICATE_MALFORMED)
    inside = outer.enter()
    outer.finish()
    tbs = inside.take(SEQUENCE)
    outer_algorithm = read_identifier(inside)
    signature = inside.whole_bits()
    inside.finish()

    body = inside.within(tbs)
    version = 1
    explicit = body.enter_optional(context(0))
    if explicit is not None:
        version = explicit.integer(most=1) + 1
        explicit.finish()
        if version not in (2, 3):
            raise body.fail(f"certificate version {version}", tbs.body)
    serial = body.integer()
    algorithm = read_identifier(body)
    if algorithm.encoded != outer_algorithm.encoded:
        raise body.fail("two different signature algorithms")
    issuer = read_name(body)
    validity = body.enter()
    not_before, not_after = validity.time(), validity.time()
    validity.finish()
    subject = read_name(body)
    spki = body.take(SEQUENCE)
    for number in (1, 2):
        if body.optional(context(number, constructed=False)) is not None and version < 2:
            raise body.fail("a unique identifier in a certificate of version 1")
    extensions = _extensions(body, version)
    body.finish()

    key = body.within(spki)
    key.take(SEQUENCE)
    key_bits = key.whole_bits(BIT_STRING)
    key.finish()
    return Certificate(
        der=data,
        tbs=tbs.encoded,
        version=version,
        serial=serial,
        algorithm=algorithm,
        issuer=issuer,
        not_before=not_before,
        not_after=not_after,
        subject=subject,
        spki=spki.encoded,
        key_bits=key_bits,
        extensions=extensions,
        signature=signature,
    )


def _extensions(body: Der, version: int) -> dict[str, Extension]:
    wrapped = body.enter_optional(context(3))
    if wrapped is None:
        return {}
    if version != 3:
        raise body.fail(f"extensions in a certificate of version {version}")
    found = read_extensions(wrapped)
    wrapped.finish()
    return found


def read_extensions(cursor: Der, tag: int = SEQUENCE) -> dict[str, Extension]:
    """Extensions (RFC 5280 section 4.1.2.9), each at most once. An empty list, which some software
    writes and the RFC forbids, can be read in one way only. Raises AssayError."""
    inside = cursor.enter(tag)
    found: dict[str, Extension] = {}
    for element in inside.each(SEQUENCE, limits.CERTIFICATE_EXTENSIONS, "extensions"):
        extension = inside.within(element)
        oid = extension.oid()
        critical = _flag(extension)
        value = extension.octets(OCTET_STRING)
        extension.finish()
        if oid in found:
            raise inside.fail(f"extension {oids.name(oid)} twice", element.start)
        found[oid] = Extension(critical, value)
    return found


def _flag(cursor: Der) -> bool:
    """BOOLEAN DEFAULT FALSE. DER does not write a default value out (X.690 section 11.5)."""
    if cursor.peek() != BOOLEAN:
        return False
    if not cursor.boolean():
        raise cursor.fail("a default value that is written out")
    return True


def _basic_constraints(cursor: Der) -> BasicConstraints:
    inside = cursor.enter()
    authority = _flag(inside)
    length = inside.integer(most=4) if inside.more else None
    inside.finish()
    if length is not None and length < 0:
        raise inside.fail("a negative path length")
    return BasicConstraints(authority, length)


def _key_usage(cursor: Der) -> frozenset[str]:
    value, _ = cursor.bits()
    return frozenset(
        name
        for number, name in enumerate(KEY_USAGES)
        if number // 8 < len(value) and value[number // 8] & (0x80 >> number % 8)
    )


def _purposes(cursor: Der) -> tuple[str, ...]:
    inside = cursor.enter()
    found: list[str] = []
    while inside.more:
        if len(found) >= limits.CERTIFICATE_EXTENSIONS:
            raise inside.fail("too many purposes")
        found.append(inside.oid())
    if not found:
        raise inside.fail("a key for no purpose at all")
    return tuple(found)


def _authority_key(cursor: Der) -> AuthorityKey:
    inside = cursor.enter()
    key_id = inside.optional(context(0, constructed=False))
    inside.optional(context(1))
    serial_tag = context(2, constructed=False)
    serial = inside.integer(serial_tag) if inside.peek() == serial_tag else None
    inside.finish()
    return AuthorityKey(key_id.content if key_id else b"", serial)


def _responders(cursor: Der) -> tuple[str, ...]:
    """AuthorityInfoAccessSyntax (RFC 5280 section 4.2.2.1)."""
    inside = cursor.enter()
    found: list[str] = []
    for element in inside.each(SEQUENCE, limits.CERTIFICATE_NAMES, "ways to reach an authority"):
        access = inside.within(element)
        method, place = access.oid(), read_general_name(access, access.any())
        access.finish()
        if method == oids.OCSP:
            if place.kind is not Kind.URI or not isinstance(place.value, str):
                raise access.fail("an OCSP responder that is not named by a URI", element.start)
            found.append(place.value)
    return tuple(found)


def _distribution_points(cursor: Der) -> frozenset[bytes]:
    inside = cursor.enter()
    names: set[bytes] = set()
    for element in inside.each(SEQUENCE, limits.CERTIFICATE_NAMES, "distribution points"):
        names |= distribution_point_names(inside.within(element).enter_optional(context(0)))
    return frozenset(names)


def _list_places(cursor: Der) -> tuple[str, ...]:
    """Distribution points with all reasons, and without an issuer of their own for their lists."""
    inside = cursor.enter()
    found: list[str] = []
    for element in inside.each(SEQUENCE, limits.CERTIFICATE_NAMES, "distribution points"):
        point = inside.within(element)
        named = point.enter_optional(context(0))
        full = named.enter_optional(context(0)) if named is not None else None
        if full is None or point.more:
            continue
        names = read_general_names(full)
        found += [
            name.value for name in names if name.kind is Kind.URI and isinstance(name.value, str)
        ]
    return tuple(found)


def distribution_point_names(point: Der | None) -> set[bytes]:
    """The encoded names in a DistributionPointName that are given in full."""
    full = point.enter_optional(context(0)) if point is not None else None
    return set() if full is None else {name.encoded for name in read_general_names(full)}

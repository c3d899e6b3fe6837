"""SignedData of CMS (RFC 5652 section 5) and PKCS#7 (RFC 2315 section 9): read, not believed.

Only DER is read. BER, which both specifications allow around the signed attributes, has more than
one way to write the same thing; it is refused with the offset. `openssl cms -sign -stream` and mail
programs write BER; the same signature without `-stream` is DER.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from assay import limits
from assay.asn1 import pem
from assay.asn1.der import INTEGER, OCTET_STRING, SEQUENCE, SET, Der, Element, context, encode
from assay.cms import oids
from assay.cms.shape import PEM_LABELS
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.x509.algorithms import AlgorithmIdentifier, digest_name, read_identifier
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.names import Name, read_name


class Attribute(Struct, frozen=True):
    """An attribute; each value is one encoded element."""

    oid: str
    values: tuple[bytes, ...]


class SignerInfo(Struct, frozen=True, dict=True):
    """One signer of several. It names its certificate by ``issuer`` and ``serial``, or (issuer is
    None then) by ``key_id``.

    ``signed_attributes`` is None where the signature is over the content itself; else it is over
    ``signed_bytes``, their DER encoding as SET OF. Nothing here is believed.
    """

    version: int
    issuer: Name | None
    serial: int
    key_id: bytes
    digest_algorithm: AlgorithmIdentifier
    signed_attributes: tuple[Attribute, ...] | None
    signed_bytes: bytes
    algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...]

    @property
    def digest(self) -> str:
        """The canonical name of the digest algorithm; empty when it is unknown."""
        return digest_name(self.digest_algorithm)

    @property
    def certificate_name(self) -> str:
        """How the signer's certificate is named, for people."""
        if self.issuer is None:
            return f"the certificate with key identifier {self.key_id.hex()}"
        return f"the certificate number {self.serial:x} of {str(self.issuer)[:200]}"

    def is_by(self, certificate: Certificate) -> bool:
        """Whether the signer names this certificate. Anyone can name one."""
        if self.issuer is not None:
            return self.serial == certificate.serial and self.issuer == certificate.issuer
        try:
            found = certificate.key_id
        except AssayError:
            return False
        if not found:
            import hashlib

            # RFC 5280 section 4.2.1.2, method 1, where the certificate does not say
            found = hashlib.sha1(certificate.key_bits, usedforsecurity=False).digest()
        return bool(self.key_id) and self.key_id == found

    def unsigned(self, *names: str) -> tuple[bytes, ...]:
        """The encoded values of the unsigned attributes with these object identifiers."""
        return tuple(
            value
            for attribute in self.unsigned_attributes
            if attribute.oid in names
            for value in attribute.values
        )

    @property
    def timestamps(self) -> tuple[bytes, ...]:
        """Time stamp tokens over the signature (RFC 3161 appendix A), encoded."""
        return self.unsigned(oids.TIMESTAMP_TOKEN, oids.MICROSOFT_TIMESTAMP)

    @cached_property
    def countersignatures(self) -> tuple[SignerInfo, ...]:
        """Signatures over this signature (RFC 5652 section 11.4). Raises AssayError."""
        found = []
        for value in self.unsigned(oids.COUNTERSIGNATURE)[: limits.CMS_SIGNERS]:
            cursor = Der(value, codes.SIGNATURE_MALFORMED)
            found.append(_signer(cursor, cursor.take(SEQUENCE)))
        return tuple(found)


class SignedData(Struct, frozen=True):
    """A content that some have signed, which is inside (``content``) or elsewhere (None).

    ``content`` is what is digested: the content octets of the one element in there, whose tag is
    ``content_tag`` and which start at ``content_start`` of the encoding. ``wrapped`` says that a
    ContentInfo is around it. Certificates that cannot be read are left out and reported in
    ``unreadable``; revocation lists are encoded.
    """

    version: int
    wrapped: bool
    digest_algorithms: tuple[AlgorithmIdentifier, ...]
    content_type: str
    content: bytes | None
    content_tag: int
    content_start: int
    certificates: tuple[Certificate, ...]
    lists: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]
    unreadable: tuple[Finding, ...]


def read_file(data: bytes) -> SignedData:
    """Signed data in DER or in one PEM block. Raises AssayError (signature-malformed)."""
    if data[:1] == b"\x30":
        return read_signed_data(data)
    found = list(pem.blocks(data, codes.SIGNATURE_MALFORMED))
    if len(found) != 1 or found[0].label not in PEM_LABELS:
        raise _malformed(f"expected one PEM block, {' or '.join(PEM_LABELS)}")
    return read_signed_data(found[0].data)


def read_signed_data(data: bytes) -> SignedData:
    """Signed data in DER, with ContentInfo around it or (as UEFI has it) without. Raises AssayError
    (signature-malformed, with the offset)."""
    outer = Der(data, codes.SIGNATURE_MALFORMED)
    body = outer.enter()
    outer.finish()
    wrapped = body.peek() != INTEGER
    if not wrapped:
        return _signed_data(body, wrapped=False)
    kind = body.oid()
    if kind != oids.SIGNED_DATA:
        raise body.fail(f"{oids.name(kind)}, which holds no signature")
    explicit = body.enter(context(0))
    body.finish()
    inside = explicit.enter()
    explicit.finish()
    return _signed_data(inside, wrapped=True)


def _signed_data(body: Der, *, wrapped: bool) -> SignedData:
    version = body.integer(most=1)
    if version not in (1, 3, 4, 5):
        raise body.fail(f"signed data of version {version}")
    algorithms: list[AlgorithmIdentifier] = []
    inside = body.enter(SET)
    while inside.more:
        if len(algorithms) >= limits.CMS_SIGNERS:
            raise inside.fail("too many digest algorithms")
        algorithms.append(read_identifier(inside))
    content_type, element = _content(body)
    certificates, unreadable = _certificates(body)
    lists = body.enter_optional(context(1))
    crls = tuple(each.encoded for each in _members(lists, "revocation lists")) if lists else ()
    signers = body.enter(SET)
    found = [_signer(signers, each) for each in _members(signers, "signers", limits.CMS_SIGNERS)]
    body.finish()
    return SignedData(
        version=version,
        wrapped=wrapped,
        digest_algorithms=tuple(algorithms),
        content_type=content_type,
        content=element.content if element is not None else None,
        content_tag=element.tag if element is not None else 0,
        content_start=element.body if element is not None else 0,
        certificates=tuple(certificates),
        lists=crls,
        signers=tuple(found),
        unreadable=tuple(unreadable),
    )


def _members(cursor: Der, what: str, most: int = limits.CMS_CERTIFICATES) -> list[Element]:
    found: list[Element] = []
    while cursor.more:
        if len(found) >= most:
            raise cursor.fail(f"more than {most} {what}")
        found.append(cursor.any())
    return found


def _content(body: Der) -> tuple[str, Element | None]:
    """EncapsulatedContentInfo. In PKCS#7 the content may be an element of any kind."""
    inside = body.enter()
    content_type = inside.oid()
    explicit = inside.enter_optional(context(0))
    inside.finish()
    if explicit is None:
        return content_type, None
    element = explicit.any()
    explicit.finish()
    if content_type == oids.DATA and element.tag != OCTET_STRING:
        raise explicit.fail("data that is no OCTET STRING in one piece", element.start)
    return content_type, element


def _certificates(body: Der) -> tuple[list[Certificate], list[Finding]]:
    """The certificates. Those of other kinds than X.509 (attribute certificates) are left out."""
    inside = body.enter_optional(context(0))
    found: list[Certificate] = []
    unreadable: list[Finding] = []
    for element in _members(inside, "certificates") if inside is not None else ():
        if element.tag != SEQUENCE:
            continue
        try:
            found.append(read_certificate(element.encoded))
        except AssayError as error:
            unreadable.append(error.finding)
    return found, unreadable


def _signer(cursor: Der, element: Element) -> SignerInfo:
    if element.tag != SEQUENCE:
        raise cursor.fail("a signer that is no SEQUENCE", element.start)
    body = cursor.within(element)
    version = body.integer(most=1)
    issuer, serial, key_id = None, 0, b""
    if body.peek() == SEQUENCE:
        named = body.enter()
        issuer, serial = read_name(named), named.integer()
        named.finish()
    else:
        key_id = body.octets(context(0, constructed=False))
    if version != (3 if issuer is None else 1):
        raise body.fail(f"a signer of version {version} that names its certificate otherwise")
    digest_algorithm = read_identifier(body)
    signed, signed_bytes = None, b""
    attributes = body.optional(context(0))
    if attributes is not None:
        signed = _attributes(body, attributes, ordered=True)
        signed_bytes = encode(SET, attributes.content)
    algorithm = read_identifier(body)
    signature = body.octets()
    attributes = body.optional(context(1))
    unsigned = _attributes(body, attributes) if attributes is not None else ()
    body.finish()
    return SignerInfo(
        version=version,
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest_algorithm=digest_algorithm,
        signed_attributes=signed,
        signed_bytes=signed_bytes,
        algorithm=algorithm,
        signature=signature,
        unsigned_attributes=unsigned,
    )


def _attributes(cursor: Der, element: Element, *, ordered: bool = False) -> tuple[Attribute, ...]:
    """Attributes. What is signed is their DER encoding, and in DER a SET OF is in order (X.690
    section 11.6): another order would be a second way to write the same signature."""
    inside = cursor.within(element)
    found: list[Attribute] = []
    before = b""
    for each in _members(inside, "attributes", limits.CMS_ATTRIBUTES):
        if each.tag != SEQUENCE:
            raise inside.fail("an attribute that is no SEQUENCE", each.start)
        if ordered and each.encoded < before:
            raise inside.fail("signed attributes that are not in DER order", each.start)
        before = each.encoded
        attribute = inside.within(each)
        oid = attribute.oid()
        values = attribute.enter(SET)
        attribute.finish()
        members = _members(values, "values", limits.CMS_ATTRIBUTES)
        found.append(Attribute(oid, tuple(value.encoded for value in members)))
    if not found:
        raise inside.fail("an empty list of attributes", element.start)
    return tuple(found)


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.SIGNATURE_MALFORMED, detail=detail))

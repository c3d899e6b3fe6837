"""Certificate revocation lists (RFC 5280 section 5): read strictly, and not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from msgspec import Struct

from assay import limits
from assay.asn1 import pem
from assay.asn1.der import ENUMERATED, GENERALIZED_TIME, INTEGER, SEQUENCE, Der, context, encode
from assay.model.codes.x509 import CRL_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.algorithms import AlgorithmIdentifier, read_identifier
from assay.x509.certificate import Extension, distribution_point_names, read_extensions
from assay.x509.names import Name, read_name

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""By number (RFC 5280 section 5.3.1)."""


class Revoked(Struct, frozen=True):
    """One certificate that a list names."""

    serial: int
    date: datetime
    reason: str


class Scope(Struct, frozen=True):
    """What an issuing distribution point says that a list is about (RFC 5280 section 5.2.5)."""

    names: frozenset[bytes] = frozenset()
    only_users: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    only_some_reasons: bool = False
    indirect: bool = False


class RevocationList(Struct, frozen=True, dict=True, eq=False):
    """A revocation list as it is written. Properties that read an extension raise AssayError
    (crl-malformed)."""

    tbs: bytes
    algorithm: AlgorithmIdentifier
    issuer: Name
    this_update: datetime
    next_update: datetime | None
    entries: bytes
    extensions: dict[str, Extension]
    signature: bytes

    @property
    def number(self) -> int:
        """The list's own number; -1 when it has none."""
        return self._number(oids.CRL_NUMBER)

    @property
    def base_number(self) -> int:
        """The number of the complete list that this one changes; -1 when it is complete itself."""
        return self._number(oids.DELTA_CRL)

    def _number(self, oid: str) -> int:
        extension = self.extensions.get(oid)
        if extension is None:
            return -1
        cursor = Der(extension.value, CRL_MALFORMED)
        number = cursor.integer()
        cursor.finish()
        if number < 0:
            raise cursor.fail("a negative number", 0)
        return number

    @cached_property
    def scope(self) -> Scope:
        """What the list is about; everything that the issuer issued when it does not say."""
        extension = self.extensions.get(oids.ISSUING_DISTRIBUTION_POINT)
        if extension is None:
            return Scope()
        cursor = Der(extension.value, CRL_MALFORMED)
        inside = cursor.enter()
        cursor.finish()
        point = inside.enter_optional(context(0))
        names = frozenset(distribution_point_names(point))
        if point is not None and not names:
            raise inside.fail("a distribution point without a full name", 0)

        def flag(number: int) -> bool:
            element = inside.optional(context(number, constructed=False))
            return element is not None and element.content != b"\x00"

        users, authorities, reasons = flag(1), flag(2), flag(3)
        indirect, attributes = flag(4), flag(5)
        inside.finish()
        return Scope(names, users, authorities, attributes, reasons, indirect)

    def find(self, serial: int) -> Revoked | None:
        """The entry for a certificate of the issuer. Raises AssayError."""
        # Lists run to many thousands of entries, and nearly none is about the one that is asked
        # for: where the number does not occur at all, no entry has to be read.
        size = max(1, (serial.bit_length() + 8) // 8)
        if encode(INTEGER, serial.to_bytes(size, "big", signed=True)) not in self.entries:
            return None
        return next((entry for entry in self._all() if entry.serial == serial), None)

    def _all(self) -> Iterator[Revoked]:
        cursor = Der(self.entries, CRL_MALFORMED)
        while cursor.more:
            entry = cursor.enter()
            serial, date, reason = entry.integer(), entry.time(), "unspecified"
            if entry.more:
                reason = _reason(read_extensions(entry))
            entry.finish()
            yield Revoked(serial, date, reason)


def _reason(extensions: dict[str, Extension]) -> str:
    extension = extensions.get(oids.CRL_REASON)
    if extension is None:
        return "unspecified"
    cursor = Der(extension.value, CRL_MALFORMED)
    number = cursor.integer(ENUMERATED, most=1)
    cursor.finish()
    return REASONS.get(number, f"reason {number}")


def read_crl(data: bytes) -> RevocationList:
    """A list in DER. Raises AssayError (crl-malformed, with the offset)."""
    outer = Der(data, CRL_MALFORMED)
    inside = outer.enter()
    outer.finish()
    tbs = inside.take(SEQUENCE)
    outer_algorithm = read_identifier(inside)
    signature = inside.whole_bits()
    inside.finish()

    body = inside.within(tbs)
    version = body.integer(most=1) + 1 if body.peek() == INTEGER else 1
    if version not in (1, 2):
        raise body.fail(f"revocation list version {version}", tbs.body)
    algorithm = read_identifier(body)
    if algorithm.encoded != outer_algorithm.encoded:
        raise body.fail("two different signature algorithms")
    issuer = read_name(body)
    this_update = body.time()
    next_update = body.time() if body.peek() in (0x17, GENERALIZED_TIME) else None
    entries = body.optional(SEQUENCE)
    extensions: dict[str, Extension] = {}
    wrapped = body.enter_optional(context(0))
    if wrapped is not None:
        extensions = read_extensions(wrapped)
        wrapped.finish()
    body.finish()
    return RevocationList(
        tbs=tbs.encoded,
        algorithm=algorithm,
        issuer=issuer,
        this_update=this_update,
        next_update=next_update,
        entries=entries.content if entries is not None else b"",
        extensions=extensions,
        signature=signature,
    )


def read_crls(data: bytes) -> list[RevocationList]:
    """The lists in a file: one in DER, or any number in PEM. Raises AssayError."""
    if data[:1] == b"\x30":
        return [read_crl(data)]
    found = [
        read_crl(block.data)
        for block in pem.blocks(data, CRL_MALFORMED)
        if block.label == "X509 CRL"
    ]
    if not found:
        raise AssayError(Finding.of(CRL_MALFORMED, detail="no revocation list is in the file"))
    if len(found) > limits.CRLS:
        raise AssayError(Finding.of(CRL_MALFORMED, detail=f"more than {limits.CRLS} lists"))
    return found

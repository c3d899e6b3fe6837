"""UEFI signature databases as anchors: programs that are signed below a certificate in ``db``
count, unless ``dbx`` forbids them.

This is stricter than firmware (UEFI Specification, section 32.5.3.3): a signature does not count if
any certificate that it brings along, or that one of these leads to, is forbidden, whenever it was.
Whether a machine boots an image is another question: `assay boot check` answers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.asn1 import pem
from assay.cms.signed_data import SignedData
from assay.formats.pe.indirect_data import read_indirect_data
from assay.model.codes import policy as codes
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.measurement import Request
from assay.model.signature import PreparedSignature, Status
from assay.policy.material import Piece
from assay.policy.trusted import Trusted
from assay.trust.documents import SignedDocument
from assay.trust.requirements import Judged
from assay.uefi.authentication import looks_like_update, read_update
from assay.uefi.efivarfs import looks_like_variable
from assay.uefi.revocation import revocation_of
from assay.uefi.signature_list import Kind, SignatureList, looks_like_lists, read_lists
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.signing import signature_fault

SCHEMES = ("authenticode",)


class Database(Struct, frozen=True):
    """What a database holds: certificates, digests of programs, and digests of the to-be-signed
    parts of certificates; digests by algorithm."""

    certificates: tuple[Certificate, ...] = ()
    programs: frozenset[tuple[str, bytes]] = frozenset()
    of_certificates: frozenset[tuple[str, bytes]] = frozenset()

    def __or__(self, other: Database) -> Database:
        return Database(
            (*self.certificates, *other.certificates),
            self.programs | other.programs,
            self.of_certificates | other.of_certificates,
        )


def read_database(piece: Piece) -> Database:
    """A database: signature lists, a file of efivarfs, an update, or certificates. An entry that
    cannot be read makes the whole unusable: what it would forbid is not known. Raises
    UsageError."""
    try:
        return _of_lists(_lists(piece.data, piece.name))
    except AssayError as error:
        raise UsageError(f"{piece.name}: {error.finding.detail}") from error


def _lists(data: bytes, name: str) -> tuple[SignatureList, ...] | tuple[Certificate, ...]:
    if looks_like_update(data):
        return read_lists(data[read_update(data, name).content_start :], name)
    if looks_like_lists(data, len(data)):
        return read_lists(data, name)
    if looks_like_variable(data, len(data)):
        return read_lists(data[4:], name)
    if data[:1] == b"\x30":
        return (read_certificate(data),)
    if b"-----BEGIN CERTIFICATE-----" in data:
        blocks = pem.blocks(data, CERTIFICATE_MALFORMED)
        return tuple(read_certificate(block.data) for block in blocks)
    raise UsageError(f"{name}: no signature lists, no variable, no update and no certificate")


def _of_lists(lists: Sequence[SignatureList | Certificate]) -> Database:
    certificates: list[Certificate] = []
    programs: set[tuple[str, bytes]] = set()
    of_certificates: set[tuple[str, bytes]] = set()
    for each in lists:
        if isinstance(each, Certificate):
            certificates.append(each)
            continue
        known = each.known
        for entry in each.entries:
            if known.kind is Kind.CERTIFICATE:
                certificates.append(read_certificate(entry.data))
            elif known.kind is Kind.HASH:
                programs.add((known.algorithm, entry.data))
            elif known.kind is Kind.CERTIFICATE_HASH:
                of_certificates.add((known.algorithm, revocation_of(entry).digest))
    return Database(tuple(certificates), frozenset(programs), frozenset(of_certificates))


class ByFirmware(Trusted, frozen=True, kw_only=True):
    """Programs signed below the certificates of a database, but those that ``forbidden`` has."""

    forbidden: Database

    def concerns(self, prepared: PreparedSignature, document: SignedDocument | None) -> bool:
        return prepared.signature.scheme in SCHEMES

    def verify(
        self,
        prepared: PreparedSignature,
        document: SignedDocument | None,
        answers: Mapping[Request, Any],
        at: datetime,
    ) -> Judged:
        judged = super().verify(prepared, document, answers, at)
        outcome = judged.outcome
        fault = self._fault_of_program(prepared) if outcome.vouchers else ""
        if not fault:
            return judged
        found = Finding.of(
            codes.ANCHOR_OUT_OF_FORCE,
            prepared.signature.document,
            f"{self.anchor.name}, {prepared.signature.id}: {fault}",
        )
        return Judged(
            replace(
                outcome,
                status=Status.NOT_VALID_NOW,
                vouchers=(),
                findings=(*outcome.findings, found),
            )
        )

    def _fault_of_program(self, prepared: PreparedSignature) -> str:
        """Why the program is forbidden; empty where it is not."""
        signed = getattr(prepared, "signed_data", None)
        if not isinstance(signed, SignedData):
            return "its certificates cannot be compared with what is forbidden"
        try:
            digest = read_indirect_data(signed).digest
        except AssayError as error:
            return error.finding.detail
        if (digest.algorithm, digest.value) in self.forbidden.programs:
            return f"the program {digest} is forbidden"
        others = {algorithm for algorithm, _ in self.forbidden.programs} - {digest.algorithm}
        if others:
            return (
                f"forbidden programs are listed by {others.pop()}, it is signed by another digest"
            )
        for certificate in self._reached(signed.certificates):
            if certificate in self.forbidden.certificates:
                return f"the certificate {certificate} is forbidden"
            for algorithm, value in self.forbidden.of_certificates:
                if hashlib.new(algorithm, certificate.tbs).digest() == value:
                    return f"the certificate {certificate} is forbidden"
        return ""

    def _reached(self, certificates: Sequence[Certificate]) -> Iterator[Certificate]:
        """Certificates, and all that they lead to."""
        mine = [each for key in self.keys if key.scheme == "ca" for each in key.material]
        known = dict.fromkeys((*mine, *self.forbidden.certificates))
        found = list(dict.fromkeys(certificates))
        for certificate in found:
            yield certificate
            if len(found) > limits.PATH_CHECKS:
                return
            found += [
                each
                for each in known
                if each not in found
                and each.subject == certificate.issuer
                and signature_fault(certificate, each, legacy=True) is None
            ]

"""CMS signature files, and documents inside of a signature, as prepared signatures."""

from __future__ import annotations

from msgspec.structs import replace

from assay.asn1 import pem
from assay.cms import oids
from assay.cms.signed_data import SignedData, read_file
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import InlineSigned, PreparedSignature, Signature
from assay.signatures.cms.signer import SCHEME, CmsSignature


def prepare(
    data: bytes, document: str, signature_id: str, alternatives: str
) -> list[PreparedSignature]:
    """One signature for each signer. Raises AssayError (signature-malformed)."""
    return _prepared(_read(data, signature_id), document, signature_id, alternatives)


def inline(data: bytes, document: str, signature_id: str) -> InlineSigned | None:
    """The document inside of a signature, if there is one. Raises AssayError
    (signature-malformed)."""
    signed = _read(data, signature_id)
    if signed.content is None or signed.content_type != oids.DATA:
        return None
    prepared = _prepared(signed, document, signature_id, "")
    return InlineSigned(signed.content, tuple(prepared), _outside(data))


def _read(data: bytes, signature_id: str) -> SignedData:
    try:
        signed = read_file(data)
        if not signed.signers:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_MALFORMED,
                    detail="there are certificates in it, and no signature",
                )
            )
    except AssayError as error:
        raise AssayError(
            replace(
                error.finding,
                component=signature_id,
                detail=f"{signature_id}: {error.finding.detail}",
            )
        ) from error
    return signed


def _prepared(
    signed: SignedData, document: str, signature_id: str, alternatives: str
) -> list[PreparedSignature]:
    several = len(signed.signers) > 1
    found: list[PreparedSignature] = []
    for number, signer in enumerate(signed.signers):
        mark = f"[{number}]" if several else ""
        # Each signer is an alternative on its own: that one fits a document does not settle
        # whether the other does.
        group = alternatives + mark if alternatives else ""
        found.append(
            CmsSignature(
                signed, signer, Signature(f"{signature_id}{mark}", SCHEME, document, group)
            )
        )
    return found


def _outside(data: bytes) -> int:
    """Bytes of text around a PEM block."""
    if data[:1] == b"\x30":
        return 0
    [block] = pem.blocks(data, codes.SIGNATURE_MALFORMED)
    end = data.index(b"\n-----END ", block.offset) + len(f"\n-----END {block.label}-----")
    return len(data[: block.offset].strip()) + len(data[end:].strip())

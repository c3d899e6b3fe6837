"""The section ``.pcrsig`` (UAPI.5, "JSON Format for .pcrsig"): for each bank a list of signatures
of policies that ask for values of PCR 11; and ``.pcrpkey``, the key that they are by."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits, strict_base64, strict_json
from assay.asn1 import pem
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_spki
from assay.model.codes import uki as codes
from assay.model.finding import AssayError, Finding
from assay.tcg.unified_kernel import BANKS, PCR


class PcrSignature(Struct, frozen=True):
    """One signature: of ``policy`` (TPM2_PolicyPCR over the bank), by the key with this
    ``fingerprint`` (`assay.formats.uki.judge.fingerprint_of`). ``place`` says where it stands."""

    bank: str
    place: str
    fingerprint: str
    policy: bytes
    value: bytes


def parse_signatures(data: bytes, where: str) -> tuple[PcrSignature, ...]:
    """The signatures. Raises AssayError (pcr-signature-malformed, or as `strict_json` does)."""
    found: list[PcrSignature] = []
    for bank, entries in strict_json.parse_object(data.rstrip(b"\0"), where).items():
        if bank not in BANKS:
            raise _malformed(where, f"there is no bank {bank[:40]!r}")
        if not isinstance(entries, list):
            raise _malformed(where, f"{bank} is no list")
        for number, entry in enumerate(entries):
            found.append(_entry(entry, bank, f"{bank}[{number}]", where))
            if len(found) > limits.PCR_SIGNATURES:
                raise _malformed(where, f"more than {limits.PCR_SIGNATURES} signatures")
    return tuple(found)


def _entry(entry: Any, bank: str, place: str, where: str) -> PcrSignature:
    if not isinstance(entry, dict):
        raise _malformed(where, f"{place} is no object")
    if entry.get("pcrs") != [PCR]:
        raise _malformed(where, f"{place} is not for PCR {PCR} alone")
    texts = [entry.get(name) for name in ("pkfp", "pol", "sig")]
    if not all(isinstance(text, str) and text.isascii() for text in texts):
        raise _malformed(where, f"{place} has no pkfp, pol and sig")
    fingerprint, policy, value = (str(text) for text in texts)
    signature = strict_base64.decode(value.encode())
    try:
        digest, named = bytes.fromhex(policy), bytes.fromhex(fingerprint)
    except ValueError:
        raise _malformed(where, f"{place} has a pkfp or pol that is not hexadecimal") from None
    if len(digest) != 32 or len(named) != 32 or not signature:
        raise _malformed(where, f"{place} has a pkfp, pol or sig of another length")
    return PcrSignature(bank, place, named.hex(), digest, signature)


def parse_key(data: bytes, where: str) -> PublicKey:
    """The key in ``.pcrpkey``. Raises AssayError (pcr-signature-malformed, or as `read_spki`)."""
    blocks = list(pem.blocks(data.rstrip(b"\0"), codes.PCR_SIGNATURE_MALFORMED))
    if len(blocks) != 1 or blocks[0].label != "PUBLIC KEY":
        raise _malformed(where, "it is not one public key in PEM")
    return read_spki(blocks[0].data, "the key in .pcrpkey")


def _malformed(where: str, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.PCR_SIGNATURE_MALFORMED, where, detail))

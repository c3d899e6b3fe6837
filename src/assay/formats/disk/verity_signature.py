"""Verity signature partitions (UAPI.2): a JSON object with a root hash and a signature of it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from assay import limits, strict_base64, strict_json
from assay.model.codes import verity as codes
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span

_KNOWN = ("rootHash", "signature", "certificateFingerprint")
_LENGTHS = (20, 28, 32, 48, 64)


class VeritySignature(Struct, frozen=True):
    """What a partition says. ``hash_span`` is where the text of the root hash stands, which is what
    is signed; ``end`` is where the JSON ends. ``only_known`` says that there is nothing in it that
    the specification does not have. Nothing here is believed."""

    untrusted_root: bytes
    hash_span: Span
    signature: bytes
    untrusted_fingerprint: str
    end: int
    only_known: bool


def parse_verity_signature(data: bytes) -> VeritySignature:
    """Read a partition's content. Raises AssayError (verity-signature-malformed, malformed)."""
    text = data.rstrip(b"\0")
    if b"\0" in text:
        raise _refuse("data stands behind the JSON", text.index(b"\0"))
    if len(text) > limits.VERITY_SIGNATURE_SIZE:
        raise _refuse(f"{len(text)} bytes of JSON", 0)
    value = strict_json.parse_object(text, "")
    strict_json.check_keys(value, _KNOWN, "")
    root = _hex(value, "rootHash")
    if len(root) // 2 not in _LENGTHS:
        raise _refuse(f"a root hash of {len(root)} digits", text.find(b'"rootHash"'))
    # the value is hex, so it stands there as it is, unless somebody wrote it with escapes
    found = re.findall(rb'"rootHash"[ \t\r\n]*:[ \t\r\n]*"' + root.encode() + b'"', text)
    if len(found) != 1:
        raise _refuse("the root hash is not written plainly", text.find(b'"rootHash"'))
    start = text.index(found[0]) + len(found[0]) - 1 - len(root)
    signature = strict_base64.decode(_text(value, "signature").encode("utf-8", "replace"))
    if not signature:
        raise _refuse("the signature is not in base64", text.find(b'"signature"'))
    fingerprint = _hex(value, "certificateFingerprint") if _KNOWN[2] in value else ""
    if fingerprint and len(fingerprint) != 64:
        raise _refuse(
            "the fingerprint is not one of SHA-256", text.find(b'"certificateFingerprint"')
        )
    return VeritySignature(
        bytes.fromhex(root),
        (start, start + len(root)),
        signature,
        fingerprint,
        len(text),
        set(value) <= set(_KNOWN),
    )


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise _refuse(f"there is no {name}, or it is no text", 0)
    return found


def _hex(value: dict[str, Any], name: str) -> str:
    found = _text(value, name)
    if len(found) % 2 or not re.fullmatch("[0-9a-f]+", found):
        raise _refuse(f"the {name} is not in lower-case hexadecimal", 0)
    return found


def _refuse(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.VERITY_SIGNATURE_MALFORMED, detail=detail, offset=max(offset, 0))
    )

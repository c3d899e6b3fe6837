"""The JWS form of a Notary signature: flattened JSON (RFC 7515 section 7.2.2; notaryproject/
specifications, signature-envelope-jws.md)."""

from __future__ import annotations

from typing import Any

from assay import strict_base64, strict_json
from assay.model.finding import AssayError
from assay.signatures.notary.envelope import (
    AUTHENTIC_SIGNING_TIME,
    EXPIRY,
    PREFIX,
    SIGNING_SCHEME,
    SIGNING_TIME,
    TIMESTAMP,
    Envelope,
    build,
    malformed,
)

_MEMBERS = ("payload", "protected", "header", "signature")
_PROTECTED = ("alg", "crit", "cty", SIGNING_SCHEME, SIGNING_TIME, AUTHENTIC_SIGNING_TIME, EXPIRY)
_UNPROTECTED = ("x5c", TIMESTAMP)


def looks_like(data: bytes) -> bool:
    """Whether bytes are such an envelope, be it a broken one. Cheap, raises nothing."""
    if data.lstrip()[:1] != b"{" or b'"protected"' not in data or b'"payload"' not in data:
        return False
    try:
        value = strict_json.parse_object(data, "")
        headers = _decoded(value, "protected")
    except AssayError:
        return b'"x5c"' in data or PREFIX.encode() in data
    return b"cncf.notary." in headers


def parse_jws(data: bytes) -> Envelope:
    """Read an envelope. Raises AssayError (signature-malformed)."""
    value = _object(data, "the top")
    _check_names(value, _MEMBERS, "the top")
    if strange := sorted(value.keys() - set(_MEMBERS)):
        raise malformed(f"the member {strange[0][:40]!r}, which does not belong there")
    payload, encoded = _decoded(value, "payload"), _decoded(value, "protected")
    protected = _object(encoded, "the protected header")
    _check_names(protected, _PROTECTED, "the protected header")
    header = value.get("header")
    if not isinstance(header, dict):
        raise malformed("the unprotected header is missing")
    _check_names(header, _UNPROTECTED, "the unprotected header")
    if both := sorted(protected.keys() & header.keys()):
        raise malformed(f"the header {both[0][:80]} is there twice, signed and unsigned")
    return build(
        "JWS",
        protected,
        payload=payload,
        signed=f"{value['protected']}.{value['payload']}".encode(),
        signature=_decoded(value, "signature"),
        chain=_chain(header),
        timestamp=_standard(header[TIMESTAMP], TIMESTAMP) if TIMESTAMP in header else b"",
    )


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        return strict_json.parse_object(data, "")
    except AssayError as error:
        raise malformed(f"{what}: {error.finding.detail}", error.finding.offset) from error


def _check_names(value: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    """Other readers take names that differ in case for the same (Go's decoder)."""
    try:
        strict_json.check_keys(value, known, what)
    except AssayError as error:
        raise malformed(error.finding.detail) from error


def _decoded(value: dict[str, Any], name: str) -> bytes:
    """A member in base64url without padding (RFC 7515 section 2)."""
    text = value.get(name)
    raw = None
    if isinstance(text, str) and text.isascii():
        raw = strict_base64.decode(text.encode(), url_safe=True, padded=False)
    if raw is None:
        raise malformed(f"{name} is {'not base64url' if name in value else 'missing'}")
    return raw


def _standard(text: Any, name: str) -> bytes:
    """Base64 as certificates are written in (RFC 7515 section 4.1.6)."""
    raw = None
    if isinstance(text, str) and text.isascii():
        raw = strict_base64.decode(text.encode())
    if not raw:
        raise malformed(f"the header {name} is not base64")
    return raw


def _chain(header: dict[str, Any]) -> list[bytes]:
    chain = header.get("x5c")
    if not isinstance(chain, list):
        raise malformed("the certificates (x5c) are missing")
    return [_standard(each, "x5c") for each in chain]

"""The COSE form of a Notary signature: COSE_Sign1 (RFC 9052 section 4.2; notaryproject/
specifications, signature-envelope-cose.md)."""

from __future__ import annotations

from typing import Any

from assay import strict_cbor
from assay.model.finding import AssayError
from assay.signatures.notary.envelope import TIMESTAMP, Envelope, build, malformed
from assay.strict_cbor import Tagged

_SIGN1 = 18
_FIRST_BYTE = b"\xd2"
_X5CHAIN = 33
"""RFC 9360 section 2."""
_LABELS = {1: "alg", 2: "crit", 3: "cty"}
"""RFC 9052 section 3.1, by their names in JWS."""
_ALGORITHMS = {-37: "PS256", -38: "PS384", -39: "PS512", -7: "ES256", -35: "ES384", -36: "ES512"}
_CONTEXT = b"\x84\x6aSignature1"
"""The head of Sig_structure (RFC 9052 section 4.4): an array of four, and what the first is."""


def looks_like(data: bytes) -> bool:
    """Whether bytes are such an envelope, be it a broken one. Cheap, raises nothing."""
    return data[:1] == _FIRST_BYTE and b"cncf.notary." in data


def parse_cose(data: bytes) -> Envelope:
    """Read an envelope. Raises AssayError (signature-malformed)."""
    top = _parsed(data, "the top")
    if not isinstance(top, Tagged) or top.tag != _SIGN1:
        raise malformed("it is not tagged as COSE_Sign1")
    parts = top.value
    if not isinstance(parts, list) or len(parts) != 4:
        raise malformed("it is not the four parts of COSE_Sign1")
    encoded, unprotected, payload, signature = parts
    if not isinstance(encoded, bytes) or not isinstance(signature, bytes):
        raise malformed("its parts are not those of COSE_Sign1")
    if not isinstance(payload, bytes):
        raise malformed("the payload is not in it")
    if not isinstance(unprotected, dict):
        raise malformed("the unprotected header is not a map")
    labels = _parsed(encoded, "the protected header")
    if not isinstance(labels, dict):
        raise malformed("the protected header is not a map")
    if both := [label for label in labels if label in unprotected]:
        raise malformed(f"the header {str(both[0])[:80]} is there twice, signed and unsigned")
    timestamp = unprotected.get(TIMESTAMP, b"")
    if not isinstance(timestamp, bytes) or (TIMESTAMP in unprotected and not timestamp):
        raise malformed(f"the header {TIMESTAMP} is not bytes")
    return build(
        "COSE",
        _named(labels),
        payload=payload,
        signed=b"".join((_CONTEXT, _bytes(encoded), _bytes(b""), _bytes(payload))),
        signature=signature,
        chain=_chain(unprotected),
        timestamp=timestamp,
    )


def _parsed(data: bytes, what: str) -> Any:
    try:
        return strict_cbor.parse(data, "")
    except AssayError as error:
        raise malformed(f"{what}: {error.finding.detail}", error.finding.offset) from error


def _named(labels: dict[Any, Any]) -> dict[str, Any]:
    """The protected headers by the names that they have in JWS. Text that spells the name of a
    numbered header is another header."""
    found: dict[str, Any] = {}
    for label, value in labels.items():
        found[_name(label)] = value
    algorithm = found.get("alg")
    if isinstance(algorithm, int) and not isinstance(algorithm, bool):
        found["alg"] = _ALGORITHMS.get(algorithm, str(algorithm))
    elif algorithm is not None:
        found["alg"] = "an algorithm without a number"
    if isinstance(found.get("crit"), list):
        found["crit"] = [_name(label) for label in found["crit"]]
    return found


def _name(label: Any) -> str:
    if isinstance(label, int) and not isinstance(label, bool):
        return _LABELS.get(label, f"number {label}")
    if isinstance(label, str):
        return label if label not in _LABELS.values() else f"text {label}"
    raise malformed("a header's label is neither a number nor text")


def _chain(unprotected: dict[Any, Any]) -> list[bytes]:
    """One certificate stands by itself, several in a list (RFC 9360 section 2)."""
    found = unprotected.get(_X5CHAIN)
    chain = [found] if isinstance(found, bytes) else found
    if not isinstance(chain, list) or not all(isinstance(each, bytes) for each in chain):
        raise malformed("the certificates (x5chain) are missing")
    return chain


def _bytes(value: bytes) -> bytes:
    """A byte string in its shortest form (RFC 8949 section 4.2.1)."""
    size = len(value)
    if size < 24:
        return bytes((0x40 | size,)) + value
    for information, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if size < 1 << (8 * width):
            return bytes((0x40 | information,)) + size.to_bytes(width) + value
    raise malformed("it is too large")

"""The COSE form of a Notary signature: COSE_Sign1 (RFC 9052 section 4.2; notaryproject/
specifications, signature-envelope-cose.md)."""

from __future__ import annotations

from typing import Any

from assay import strict_cbor
from assay.canonical_cbor import encode
from assay.model.finding import AssayError
from assay.signatures.notary.envelope import TIMESTAMP, Envelope, build, malformed
from assay.strict_cbor import Tagged

SIGN1 = 18
_FIRST_BYTE = b"\xd2"
X5CHAIN = 33
"""RFC 9360 section 2."""
LABELS = {"alg": 1, "crit": 2, "cty": 3}
"""RFC 9052 section 3.1, by their names in JWS."""
ALGORITHM_NUMBERS = {
    "PS256": -37,
    "PS384": -38,
    "PS512": -39,
    "ES256": -7,
    "ES384": -35,
    "ES512": -36,
}
_NAMES = {number: name for name, number in LABELS.items()}
_ALGORITHMS = {number: name for name, number in ALGORITHM_NUMBERS.items()}
_CONTEXT = "Signature1"
"""Of Sig_structure (RFC 9052 section 4.4)."""


def looks_like(data: bytes) -> bool:
    """Whether bytes are such an envelope, be it a broken one. Cheap, raises nothing."""
    return data[:1] == _FIRST_BYTE and b"cncf.notary." in data


def parse_cose(data: bytes) -> Envelope:
    """Read an envelope. Raises AssayError (signature-malformed)."""
    top = _parsed(data, "the top")
    if not isinstance(top, Tagged) or top.tag != SIGN1:
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
        signed=encode([_CONTEXT, encoded, b"", payload]),
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
        return _NAMES.get(label, f"number {label}")
    if isinstance(label, str):
        return label if label not in LABELS else f"text {label}"
    raise malformed("a header's label is neither a number nor text")


def _chain(unprotected: dict[Any, Any]) -> list[bytes]:
    """One certificate stands by itself, several in a list (RFC 9360 section 2)."""
    found = unprotected.get(X5CHAIN)
    chain = [found] if isinstance(found, bytes) else found
    if not isinstance(chain, list) or not all(isinstance(each, bytes) for each in chain):
        raise malformed("the certificates (x5chain) are missing")
    return chain

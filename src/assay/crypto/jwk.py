"""JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037): public ones, alone or in a set."""

from __future__ import annotations

from typing import Any

from assay import strict_base64, strict_json
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_ec_point, read_ed448, read_ed25519, read_rsa
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")
_CURVE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66}


def _refused(what: str, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.KEY_MALFORMED, what, detail))


def read(data: bytes, what: str) -> list[tuple[PublicKey, str]]:
    """The signing keys in JSON, each with its ``kid`` (empty where it has none); an empty list
    for JSON that is no key. Raises AssayError as `assay.crypto.spki.read_spki`, also for private
    or shared keys."""
    document = strict_json.parse_object(data, what)
    if "kty" in document:
        return [_key(document, what)]
    entries = document.get("keys")
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and "kty" in entry for entry in entries
    ):
        return []
    return [
        _key(entry, f"{what} keys[{number}]")
        for number, entry in enumerate(entries)
        if entry.get("use", "sig") == "sig"
    ]


def _key(jwk: dict[str, Any], what: str) -> tuple[PublicKey, str]:
    if any(name in jwk for name in _PRIVATE):
        raise _refused(what, "this is a private key; give the public key that belongs to it")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise _refused(what, "the key is not one for signatures")
    kid = jwk.get("kid", "")
    curve = jwk.get("crv", "")
    match jwk["kty"]:
        case "RSA":
            modulus, exponent = (int.from_bytes(_bytes(jwk, name, what)) for name in ("n", "e"))
            key = read_rsa(modulus, exponent, what)
        case "EC" if curve in _CURVE_BYTES:
            x, y = (_bytes(jwk, name, what) for name in ("x", "y"))
            if {len(x), len(y)} != {_CURVE_BYTES[curve]}:
                raise _refused(what, f"coordinates that are not of the length of {curve}")
            key = read_ec_point(curve, b"\x04" + x + y, what)
        case "OKP" if curve in ("Ed25519", "Ed448"):
            reader = read_ed25519 if curve == "Ed25519" else read_ed448
            key = reader(_bytes(jwk, "x", what), what)
        case kind:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_UNSUPPORTED,
                    what,
                    f"a JSON Web Key of the kind {str(kind)[:40]!r}, curve {str(curve)[:40]!r}",
                )
            )
    return key, kid if isinstance(kid, str) else ""


def _bytes(jwk: dict[str, Any], name: str, what: str) -> bytes:
    text = jwk.get(name)
    raw = None
    if isinstance(text, str):
        raw = strict_base64.decode(text.encode("utf-8"), url_safe=True, padded=False)
    if not raw:
        raise _refused(what, f"{name!r} is not base64 for URLs, without padding")
    return raw

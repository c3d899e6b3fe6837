"""Fuzz target: raw signatures and plain key files of any content."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.model.finding import AssayError, UsageError
from assay.signatures.raw import SCHEME_PLUGIN


def seeds() -> Iterable[bytes]:
    """Key files in each form, and values."""
    curve = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    for encoding in (Encoding.PEM, Encoding.DER):
        yield curve.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        numbers = rsa.RSAPublicNumbers(65537, 2**2048 + 1).public_key()
        yield numbers.public_bytes(encoding, PublicFormat.PKCS1)
    raw = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    yield json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": text, "kid": "a"}]}).encode()
    yield base64.b64encode(bytes(range(256)))
    yield bytes.fromhex("3006020101020101")


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for keys, is a defect."""
    SCHEME_PLUGIN.recognise(data)
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.prepare(data, "file", "signature", "")
    with contextlib.suppress(UsageError):
        SCHEME_PLUGIN.load_keys(data, "key:1")

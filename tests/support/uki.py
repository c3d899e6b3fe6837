"""Unified kernel images built by parts, with signatures of the PCR values that they have."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from assay.tcg import unified_kernel as kernel
from tests.support.pe import Program

STUB = b"\0#### LoaderInfo: systemd-stub 258 ####\0"
TEXT = (".text", None, b"\xc3" * 512)
BASE = ((".osrel", b'ID=test\nPRETTY_NAME="Test OS"\n'), (".cmdline", b"root=/dev/vda quiet"))
LINUX = (".linux", b"not a kernel, but measured as one")


def program(*sections: tuple[str, bytes], stub: bytes = STUB, **options: Any) -> Program:
    """A stub with these sections, each padded to 512 bytes in the file."""
    made = [(".sdmagic", stub), *sections]
    sizes = {number + 1: len(data) for number, (_, data) in enumerate(made)}
    padded = [(name, None, data + bytes(-len(data) % 512)) for name, data in made]
    options.setdefault("virtual_size", {})
    options["virtual_size"] = sizes | options["virtual_size"]
    return Program(sections=[TEXT, *padded], headers_size=0x1000, **options)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    """As systemd names a key."""
    encoded = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.PKCS1
    )
    return hashlib.sha256(encoded).hexdigest()


def entry(
    key: rsa.RSAPrivateKey,
    sections: Sequence[tuple[str, bytes]],
    phases: Sequence[str] = ("enter-initrd",),
    bank: str = "sha256",
    *,
    version: int = 258,
    **changes: Any,
) -> dict[str, Any]:
    """One signature in ``.pcrsig``."""
    digests = {name: hashlib.new(bank, data).digest() for name, data in sections}
    value = kernel.pcr_11(bank, kernel.selected(digests, version), phases)
    policy = kernel.pcr_policy(bank, value)
    algorithm = hashes.SHA384() if bank == "sha384" else hashes.SHA256()
    made = {
        "pcrs": [11],
        "pkfp": fingerprint(key),
        "pol": policy.hex(),
        "sig": base64.b64encode(key.sign(policy, padding.PKCS1v15(), algorithm)).decode(),
    }
    return made | changes


def signed_values(*entries: dict[str, Any], bank: str = "sha256") -> tuple[str, bytes]:
    """The section ``.pcrsig``."""
    return ".pcrsig", json.dumps({bank: list(entries)}).encode()

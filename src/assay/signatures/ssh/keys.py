"""SSH public keys (RFC 4253 section 6.6, RFC 5656, RFC 8709; OpenSSH's PROTOCOL.u2f) and what
they confirm."""

from __future__ import annotations

import base64
import hashlib

from msgspec import Struct

from assay.crypto.algorithms import Ecdsa, EdDsa, RsaPkcs1
from assay.crypto.check import confirms
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_ec_point, read_ed25519, read_rsa
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.signatures.ssh.wire import Reader, WireError, string

SK_ED25519 = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
CERTIFICATE_SUFFIX = "-cert-v01@openssh.com"
_CURVES = {"nistp256": "P-256", "nistp384": "P-384", "nistp521": "P-521"}
_ECDSA_DIGESTS = {"nistp256": "sha256", "nistp384": "sha384", "nistp521": "sha512"}
_RSA_DIGESTS = {"rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512"}

USER_PRESENT, USER_VERIFIED = 0x01, 0x04
"""Flags of a security key's signature: it was touched; it asked for a PIN or fingerprint."""


class SshKey(Struct, frozen=True):
    """A public key. ``blob`` is its one form on the wire; ``application`` is what a security key
    was enrolled for, None for other keys."""

    type: str
    blob: bytes
    key: PublicKey
    application: bytes | None = None

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.blob)


class SshSignature(Struct, frozen=True):
    """A signature, without what it is over. ``flags`` and ``counter`` are a security key's."""

    algorithm: str
    untrusted_blob: bytes
    untrusted_flags: int = 0
    untrusted_counter: int = 0


def fingerprint_of(blob: bytes) -> str:
    """A key's name as ssh-keygen prints it (``SHA256:...``)."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=")
    return "SHA256:" + digest.decode("ascii")


def plain_type(name: str) -> str:
    """The type of the key in a certificate of the type ``name``; empty when it is none."""
    if not name.endswith(CERTIFICATE_SUFFIX):
        return ""
    base = name.removesuffix(CERTIFICATE_SUFFIX)
    return f"{base}@openssh.com" if base.startswith("sk-") else base


def read_key(blob: bytes, what: str, offset: int = 0) -> SshKey:
    """The key of a blob. Raises WireError when it is malformed, AssayError when it is weak or of
    a kind that is not supported."""
    reader = Reader(blob, offset)
    key = read_fields(reader, reader.text(), what)
    reader.finish()
    return key


def read_fields(reader: Reader, name: str, what: str) -> SshKey:
    """What follows the type ``name`` of a key, and no more. Raises as `read_key`."""
    start = reader.at
    application: bytes | None = None
    if name in ("ssh-ed25519", SK_ED25519):
        key = read_ed25519(reader.string(), what)
    elif name == "ssh-rsa":
        exponent, modulus = reader.positive(), reader.positive()
        key = read_rsa(modulus, exponent, what)
    elif name in (SK_ECDSA, *(f"ecdsa-sha2-{curve}" for curve in _CURVES)):
        curve = reader.text()
        if curve != name.removeprefix("sk-").removeprefix("ecdsa-sha2-").partition("@")[0]:
            raise reader.fail(f"the curve {curve[:40]!r} in a key of the type {name}")
        key = read_ec_point(_CURVES[curve], reader.string(), what)
    else:
        raise AssayError(
            Finding.of(
                codes.SIGNATURE_UNSUPPORTED,
                what,
                f"an SSH key of the type {name[:60]!r}",
                expected="ssh-ed25519, ecdsa-sha2-nistp*, ssh-rsa, or a security key (sk-...)",
                actual=name[:60],
            )
        )
    if name in (SK_ED25519, SK_ECDSA):
        application = reader.string()
    blob = string(name.encode("ascii")) + reader.data[start : reader.at]
    return SshKey(name, blob, key, application)


def read_signature(reader: Reader, key: SshKey, what: str) -> SshSignature:
    """A signature by ``key``. Raises WireError when it is malformed, AssayError when its algorithm
    can be forged, is not supported or is not the key's."""
    start = reader.at
    algorithm = reader.text()
    if key.type == "ssh-rsa":
        expected = tuple(_RSA_DIGESTS)
    else:
        expected = (key.type,)
    if algorithm not in expected:
        sha1 = key.type == algorithm == "ssh-rsa"
        raise AssayError(
            Finding.of(
                codes.WEAK_SIGNATURE if sha1 else codes.SIGNATURE_UNSUPPORTED,
                what,
                "an RSA signature over SHA-1"
                if sha1
                else f"a signature of the kind {algorithm[:60]!r} by a key of the type {key.type}",
                expected=" or ".join(expected),
                actual=algorithm[:60],
                offset=start,
            )
        )
    blob = reader.string()
    flags = counter = 0
    if key.application is not None:
        flags, counter = reader.number(1), reader.number(4)
    reader.finish()
    return SshSignature(algorithm, blob, flags, counter)


def digest_signed(key: SshKey, signature: SshSignature) -> str:
    """What a signature by ``key`` is over; empty where the algorithm takes a digest of its own."""
    if key.type == "ssh-rsa":
        return _RSA_DIGESTS[signature.algorithm]
    return _ECDSA_DIGESTS.get(key.type.removesuffix("@openssh.com").rpartition("-")[2], "")


def made(key: SshKey, signature: SshSignature, message: bytes) -> bool:
    """Whether ``key`` made ``signature`` over ``message``. Raises nothing."""
    if key.application is not None:
        message = (
            hashlib.sha256(key.application).digest()
            + bytes((signature.untrusted_flags,))
            + signature.untrusted_counter.to_bytes(4)
            + hashlib.sha256(message).digest()
        )
    blob = signature.untrusted_blob
    if key.type == "ssh-rsa":
        # Leading zero bytes may have been left out (RFC 8332 section 3).
        padded = blob.rjust((key.key.size + 7) // 8, b"\0")
        return confirms(key.key, RsaPkcs1(_RSA_DIGESTS[signature.algorithm]), padded, message)
    if "ed25519" in key.type:
        return confirms(key.key, EdDsa(), blob, message)
    curve = key.type.removesuffix("@openssh.com").rpartition("-")[2]
    numbers = _two_numbers(blob, (key.key.size + 7) // 8)
    return confirms(key.key, Ecdsa(_ECDSA_DIGESTS[curve], "p1363"), numbers, message)


def _two_numbers(blob: bytes, width: int) -> bytes:
    """r and s of an ECDSA signature (RFC 5656 section 3.1.2); nothing when they are malformed."""
    reader = Reader(blob)
    try:
        numbers = reader.positive(), reader.positive()
        reader.finish()
        return b"".join(number.to_bytes(width) for number in numbers)
    except (WireError, OverflowError):
        return b""

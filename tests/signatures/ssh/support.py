"""Signers that are ssh-keygen, and signatures, security keys and certificates built by hand."""

from __future__ import annotations

import base64
import hashlib
import os
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signatures.ssh.wire import string
from tests.signatures.support import run, says_yes, tool

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Keygen:
    """One key pair of ssh-keygen, and what it signs."""

    def __init__(self, folder: Path, name: str = "signer", kind: str = "ed25519", bits: str = ""):
        self.tool = tool("ssh-keygen")
        self.secret = folder / name
        self.public = folder / f"{name}.pub"
        self.certificate = folder / f"{name}-cert.pub"
        size = ["-b", bits] if bits else []
        run(self.tool, "-q", "-t", kind, *size, "-N", "", "-C", "a comment", "-f", self.secret)

    @property
    def line(self) -> str:
        """Type and key, without the comment."""
        return " ".join(self.public.read_text().split()[:2])

    def sign(self, file: Path, namespace: str = "file", *options: str, key: str = "") -> Path:
        target = file.with_name(file.name + ".sig")
        target.unlink(missing_ok=True)
        chosen = key or str(self.secret)
        run(self.tool, "-Y", "sign", "-q", "-f", chosen, "-n", namespace, *options, file)
        return target

    def certify(self, other: Keygen, *options: str) -> None:
        run(self.tool, "-q", "-s", self.secret, "-I", "release key 7", *options, other.public)

    def accepts(
        self,
        allowed: Path,
        principal: str,
        file: Path,
        signature: Path,
        namespace: str = "file",
        *options: str | Path,
    ) -> bool:
        """Whether ``ssh-keygen -Y verify`` says yes."""
        return says_yes(
            *(self.tool, "-Y", "verify", "-f", allowed, "-I", principal, "-n", namespace),
            *("-s", signature, *options),
            stdin=file.read_bytes(),
        )


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size)


def mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1))


def armour(blob: bytes) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(blob).decode(), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n".encode()


def unarmour(data: bytes) -> bytes:
    return base64.b64decode(b"".join(data.splitlines()[1:-1]))


def wrap(
    public: bytes,
    signature: bytes,
    *,
    namespace: bytes = b"file",
    reserved: bytes = b"",
    digest: bytes = b"sha512",
    version: int = 1,
) -> bytes:
    """A signature blob of these fields."""
    fields = (public, namespace, reserved, digest, signature)
    return b"SSHSIG" + number(version) + b"".join(string(field) for field in fields)


def to_sign(
    message: bytes, namespace: bytes = b"file", reserved: bytes = b"", digest: str = "sha512"
) -> bytes:
    value = hashlib.new(digest, message).digest()
    fields = (namespace, reserved, digest.encode(), value)
    return b"SSHSIG" + b"".join(string(field) for field in fields)


class HandMade:
    """A key whose every byte is ours: plain, or as a security key signs."""

    def __init__(self, kind: str = "ssh-ed25519", application: bytes = b"ssh:") -> None:
        self.kind = kind.encode()
        self.application = application if kind.startswith("sk-") else None
        self.private: Any
        if "ed25519" in kind:
            self.private = ed25519.Ed25519PrivateKey.generate()
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.fields = string(raw)
        else:
            self.private = ec.generate_private_key(ec.SECP256R1())
            point = self.private.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
            self.fields = string(b"nistp256") + string(point)
        if self.application is not None:
            self.fields += string(self.application)
        self.blob = string(self.kind) + self.fields

    @property
    def line(self) -> str:
        return f"{self.kind.decode()} {base64.b64encode(self.blob).decode()}"

    def signature(self, message: bytes, flags: int = 1, counter: int = 7) -> bytes:
        tail = b""
        if self.application is not None:
            tail = number(flags, 1) + number(counter)
            message = (
                hashlib.sha256(self.application).digest() + tail + hashlib.sha256(message).digest()
            )
        if "ed25519" in self.kind.decode():
            raw = self.private.sign(message)
        else:
            pair = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
            raw = b"".join(mpint(part) for part in pair)
        return string(self.kind) + string(raw) + tail

    def sign(self, message: bytes, flags: int = 1, blob: bytes = b"", **fields: Any) -> bytes:
        """A whole signature file; ``blob`` in place of the plain key (a certificate)."""
        over = to_sign(
            message,
            fields.get("namespace", b"file"),
            fields.get("reserved", b""),
            fields.get("digest", b"sha512").decode(),
        )
        return armour(wrap(blob or self.blob, self.signature(over, flags), **fields))


def certificate(
    subject: HandMade,
    authority: HandMade,
    *,
    principals: tuple[bytes, ...] = (b"alice",),
    kind: int = 1,
    serial: int = 5,
    key_id: bytes = b"release key",
    valid_after: int = 0,
    valid_before: int = 2**64 - 1,
    options: tuple[tuple[bytes, bytes], ...] = (),
    extensions: tuple[tuple[bytes, bytes], ...] = (),
    authority_blob: bytes = b"",
) -> bytes:
    """A certificate's blob."""
    name = subject.kind.replace(b"@openssh.com", b"") + b"-cert-v01@openssh.com"

    def pairs(options: tuple[tuple[bytes, bytes], ...]) -> bytes:
        return string(b"".join(string(name) + string(value) for name, value in options))

    body = (
        string(name)
        + string(os.urandom(32))
        + subject.fields
        + number(serial, 8)
        + number(kind)
        + string(key_id)
        + string(b"".join(string(principal) for principal in principals))
        + number(valid_after, 8)
        + number(valid_before, 8)
        + pairs(options)
        + pairs(extensions)
        + string(b"")
        + string(authority_blob or authority.blob)
    )
    return body + string(authority.signature(body))

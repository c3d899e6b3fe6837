"""The file shape that signify and minisign share: an untrusted comment line, a base64 line.

Public keys have one form in both tools (signify(1), minisign(1)): ``Ed``, 8 bytes that name the
key pair, 32 bytes of Ed25519 public key. So a key file serves signatures of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from assay import strict_base64
from assay.model.finding import AssayError, UsageError
from assay.model.signature import Key
from assay.signatures.trial import printable

if TYPE_CHECKING:
    from assay.crypto.public_key import PublicKey

UNTRUSTED = b"untrusted comment:"
PUBLIC_KEY_SIZE = 42
SIGNATURE_SIZE = 74
_MINISIGN_SECRET_SIZE = 158
_SIGNIFY_SECRET_SIZE = 104


class Ed25519Key(Struct, frozen=True):
    """A public key of signify or minisign: the 8 bytes that name it, and the key."""

    number: bytes
    key: PublicKey

    @property
    def fingerprint(self) -> str:
        """The key's own name in a verdict: the digest of its SubjectPublicKeyInfo."""
        return self.key.fingerprint

    def confirms(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes) by this key is over ``message`` (RFC 8032)."""
        from assay.crypto.algorithms import EdDsa
        from assay.crypto.check import confirms

        return confirms(self.key, EdDsa(), signature, message)


def decode_line(line: bytes, *sizes: int) -> bytes | None:
    """The bytes of a base64 line, when they are as many as one of ``sizes``."""
    raw = strict_base64.decode(line.strip(b" \t"))
    return raw if raw is not None and len(raw) in sizes else None


def shown_number(number: bytes) -> str:
    """The number of a key pair as minisign prints it: little endian, upper case."""
    return number[::-1].hex().upper()


def load_keys(data: bytes, anchor: str) -> list[Key]:
    """The public key of a key file, or of a file with nothing but the base64 line, for both
    schemes; an empty list for anything else. Raises UsageError for a secret or damaged key."""
    lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]
    commented = bool(lines) and lines[0].startswith(UNTRUSTED)
    if len(lines) != 1 + commented:
        if commented and b" key" in lines[0]:
            raise UsageError(f"the key file has {len(lines)} lines where 2 are expected")
        return []
    raw = decode_line(
        lines[-1], PUBLIC_KEY_SIZE, SIGNATURE_SIZE, _MINISIGN_SECRET_SIZE, _SIGNIFY_SECRET_SIZE
    )
    if raw is None or raw[:2] not in (b"Ed", b"ED"):
        if commented:
            raise UsageError(
                f"{printable(lines[0], 80)!r}: the second line is not the base64 form of a"
                f" {PUBLIC_KEY_SIZE}-byte Ed25519 public key; the file is damaged or cut short"
            )
        return []
    if len(raw) > SIGNATURE_SIZE:
        raise UsageError("this is a secret key; give the public key (.pub) that belongs to it")
    if len(raw) == SIGNATURE_SIZE:
        if commented:
            raise UsageError("this is a signature; give the public key (.pub) of its maker")
        return []
    from assay.crypto.spki import read_ed25519

    try:
        key = Ed25519Key(raw[2:10], read_ed25519(raw[10:], "the key"))
    except AssayError as error:
        raise UsageError(error.finding.detail) from error
    return [
        Key(anchor, scheme, shown_number(key.number), key) for scheme in ("minisign", "signify")
    ]

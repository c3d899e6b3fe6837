"""Signed notes (C2SP signed-note) and the keys that sign them (C2SP tlog-cosignature).

A note is text, a blank line, and signature lines. A line names its key and starts its signature
with four bytes of the key's hash: a hint, never believed. Nothing here decides who is trusted.
"""

from __future__ import annotations

import base64
import re
import struct
from enum import IntEnum
from hashlib import sha256

from msgspec import Struct

from assay import strict_base64

NOTE_SIZE = 1 << 20
"""A note is a few hundred bytes; with a hundred witnesses, a few thousand."""
SIGNATURES = 100

_LINE = "— "
_BLANK = b"\n\n"
_CONTROL = rb"[\x00-\x09\x0b-\x1f]"


_ML_DSA_44 = 2420
"""Bytes of a signature."""


class NoteError(ValueError):
    """The bytes are no well-formed note or key. ``offset`` is the byte where that shows."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class KeyType(IntEnum):
    """The algorithm byte of a verifier key."""

    ED25519 = 1
    """Over the text of the note."""

    ECDSA = 2
    """Over the SHA-256 of the text; the key's hash is that of its SubjectPublicKeyInfo alone."""

    COSIGNATURE = 4
    """Ed25519 by a witness, over a time stamp and the text."""

    COSIGNATURE_ML_DSA = 6
    """ML-DSA-44 by a witness, over its name, a time stamp, and what a checkpoint says."""


_KEY_SIZES = {KeyType.ED25519: 32, KeyType.COSIGNATURE: 32, KeyType.COSIGNATURE_ML_DSA: 1312}


class NoteSignature(Struct, frozen=True):
    """One signature line: the name of the key, its hash (4 bytes), the rest."""

    untrusted_name: str
    untrusted_key_hash: bytes
    signature: bytes

    def render(self) -> bytes:
        """The line, with its end."""
        encoded = base64.b64encode(self.untrusted_key_hash + self.signature).decode("ascii")
        return f"{_LINE}{self.untrusted_name} {encoded}\n".encode()


class Note(Struct, frozen=True):
    """``text`` ends with a line end and is exactly what is signed."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def render(self) -> bytes:
        return self.text + b"\n" + b"".join(line.render() for line in self.signatures)


def parse(data: bytes) -> Note:
    """Read a note. Raises NoteError."""
    if len(data) > NOTE_SIZE:
        raise NoteError(f"{len(data)} bytes; a note has at most {NOTE_SIZE}", NOTE_SIZE)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("not UTF-8", error.start) from error
    if control := re.search(_CONTROL, data):
        raise NoteError(f"control character 0x{control[0].hex()}", control.start())
    # the text may hold blank lines itself: the last one divides
    at = data.rfind(_BLANK)
    if at < 0:
        raise NoteError("no blank line before signatures", len(data))
    text, block = data[: at + 1], data[at + 2 :]
    if not block.endswith(b"\n"):
        raise NoteError("the last signature line has no end", len(data))
    lines = block[:-1].decode("utf-8").split("\n")
    if len(lines) > SIGNATURES:
        raise NoteError(f"{len(lines)} signatures; at most {SIGNATURES}", at + 2)
    return Note(text, tuple(_signature(line, at + 2) for line in lines))


def _signature(line: str, offset: int) -> NoteSignature:
    if not line.startswith(_LINE):
        raise NoteError("a signature line must begin with an em dash and a space", offset)
    name, space, encoded = line[len(_LINE) :].partition(" ")
    raw = decoded(encoded) or b""
    if not space or not _is_name(name) or len(raw) < 5:
        raise NoteError(f"malformed signature line {line[:80]!r}", offset)
    return NoteSignature(name, raw[:4], raw[4:])


def decoded(text: str) -> bytes | None:
    """Standard base64, in its one canonical form; None for anything else."""
    return strict_base64.decode(text.encode("utf-8"))


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


class VerifierKey(Struct, frozen=True):
    """A key that a user trusts: a name, an algorithm, and the public key (32 raw bytes for
    Ed25519, 1312 for ML-DSA-44, DER SubjectPublicKeyInfo for ECDSA)."""

    name: str
    type: KeyType
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which signature lines name this key."""
        if self.type is KeyType.ECDSA:
            return sha256(self.public).digest()[:4]
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def render(self) -> str:
        """The key in the form ``name+hash+base64``."""
        encoded = base64.b64encode(bytes([self.type]) + self.public).decode("ascii")
        return f"{self.name}+{self.key_hash.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``name+hash+base64``. Raises NoteError."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not _is_name(parts[0]):
            raise NoteError("a verifier key has the form name+hash+key")
        try:
            raw = decoded(parts[2]) or b""
            key = cls(parts[0], KeyType(raw[0]), raw[1:])
        except (ValueError, IndexError) as error:
            raise NoteError("the verifier key's last part is not a known kind of key") from error
        size = _KEY_SIZES.get(key.type, len(key.public))
        if len(key.public) != size:
            raise NoteError(f"a key of this kind has {size} bytes, not {len(key.public)}")
        if key.key_hash.hex() != parts[1].lower():
            raise NoteError(f"the key's hash is {key.key_hash.hex()}, not {parts[1]}")
        return key

    def names(self, signature: NoteSignature) -> bool:
        """Whether a signature line claims to be made by this key."""
        return (
            signature.untrusted_name == self.name and signature.untrusted_key_hash == self.key_hash
        )

    def verify(self, text: bytes, signature: bytes) -> Confirmed | None:
        """Check the bytes after the key hash; None when they are not this key's signature."""
        from assay.crypto.algorithms import Ecdsa, EdDsa
        from assay.crypto.check import confirms
        from assay.crypto.public_key import Family
        from assay.crypto.spki import read_ed25519, read_spki
        from assay.model.finding import AssayError

        seconds = None
        try:
            if self.type is KeyType.ECDSA:
                key = read_spki(self.public, self.name)
                right = key.family is Family.ECDSA and confirms(
                    key, Ecdsa("sha256"), signature, text
                )
                return Confirmed(self.name) if right else None
            if self.type is KeyType.COSIGNATURE_ML_DSA:
                return self._verify_ml_dsa(text, signature)
            key = read_ed25519(self.public, self.name)
        except AssayError:
            return None
        if self.type is KeyType.COSIGNATURE:
            if len(signature) != 72:
                return None
            seconds = int.from_bytes(signature[:8])
            signature, text = signature[8:], cosigned_message(text, seconds)
        return Confirmed(self.name, seconds) if confirms(key, EdDsa(), signature, text) else None

    def _verify_ml_dsa(self, text: bytes, signature: bytes) -> Confirmed | None:
        from assay.crypto.algorithms import MlDsa
        from assay.crypto.check import confirms
        from assay.crypto.spki import read_ml_dsa_44

        if len(signature) != 8 + _ML_DSA_44:
            return None
        seconds, key = int.from_bytes(signature[:8]), read_ml_dsa_44(self.public, self.name)
        try:
            message = witnessed_message(self.name, text, seconds)
        except NoteError:
            return None
        right = confirms(key, MlDsa(), signature[8:], message)
        return Confirmed(self.name, seconds) if right else None


class Confirmed(Struct, frozen=True):
    """A signature that verified. ``time`` is a witness's time stamp (seconds since 1970)."""

    name: str
    time: int | None = None


def cosigned_message(text: bytes, seconds: int) -> bytes:
    """What a witness signs (C2SP tlog-cosignature, "Format")."""
    return b"cosignature/v1\ntime %d\n" % seconds + text


def witnessed_message(witness: str, text: bytes, seconds: int) -> bytes:
    """What a witness signs with ML-DSA-44 (C2SP tlog-cosignature, "ML-DSA-44 signed message"): of
    a checkpoint its origin, size and root hash, and no extension lines. Raises NoteError."""
    from assay.transparency import checkpoint

    state = checkpoint.parse(text)
    names = (witness.encode(), state.origin.encode())
    if any(not 1 <= len(name) < 256 for name in names):
        raise NoteError("a name of more than 255 bytes")
    cosigner, origin = (bytes([len(name)]) + name for name in names)
    size = struct.pack(">QQ", 0, state.size)
    return b"".join(
        (b"subtree/v1\n\0", cosigner, struct.pack(">Q", seconds), origin, size, state.root)
    )


def confirmations(note: Note, keys: list[VerifierKey]) -> list[Confirmed]:
    """Who of ``keys`` signed the note, each at most once.

    Raises NoteError when a line names one of the keys and does not verify: such a note was
    altered, or its key was copied onto another note."""
    found: dict[str, Confirmed] = {}
    for signature in note.signatures:
        for key in keys:
            if key.names(signature):
                confirmed = key.verify(note.text, signature.signature)
                if confirmed is None:
                    raise NoteError(f"the signature of {key.name} does not verify", len(note.text))
                found.setdefault(key.render(), confirmed)
    return list(found.values())


class NoteSigner(Struct, frozen=True):
    """Signs notes with an Ed25519 key; as a witness when the type is COSIGNATURE.

    ``private`` is a ``cryptography`` Ed25519PrivateKey.
    """

    name: str
    type: KeyType
    private: object

    @property
    def verifier(self) -> VerifierKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        assert isinstance(self.private, Ed25519PrivateKey)
        return VerifierKey(self.name, self.type, self.private.public_key().public_bytes_raw())

    def sign(self, text: bytes, seconds: int = 0) -> NoteSignature:
        """A signature line over ``text``; ``seconds`` is a witness's time stamp."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        assert isinstance(self.private, Ed25519PrivateKey)
        if self.type is KeyType.COSIGNATURE:
            signed = self.private.sign(cosigned_message(text, seconds))
            signature = struct.pack(">Q", seconds) + signed
        else:
            signature = self.private.sign(text)
        return NoteSignature(self.name, self.verifier.key_hash, signature)

"""Signatures: parsed and not yet believed, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from msgspec import Struct

from assay.model.anchor import KeyAttempt, Signer, Voucher
from assay.model.finding import Finding
from assay.model.measurement import Request


class Status(Enum):
    VERIFIED = "verified"
    """An anchor's key made it, over exactly these bytes, and it is valid at the time asked."""

    UNKNOWN_SIGNER = "unknown-signer"
    """No key given can be the one that made it; nothing is known about it, good or bad."""

    INVALID = "invalid"
    """The key that it names does not confirm it."""

    NOT_VALID_NOW = "not-valid-now"
    """Cryptographically right, but expired, revoked or not yet valid."""

    UNCHECKED = "unchecked"
    """It could not be checked (an unsupported scheme, bytes that could not be read)."""


class Signature(Struct, frozen=True):
    """A signature or MAC over all bytes of ``document`` (a component id).

    ``id`` is unique in an image and says where it was found; ``alternatives`` groups signatures
    read from one file of which only one can apply, since the file does not name its document.
    """

    id: str
    scheme: str
    document: str
    alternatives: str = ""


class SignatureOutcome(Struct, frozen=True):
    """What checking one signature gave. ``signers`` are those proven by material that is no anchor
    (a trusted root): known, and nobody asked for them."""

    signature: Signature
    status: Status
    vouchers: tuple[Voucher, ...] = ()
    attempts: tuple[KeyAttempt, ...] = ()
    findings: tuple[Finding, ...] = ()
    signers: tuple[Signer, ...] = ()


class Key(Struct, frozen=True):
    """Verification material of one anchor.

    ``scheme`` says which signature schemes can use it (``minisign``, ``openpgp``, ``pem`` ...),
    ``key_id`` is how people know it, ``material`` is the scheme's own. ``demands`` are what the
    user asks of signatures by it, by the name of the command line option without dashes in front
    (``ssh-namespace``, ``mac-algorithm``); a scheme heeds those that it knows.
    """

    anchor: str
    scheme: str
    key_id: str
    material: Any
    demands: dict[str, str] = {}


class PreparedSignature(Protocol):
    """A parsed signature that knows what must be measured to check it."""

    @property
    def signature(self) -> Signature: ...

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        """What to measure of the signed document, given every key that the user trusts (a MAC
        needs the secret, a raw signature the key's algorithm). Raises nothing."""
        ...

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Check the signature. ``answers`` holds what was measured, ``keys`` every key that the
        user gave (of all schemes), ``at`` the effective time. Raises nothing."""
        ...


class InlineSigned(Struct, frozen=True):
    """A document that carries its own signature around it (OpenPGP cleartext, for one).

    ``content`` is exactly what is signed, ``signatures`` are over it, and ``outside`` counts the
    bytes of text before and after the signed block. ``media_type`` is what the signature says of
    the content, empty where it says nothing.
    """

    content: bytes
    signatures: tuple[PreparedSignature, ...]
    outside: int
    media_type: str = ""


class SignatureScheme(Protocol):
    """Knows one kind of signature or MAC, its keys, and nothing of image formats.

    Plugged in under the entry point group ``assay.signatures``.
    """

    @property
    def name(self) -> str: ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What is appended to a file's name to name its detached signature (``.minisig``)."""
        ...

    @property
    def last_resort_for(self) -> str:
        """Empty for a scheme whose signatures have a shape of their own. A scheme without (raw
        bytes, a bare MAC) names the `Key.scheme` that it needs here: it is asked last, and where
        several such schemes take the bytes for theirs, those with a key given are preferred."""
        ...

    def recognise(self, data: bytes) -> bool:
        """Whether these bytes are a detached signature of this scheme, by content alone. Cheap;
        raises nothing."""
        ...

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a detached signature over the component ``document``; several where the file
        holds several. ``alternatives`` goes into each `Signature` as it is. Raises AssayError
        (signature-malformed)."""
        ...

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """Parse a document that carries its own signature; None when these bytes are none.
        ``document`` is the component id that the signed content gets. Raises AssayError."""
        ...

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """The keys in a key file; an empty list when it is not of this scheme. Raises UsageError
        when it is, and cannot be used (a private key, say)."""
        ...

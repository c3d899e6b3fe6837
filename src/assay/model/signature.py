"""Signatures: parsed and not yet believed, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from msgspec import Struct

from assay.model.anchor import KeyAttempt, Voucher
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
    """What checking one signature gave."""

    signature: Signature
    status: Status
    vouchers: tuple[Voucher, ...] = ()
    attempts: tuple[KeyAttempt, ...] = ()
    findings: tuple[Finding, ...] = ()


class Key(Struct, frozen=True):
    """Verification material of one anchor.

    ``scheme`` says which signature schemes can use it (``minisign``, ``openpgp``, ``pem`` ...),
    ``key_id`` is how people know it, ``material`` is the scheme's own.
    """

    anchor: str
    scheme: str
    key_id: str
    material: Any


class PreparedSignature(Protocol):
    """A parsed signature that knows what must be measured to check it."""

    @property
    def signature(self) -> Signature: ...

    @property
    def requests(self) -> tuple[Request, ...]:
        """What to measure of the signed document."""
        ...

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Check the signature. ``answers`` holds what was measured, ``keys`` every key that the
        user gave (of all schemes), ``at`` the effective time. Raises nothing."""
        ...

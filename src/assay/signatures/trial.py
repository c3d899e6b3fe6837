"""What became of each key tried on one signature, and the outcome that follows."""

from __future__ import annotations

from assay.model.anchor import KeyAttempt, Signer, Voucher
from assay.model.finding import Finding
from assay.model.signature import Key, Signature, SignatureOutcome, Status

_GRAVITY = (Status.INVALID, Status.NOT_VALID_NOW, Status.UNCHECKED, Status.UNKNOWN_SIGNER)
"""Which failure is told, where keys failed for several reasons: the most certain one first."""


class Trial:
    """Collects key attempts. One key that matches is enough; every key that matches vouches, so
    that the same key under two anchors counts for both."""

    def __init__(self, signature: Signature, what: str) -> None:
        """``what`` names the kind of signature for people (``minisign signature``)."""
        self.signature = signature
        self._what = what
        self._attempts: list[KeyAttempt] = []
        self._vouchers: list[Voucher] = []
        self._notices: list[Finding] = []
        self._failures: list[tuple[Status, Finding]] = []

    def miss(self, key: Key, reason: str) -> None:
        """This key cannot be the one that made the signature."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, False, reason))

    def fail(self, key: Key, status: Status, reason: str, finding: Finding) -> None:
        """This key is, or may be, the one, and the signature still does not count."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, False, reason))
        self._failures.append((status, finding))

    def match(
        self,
        key: Key,
        signer: Signer,
        notes: dict[str, str] | None = None,
        *notices: Finding,
    ) -> None:
        """This key made the signature; ``notices`` are worth saying all the same."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, True))
        by = f"{self._what} {self.signature.id}"
        self._vouchers.append(Voucher(key.anchor, self.signature.document, by, signer, notes or {}))
        self._notices += notices

    def outcome(self, unknown: Finding) -> SignatureOutcome:
        """The outcome; ``unknown`` explains it when no key could be the one."""
        if self._vouchers:
            status, findings = Status.VERIFIED, self._notices
        elif self._failures:
            status = min((status for status, _ in self._failures), key=_GRAVITY.index)
            findings = [finding for failed, finding in self._failures if failed is status]
        else:
            status, findings = Status.UNKNOWN_SIGNER, [unknown]
        return SignatureOutcome(
            self.signature,
            status,
            tuple(self._vouchers),
            tuple(self._attempts),
            tuple(dict.fromkeys(findings)),
        )


def printable(text: bytes | str, limit: int = 1024) -> str:
    """Text that a signer wrote, safe to show: control characters escaped, length bounded."""
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
    )
    return shown if len(shown) <= limit else shown[:limit] + "..."

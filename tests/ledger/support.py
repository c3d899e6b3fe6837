"""Verdicts and entries to fill ledgers with."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.ledger import entry
from assay.model.verdict import Answer, Coverage, Decision, Verdict
from assay.transparency.note import KeyType, NoteSigner

TIME = "2026-11-24T12:00:00Z"


def verdict(name: str = "disk.img") -> Verdict:
    return Verdict(
        image=name,
        resolved=f"{name}@sha256:{'ab' * 32}",
        format="raw",
        decision=Decision.ALLOWED,
        intact=Answer.YES,
        authentic=Answer.YES,
        allowed=Answer.YES,
        coverage=Coverage(total=10, bound=10),
        findings=(),
        vouchers=(),
        anchors=(),
        signatures=(),
        components=(),
        not_checked=(),
        claims_held=1,
        claims_broken=0,
        at=TIME,
        rule="built-in",
        tool="assay test",
    )


def entries(count: int, prefix: str = "image") -> list[tuple[bytes, bytes]]:
    return [
        entry.record(verdict(f"{prefix}-{number}"), TIME, entry.Context(ticket="T-1"))
        for number in range(count)
    ]


def signer(name: str = "ledger.example/test", kind: KeyType = KeyType.ED25519) -> NoteSigner:
    """A new key under a name."""
    return NoteSigner(name, kind, Ed25519PrivateKey.generate())

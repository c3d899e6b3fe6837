"""What became of each key tried on one signature, and the outcome that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from assay.model.anchor import KeyAttempt, Signer, Voucher
from assay.model.codes import trust as codes
from assay.model.finding import Finding
from assay.model.identity import IDENTITY_SCHEME
from assay.model.signature import Key, Signature, SignatureOutcome, Status
from assay.printable import printable

_GRAVITY = (Status.INVALID, Status.NOT_VALID_NOW, Status.UNCHECKED, Status.UNKNOWN_SIGNER)
"""Which failure is told, where keys failed for several reasons: the most certain one first."""


class Trial:
    """Collects key attempts. One key that matches is enough; every key that matches vouches, so
    that the same key under two anchors counts for both."""

    def __init__(self, signature: Signature, what: str, keys: Sequence[Key] = ()) -> None:
        """``what`` names the kind of signature for people (``minisign signature``); ``keys`` are
        all that the user gave, of which a scheme whose signers have names needs the identities."""
        self.signature = signature
        self._what = what
        self._identities = [key for key in keys if key.scheme == IDENTITY_SCHEME]
        self._attempts: list[KeyAttempt] = []
        self._vouchers: list[Voucher] = []
        self._notices: list[Finding] = []
        self._failures: list[tuple[Status, Finding]] = []
        self._matched = False
        self._signers: list[Signer] = []

    def miss(self, key: Key, reason: str) -> None:
        """This key cannot be the one that made the signature."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, False, reason))

    def fail(self, key: Key, status: Status, reason: str, *findings: Finding) -> None:
        """This key is, or may be, the one, and the signature still does not count."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, False, reason))
        self._failures += [(status, finding) for finding in findings]

    def match(
        self,
        key: Key,
        signer: Signer,
        notes: dict[str, str] | None = None,
        *notices: Finding,
        names: Sequence[str] = (),
        issuer: str = "",
        claims: Mapping[str, str] | None = None,
    ) -> None:
        """This key made the signature; ``notices`` are worth saying all the same. ``names`` are
        all names that the key (a certificate, a principal) proves of the signer, and ``issuer``
        who says so: each identity that the user gave and that one of them matches vouches too,
        if ``claims``, what else is proven of the signer, are as it asks. A key that is no anchor
        of its own (a trusted root) only proves."""
        self._attempts.append(KeyAttempt(key.anchor, key.key_id, True))
        by = f"{self._what} {self.signature.id}"
        document = self.signature.document
        signer = replace(signer, names=tuple(dict.fromkeys(filter(None, names))), issuer=issuer)
        self._matched, proven = True, dict(claims or {})
        if key.anchor:
            self._vouchers.append(Voucher(key.anchor, document, by, signer, notes or {}, proven))
        else:
            self._signers.append(signer)
        self._notices += notices
        found = [
            each for each in self._identities if each.material.matches(names, issuer, claims or {})
        ]
        for identity in found:
            self._attempts.append(KeyAttempt(identity.anchor, identity.key_id, True))
            self._vouchers.append(
                Voucher(identity.anchor, document, by, signer, notes or {}, proven)
            )
        if self._identities and not found:
            shown = ", ".join(printable(name, 200) for name in names) or "a key without a name"
            at = f" at {printable(issuer, 200)}" if issuer else ""
            self._notices.append(
                Finding.of(
                    codes.WRONG_IDENTITY,
                    document,
                    f"{self.signature.id}: signed by {shown}{at}",
                    expected=" or ".join(key.key_id for key in self._identities),
                    actual=shown + at,
                )
            )

    def outcome(self, unknown: Finding) -> SignatureOutcome:
        """The outcome; ``unknown`` explains it when no key could be the one."""
        if self._matched:
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
            tuple(self._signers),
        )


__all__ = ["Trial", "printable"]

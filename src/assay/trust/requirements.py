"""Requirements: anchors that count only with keys of their own, for signatures of certain kinds, or
for signatures that were made for a certain name. Trust policies of other tools are read into these.

Each is judged by itself: what one requirement trusts lends nothing to another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from assay.model.anchor import Anchor
from assay.model.codes import policy as codes
from assay.model.component import Component
from assay.model.finding import Finding
from assay.model.measurement import Request
from assay.model.signature import Key, PreparedSignature, SignatureOutcome, Status

if TYPE_CHECKING:
    from assay.sources.registry.reference import Reference
    from assay.trust.containers.identity import SignedName

SIGNED_NAME = "docker-reference"
"""The label of a document that says which name it was signed for."""


class Requirement(Struct, frozen=True):
    """``anchor`` vouches for what a signature covers that was made with ``keys`` (whose anchor it
    is), is of one of ``schemes`` (`Signature.scheme`), over a document of ``kind``, and was made
    for a name that ``signed_name`` admits for ``used``, the name that the image is used by."""

    anchor: Anchor
    keys: tuple[Key, ...]
    schemes: tuple[str, ...]
    kind: str
    signed_name: SignedName
    used: Reference | None = None

    def concerns(self, prepared: PreparedSignature, document: Component | None) -> bool:
        """Whether a signature is of the kind asked for."""
        return (
            prepared.signature.scheme in self.schemes
            and document is not None
            and document.kind == self.kind
        )

    def verify(
        self,
        prepared: PreparedSignature,
        document: Component,
        answers: Mapping[Request, Any],
        at: datetime,
    ) -> SignatureOutcome:
        """Check a signature that is of the kind asked for."""
        outcome = prepared.verify(answers, self.keys, at)
        if outcome.status is not Status.VERIFIED:
            return outcome
        signed = document.labels.get(SIGNED_NAME, "")
        if self.signed_name.admits(self.used, signed):
            notes = {"signed for": signed} if signed else {}
            vouchers = tuple(
                replace(voucher, notes={**voucher.notes, **notes}) for voucher in outcome.vouchers
            )
            return replace(outcome, vouchers=vouchers)
        finding = Finding.of(
            codes.SIGNED_FOR_ANOTHER_NAME,
            document.id,
            f"{prepared.signature.id}: {self.anchor.description}",
            expected=self.signed_name.describe(self.used),
            actual=signed or "no name",
        )
        return replace(outcome, vouchers=(), findings=(*outcome.findings, finding))


def merged(outcomes: Sequence[SignatureOutcome]) -> SignatureOutcome:
    """What became of one signature, by all that looked at it. That one of them does not know its
    maker is no matter where another does."""
    best = min((outcome.status for outcome in outcomes), key=_GRAVITY.index)
    shown = [outcome for outcome in outcomes if outcome.status is best]
    counting = [outcome for outcome in shown if outcome.vouchers] or shown
    return replace(
        outcomes[0],
        status=best,
        vouchers=tuple(each for outcome in outcomes for each in outcome.vouchers),
        attempts=tuple(each for outcome in outcomes for each in outcome.attempts),
        findings=tuple(dict.fromkeys(each for outcome in counting for each in outcome.findings)),
        signers=tuple(dict.fromkeys(each for outcome in outcomes for each in outcome.signers)),
    )


_GRAVITY = (
    Status.VERIFIED,
    Status.INVALID,
    Status.NOT_VALID_NOW,
    Status.UNCHECKED,
    Status.UNKNOWN_SIGNER,
)

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

from assay.evidence.annotations import of_labels
from assay.model.anchor import Anchor
from assay.model.codes import policy as codes
from assay.model.component import Component
from assay.model.finding import Finding
from assay.model.measurement import Request
from assay.model.signature import Key, PreparedSignature, SignatureOutcome, Status

if TYPE_CHECKING:
    from assay.sources.registry.reference import Reference
    from assay.trust.containers.identity import SignedName

if TYPE_CHECKING:
    from assay.trust.documents import DocumentRule, SignedDocument

SIGNED_NAME = "docker-reference"
"""The label of a document that says which name it was signed for."""


class Requirement(Struct, frozen=True):
    """``anchor`` vouches for what a signature covers that was made with ``keys`` (whose anchor it
    is), is of one of ``schemes`` (`Signature.scheme`), over a document that ``documents`` admits,
    and was made for a name that ``signed_name`` admits for ``used``, the name that the image is
    used by (any name, where that is None)."""

    anchor: Anchor
    keys: tuple[Key, ...]
    schemes: tuple[str, ...]
    documents: DocumentRule
    signed_name: SignedName | None = None
    used: Reference | None = None

    def concerns(self, prepared: PreparedSignature, document: SignedDocument | None) -> bool:
        """Whether a signature is of the kind asked for."""
        return (
            prepared.signature.scheme in self.schemes
            and document is not None
            and self.documents.concerns(document)
        )

    def verify(
        self,
        prepared: PreparedSignature,
        document: SignedDocument | None,
        answers: Mapping[Request, Any],
        at: datetime,
    ) -> Judged:
        """Check a signature that is of the kind asked for."""
        assert document is not None
        outcome = prepared.verify(answers, self.keys, at)
        if not any(voucher.anchor == self.anchor.id for voucher in outcome.vouchers):
            return Judged(outcome)
        if (fault := self.documents.fault(document)) is not None:
            faulty = replace(outcome, vouchers=(), findings=(*outcome.findings, fault))
            return Judged(faulty, contradicted=self.documents.every)
        if self.signed_name is None:
            return Judged(outcome)
        return Judged(
            for_name(outcome, document.component, self.signed_name, self.used, self.anchor)
        )


class Judged(Struct, frozen=True):
    """What became of one signature by one requirement. ``contradicted`` is set when its document,
    which who is trusted did sign, says otherwise than the requirement asks."""

    outcome: SignatureOutcome
    contradicted: bool = False


def of_another_kind(
    requirements: Sequence[Requirement],
    prepared: PreparedSignature,
    document: SignedDocument,
    answers: Mapping[Request, Any],
    at: datetime,
) -> SignatureOutcome | None:
    """What to tell of a signature of the image that no requirement is about, though keys of one
    made it: not that somebody else did. None where nobody's keys did."""
    from assay.trust.documents import ImageSignature

    if not ImageSignature().concerns(document):
        return None
    for one in requirements:
        outcome = prepared.verify(answers, one.keys, at)
        if any(voucher.anchor == one.anchor.id for voucher in outcome.vouchers):
            finding = Finding.of(
                codes.SIGNED_IN_ANOTHER_WAY,
                document.component.id,
                f"{outcome.signature.id}: by {', '.join(key.key_id for key in one.keys)[:200]}",
                expected=one.anchor.description,
                actual=f"a {outcome.signature.scheme} signature over a {document.component.kind}",
            )
            return replace(outcome, vouchers=(), findings=(*outcome.findings, finding))
    return None


def for_name(
    outcome: SignatureOutcome,
    document: Component,
    rule: SignedName,
    used: Reference | None,
    anchor: Anchor | None = None,
) -> SignatureOutcome:
    """An outcome with its vouchers only where the document was signed for the right name."""
    if not outcome.vouchers:
        return outcome
    signed = document.labels.get(SIGNED_NAME, "")
    if rule.admits(used, signed):
        return outcome
    asked = f": {anchor.description}" if anchor is not None else ""
    finding = Finding.of(
        codes.SIGNED_FOR_ANOTHER_NAME,
        document.id,
        f"{outcome.signature.id}{asked}",
        expected=rule.describe(used),
        actual=signed or "no name",
    )
    return replace(outcome, vouchers=(), findings=(*outcome.findings, finding))


def for_annotations(
    outcome: SignatureOutcome,
    document: SignedDocument | None,
    annotations: Sequence[tuple[str, str]],
) -> SignatureOutcome:
    """An outcome with its vouchers only where the signer annotated all of ``annotations``.
    ``document`` is None where what was signed is no document that could say so."""
    if not outcome.vouchers:
        return outcome
    if document is not None:
        from assay.trust.documents import missing_annotation

        finding = missing_annotation(document, annotations)
        if finding is None:
            return outcome
    else:
        wanted = ", ".join(f"{name}={value}" for name, value in annotations)
        finding = Finding.of(
            codes.ANNOTATION_MISSING,
            outcome.signature.document,
            f"{outcome.signature.id} has no room for annotations",
            expected=wanted,
            actual="nothing",
        )
    return replace(outcome, vouchers=(), findings=(*outcome.findings, finding))


def with_notes(outcome: SignatureOutcome, document: Component | None) -> SignatureOutcome:
    """An outcome whose vouchers tell what they signed beside the image's digest: the name that it
    was signed for, and annotations."""
    if not outcome.vouchers or document is None:
        return outcome
    notes: dict[str, str] = {}
    if signed := document.labels.get(SIGNED_NAME):
        notes["signed for"] = signed
    if annotated := ", ".join(f"{name}={value}" for name, value in of_labels(document.labels)):
        notes["annotated"] = annotated
    vouchers = tuple(
        replace(voucher, notes={**voucher.notes, **notes}) for voucher in outcome.vouchers
    )
    return replace(outcome, vouchers=vouchers)


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
    Status.NOT_VALID_NOW,  # some key confirms it: that it is none of another key's is no matter
    Status.INVALID,
    Status.UNCHECKED,
    Status.UNKNOWN_SIGNER,
)

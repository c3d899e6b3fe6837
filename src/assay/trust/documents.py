"""What a signed document has to be, and to say, for its signature to count for a requirement.

A signature of an image, an attestation about it and a Notary payload are signed with the same keys;
only the document tells them apart, and one never stands in for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import ClassVar, Protocol

from msgspec import Struct

from assay.evidence.attached import legacy
from assay.evidence.attached.notary import noted_in
from assay.evidence.intoto import PAYLOAD_TYPE, Statement, parse_statement
from assay.model.codes import policy as codes
from assay.model.component import Component
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.signatures.notary.envelope import PAYLOAD_TYPE as NOTARY_PAYLOAD
from assay.trust.conditions import Condition

SIMPLE_SIGNING = "simple-signing"
"""The component kind of payloads of simple signing."""
STATEMENTS = ("statement", "attestation")
"""The component kinds of in-toto statements: attached to the image, and given in a file."""

SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate of a statement that is a signature of an image, and says no more (cosign 3)."""


class SignedDocument(Struct, frozen=True, dict=True):
    """A document with its content, which is read when something is asked of it."""

    component: Component
    content: Callable[[], bytes]

    @cached_property
    def statement(self) -> Statement | None:
        """The in-toto statement that it is, if it is one."""
        if self.component.kind not in STATEMENTS or not self.component.external:
            return None
        if self.component.labels.get("type", PAYLOAD_TYPE) != PAYLOAD_TYPE:
            return None
        try:
            return parse_statement(self.content(), self.component.id)
        except AssayError:
            return None

    @cached_property
    def annotations(self) -> list[dict[str, object]]:
        """What its signer annotated, by subject."""
        if self.component.kind == SIMPLE_SIGNING:
            try:
                return [legacy.parse_payload(self.content()).optional]
            except AssayError:
                return []
        if self.component.labels.get("type") == NOTARY_PAYLOAD:
            return [dict(noted_in(self.content()))]
        statement = self.statement
        return [subject.annotations for subject in statement.subjects] if statement else []


class DocumentRule(Protocol):
    """Which documents count, and what they have to say."""

    @property
    def every(self) -> bool:
        """Whether one that is by who is trusted and does not say it outweighs others that do."""
        ...

    def concerns(self, document: SignedDocument) -> bool:
        """Whether it is of the kind asked for. Raises nothing."""
        ...

    def fault(self, document: SignedDocument) -> Finding | None:
        """What it fails to say, though it is of that kind. Raises nothing."""
        ...


class SimpleSigning(Struct, frozen=True):
    """The payload of simple signing, of whichever kind of signature."""

    every: ClassVar[bool] = False

    def concerns(self, document: SignedDocument) -> bool:
        return document.component.kind == SIMPLE_SIGNING

    def fault(self, document: SignedDocument) -> Finding | None:
        return None


class ImageSignature(Struct, frozen=True):
    """A signature of cosign's over the image, as a payload (before version 3) or a statement, with
    all of ``annotations`` in it."""

    every: ClassVar[bool] = False
    annotations: tuple[tuple[str, str], ...] = ()

    def concerns(self, document: SignedDocument) -> bool:
        if document.component.kind == SIMPLE_SIGNING:
            return True
        statement = document.statement
        return statement is not None and statement.predicate_type == SIGN_PREDICATE

    def fault(self, document: SignedDocument) -> Finding | None:
        return missing_annotation(document, self.annotations)


def missing_annotation(
    document: SignedDocument, annotations: Sequence[tuple[str, str]]
) -> Finding | None:
    """What the signer of a document did not annotate of ``annotations``. One that is about several
    subjects has to say it of each. Raises nothing."""
    said = document.annotations
    for name, wanted in annotations:
        found = [each.get(name) for each in said]
        if not found or any(value != wanted for value in found):
            value = next((value for value in found if value != wanted), None)
            return Finding.of(
                codes.ANNOTATION_MISSING,
                document.component.id,
                f"the signer did not annotate {name}={wanted}",
                expected=f"{name}={wanted}",
                actual="nothing" if value is None else printable(str(value), 200),
            )
    return None


class Attestation(Struct, frozen=True):
    """A statement with one of these predicate types, whose predicate meets ``conditions``."""

    every: ClassVar[bool] = True
    predicate_types: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    def concerns(self, document: SignedDocument) -> bool:
        statement = document.statement
        return statement is not None and statement.predicate_type in self.predicate_types

    def fault(self, document: SignedDocument) -> Finding | None:
        assert document.statement is not None
        for condition in self.conditions:
            if not condition.holds(document.statement.predicate):
                return Finding.of(
                    codes.PREDICATE_UNMET,
                    document.component.id,
                    f"{printable(document.statement.predicate_type, 200)}: {condition} is not so",
                    expected=str(condition),
                    actual=condition.found(document.statement.predicate),
                )
        return None


class NotaryPayload(Struct, frozen=True):
    """The payload of a Notary signature."""

    every: ClassVar[bool] = False

    def concerns(self, document: SignedDocument) -> bool:
        return document.component.labels.get("type") == NOTARY_PAYLOAD

    def fault(self, document: SignedDocument) -> Finding | None:
        return None


class NotaryFile(Struct, frozen=True):
    """The image itself, for a Notary signature in a file beside it."""

    every: ClassVar[bool] = False

    def concerns(self, document: SignedDocument) -> bool:
        return not document.component.external

    def fault(self, document: SignedDocument) -> Finding | None:
        return None

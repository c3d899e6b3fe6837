"""What an in-toto statement that is attached to an image claims about it.

Anyone who may write to the image's repository can attach statements: one that is about something
else is worth a warning, and counts for nothing.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from assay.evidence.intoto import Statement, parse_statement
from assay.model.claim import Claim, DigestIs
from assay.model.codes import statement as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity
from assay.model.statement import FoundStatement, Resource
from assay.predicates.find import found_statement
from assay.printable import printable


class Attachment(Struct, frozen=True):
    """What was read of something attached: what it claims of the image, what is wrong with it, and
    the statement that it is, if it is one."""

    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    statement: FoundStatement | None = None


def found_in(statement: Statement, document: str) -> tuple[FoundStatement, bool]:
    """The statement (the component ``document``) for rules to ask about, and whether who signs it
    says yes to its subjects."""
    annotations = tuple(subject.annotations for subject in statement.subjects)
    subjects = tuple(
        Resource(each.uri, each.name, {digest.algorithm: digest.hex for digest in each.digests})
        for each in statement.subjects
        if each.name or each.uri
    )
    return found_statement(
        document, statement.predicate_type, statement.predicate, annotations, subjects
    )


def read_attached(content: bytes, document: str, component: str, digest: Digest) -> Attachment:
    """What a statement (the component ``document``) says about ``component``, whose digest is
    known. Raises nothing."""
    try:
        statement = parse_statement(content, document)
    except AssayError as error:
        # whoever can attach things could otherwise have any image refused
        return Attachment(findings=(replace(error.finding, severity=Severity.WARNING),))
    found, vouches = found_in(statement, document)
    kind = printable(statement.predicate_type, 200)
    for number, subject in enumerate(statement.subjects):
        if digest in subject.digests:
            field = f"subject[{number}], {kind}"
            claim = Claim(component, document, DigestIs(digest), field, vouches=vouches)
            return Attachment((claim,), (), found)
    shown = [str(each) for subject in statement.subjects[:5] for each in subject.digests]
    finding = Finding.of(
        codes.STATEMENT_SUBJECT_MISMATCH,
        document,
        f"none of {len(statement.subjects)} subjects is the image",
        expected=digest,
        actual=", ".join(shown[:5]) or "subjects without a digest that can be computed",
        severity=Severity.WARNING,
    )
    return Attachment((), (finding,), found)

"""What an in-toto statement that is attached to an image claims about it.

Anyone who may write to the image's repository can attach statements: one that is about something
else, or says no, is worth a warning, and counts for nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay.evidence.intoto import Statement, parse_statement
from assay.model.claim import Claim, DigestIs
from assay.model.codes import statement as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity
from assay.printable import printable

_SUMMARY = "https://slsa.dev/verification_summary/"


def refuses(statement: Statement) -> bool:
    """Whether a verification summary says no, or nothing: who signs that does not vouch."""
    if not statement.predicate_type.startswith(_SUMMARY):
        return False
    return statement.predicate.get("verificationResult") != "PASSED"


def attached_claims(
    content: bytes, document: str, component: str, digest: Digest
) -> tuple[list[Claim], list[Finding]]:
    """The claims of a statement (the component ``document``) about ``component``, whose digest is
    known, and what is wrong with the statement. Raises nothing."""
    try:
        statement = parse_statement(content, document)
    except AssayError as error:
        # whoever can attach things could otherwise have any image refused
        return [], [replace(error.finding, severity=Severity.WARNING)]
    if refuses(statement):
        result = printable(repr(statement.predicate.get("verificationResult")), 100)
        finding = Finding.of(
            codes.STATEMENT_REFUSES,
            document,
            expected="PASSED",
            actual=result,
            severity=Severity.WARNING,
        )
        return [], [finding]
    kind = printable(statement.predicate_type, 200)
    for number, subject in enumerate(statement.subjects):
        if digest in subject.digests:
            return [Claim(component, document, DigestIs(digest), f"subject[{number}], {kind}")], []
    shown = [str(each) for subject in statement.subjects[:5] for each in subject.digests]
    finding = Finding.of(
        codes.STATEMENT_SUBJECT_MISMATCH,
        document,
        f"none of {len(statement.subjects)} subjects is the image",
        expected=digest,
        actual=", ".join(shown[:5]) or "subjects without a digest that can be computed",
        severity=Severity.WARNING,
    )
    return [], [finding]

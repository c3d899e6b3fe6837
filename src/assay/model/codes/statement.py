"""Codes about statements (attestations): signed documents that speak of images."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

STATEMENT_SUBJECT_MISMATCH = Code(
    "statement-subject-mismatch",
    "the statement is about something else than this image",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The digests of the statement's subjects against the image: its file, or its manifest or index."
    " Names of subjects do not count.",
    "A statement about another version or platform, or about a file that was made from the image"
    " (compressed, say). Or a genuine statement was put beside an image that it does not cover.",
    "Get the statement that belongs to this version of the image. If there is none, treat the image"
    " as one that nobody vouches for.",
)

STATEMENT_UNSUPPORTED = Code(
    "statement-unsupported",
    "the attestation is of a kind that Assay does not read",
    Severity.ERROR,
    Question.CHECKED,
    "The type that the envelope gives its payload, which is signed, against in-toto statements.",
    "An attestation in another format, or an envelope that serves another purpose.",
    "Ask the publisher for an in-toto statement (application/vnd.in-toto+json).",
)

STATEMENT_UNSIGNED = Code(
    "statement-unsigned",
    "the statement carries no signature",
    Severity.INFO,
    Question.AUTHENTIC,
    "Whether the statement is in an envelope with signatures.",
    "A bare statement, as build tools write before somebody signs it. Anyone can have written it.",
    "Ask the publisher for the signed envelope.",
)

STATEMENT_REFUSES = Code(
    "statement-refuses",
    "the statement says that the image did not pass",
    Severity.ERROR,
    Question.ALLOWED,
    "The result in a verification summary (SLSA VSA), where only PASSED is a yes.",
    "Whoever checked the image against their policy found that it does not comply. A later summary"
    " of the same verifier that it passed takes its place.",
    "Find out from the verifier what was wrong, and use an image that passed.",
)

"""Codes about signatures and attestations that are kept beside an image in its registry."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

ATTACHED_UNREADABLE = Code(
    "attached-unreadable",
    "something that is attached to the image cannot be read",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The manifest of each artifact that refers to the image, or is kept under a tag made from its"
    " digest, and the blobs that it names.",
    "A signature was stored damaged or in part, or someone who may push to the repository put it"
    " there. It counts for nothing; the image may still be vouched for by another.",
    "Ask the publisher to sign the image again. Find out who else can push to the repository.",
)

ATTACHED_ABOUT_ANOTHER = Code(
    "attached-about-another",
    "a signature that is attached to the image speaks of another one",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The digest in the signed payload, or in a statement's subjects, against that of the image.",
    "The signature of another image was copied to this one, or the image was replaced after it"
    " was signed.",
    "Get the image and its signature from the publisher again. Find out who can push to the"
    " repository.",
)

ATTACHED_TOO_MANY = Code(
    "attached-too-many",
    "there are more signatures than are looked at",
    Severity.ERROR,
    Question.CHECKED,
    "The number of artifacts attached to the image against the limit.",
    "The image is signed again on every build without being cleaned up, or someone tries to keep"
    " the right signature from being found.",
    "Remove signatures that are no longer needed from the repository.",
)

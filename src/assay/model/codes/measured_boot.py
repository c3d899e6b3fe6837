"""Codes about what a boot measures."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

BOOT_NOT_ALLOWED = Code(
    "boot-not-allowed",
    "the firmware would not start the program",
    Severity.ERROR,
    Question.ALLOWED,
    "The signatures and the digest of the program against db and dbx of the firmware.",
    "The program is signed below an authority that this firmware does not have, it is not signed,"
    " or it was revoked.",
    "Sign the program below an authority in db, or have the authority enrolled; replace a program"
    " that was revoked.",
)

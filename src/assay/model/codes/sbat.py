"""Codes about SBAT, the generations by which boot loaders are revoked."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_UPDATE = (
    "Get a current version of the program from its publisher. A machine that has the level"
    " already does not boot this one."
)

SBAT_MALFORMED = Code(
    "sbat-malformed",
    "SBAT data cannot be read",
    Severity.WARNING,
    Question.ALLOWED,
    "The sections .sbat and .sbatlevel: lines of comma separated values, each component once, with"
    " a decimal generation.",
    "The program was built with the wrong file in its section .sbat, or is damaged. shim does not"
    " start such a program.",
    "Have the program built again with SBAT data in the form that SBAT.md of shim describes.",
)

SBAT_REVOKED = Code(
    "sbat-revoked",
    "the revocation level does not take a component of this program any more",
    Severity.ERROR,
    Question.ALLOWED,
    "With --sbat-level, the generation of each component in .sbat against the least that the level"
    " takes.",
    "The program has a security flaw that was fixed in a later generation, or somebody put an old"
    " version in place of the current one.",
    _UPDATE,
)

SBAT_MISSING = Code(
    "sbat-missing",
    "the program does not say its generations (SBAT)",
    Severity.ERROR,
    Question.ALLOWED,
    "With --sbat-level, whether each program has SBAT data that can be read.",
    "It is older than SBAT, or was built without it. shim starts no boot loader without; a boot"
    " loader may start a Linux kernel without, so there this is a warning.",
    _UPDATE,
)

SBAT_ACCEPTED = Code(
    "sbat-accepted",
    "the revocation level takes every component of this program",
    Severity.INFO,
    Question.ALLOWED,
    "With --sbat-level, the generation of each component in .sbat against the least that the level"
    " takes.",
    "The program is as new as the level asks.",
    "Nothing has to be done.",
)

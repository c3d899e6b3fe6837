"""Findings: checked facts, good or bad, with stable codes."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Severity(Enum):
    ERROR = "error"
    """Refuses the image."""

    WARNING = "warning"
    """Worth a person's attention; a policy may refuse it."""

    INFO = "info"


class Question(Enum):
    """Which of a verdict's questions a finding answers."""

    INTACT = "intact"
    AUTHENTIC = "authentic"
    ALLOWED = "allowed"
    CHECKED = "checked"
    """It says that something could not be checked: exit status 3 when nothing was refused."""


class Code(Struct, frozen=True):
    """A kind of finding. The texts make its documentation page.

    ``name`` is stable: scripts and policies depend on it. ``checked`` says what is compared,
    ``means`` what it usually means (most likely cause first), ``remedy`` what to do; none of them
    ever advises loosening a policy.
    """

    name: str
    title: str
    severity: Severity
    question: Question
    checked: str
    means: str
    remedy: str


class Finding(Struct, frozen=True):
    """One occurrence of a code.

    ``component`` is where (a component id), ``offset`` the byte in it, ``expected`` and
    ``actual`` what was compared, ``detail`` one sentence for people, ``cause`` the likeliest
    explanation that the evidence supports (``truncation``, ``corruption``, ``wrong-key`` ...).
    """

    code: str
    severity: Severity
    question: Question
    component: str = ""
    detail: str = ""
    expected: str = ""
    actual: str = ""
    offset: int | None = None
    cause: str = ""
    remedy: str = ""

    @classmethod
    def of(
        cls,
        code: Code,
        component: str = "",
        detail: str = "",
        *,
        expected: object = "",
        actual: object = "",
        offset: int | None = None,
        cause: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this code; the severity and the remedy are the code's unless given."""
        return cls(
            code=code.name,
            severity=severity or code.severity,
            question=code.question,
            component=component,
            detail=detail or code.title,
            expected=str(expected),
            actual=str(actual),
            offset=offset,
            cause=cause,
            remedy=code.remedy,
        )


class AssayError(Exception):
    """Something kept Assay from doing its work; carries the finding that explains it.

    Every parser raises this and nothing else for bad input.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.code}: {finding.detail}")
        self.finding = finding


class UsageError(Exception):
    """The request itself makes no sense: a bad option, an unreadable configuration (exit 2)."""

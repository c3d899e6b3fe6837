"""What a policy says of an image: which rule decided, and with which values."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Result(Enum):
    """Whether something that is required holds."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "unchecked"
    """It could not be checked. Never the same as passed."""


class RequirementResult(Struct, frozen=True):
    """What became of one requirement of a rule. ``kind`` is its name in the policy, ``why`` one
    sentence for people, ``seen`` the values that were looked at, by name. ``excused`` says by what
    a requirement that is not met does not count, empty where it does."""

    kind: str
    result: Result
    why: str
    seen: dict[str, str] = {}
    excused: str = ""

    @property
    def counts_against(self) -> bool:
        return self.result is not Result.PASSED and not self.excused


class RuleResult(Struct, frozen=True):
    """What became of one rule whose match fits the image. ``mode`` is how it counts at the
    effective time (``enforce``, ``warn``, ``audit``), ``note`` why that is not what the policy says
    for good."""

    name: str
    result: Result
    mode: str
    requirements: tuple[RequirementResult, ...] = ()
    note: str = ""

    @property
    def refuses(self) -> bool:
        """Whether this rule is a reason to refuse the image."""
        return self.mode == "enforce" and any(each.counts_against for each in self.requirements)


class ExceptionUse(Struct, frozen=True):
    """An exception that fits the image. ``expired`` ones count no more; ``excused`` are the
    requirements (``rule: kind``) that are not met and do not count by it."""

    reason: str
    ticket: str
    approved_by: str
    expires: str
    expired: bool = False
    excused: tuple[str, ...] = ()


class BreakGlassUse(Struct, frozen=True):
    """That the emergency exit was asked for. ``signers`` are those who let the image in, ``rules``
    the rules that were set aside; without ``granted`` it was asked for in vain."""

    reason: str
    granted: bool
    why: str
    signers: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class PolicyReport(Struct, frozen=True):
    """What a policy says. ``digest`` is that of the policy as it was read, ``decided`` one sentence
    on what the decision comes from."""

    name: str
    digest: str
    decided: str
    rules: tuple[RuleResult, ...] = ()
    exceptions: tuple[ExceptionUse, ...] = ()
    break_glass: BreakGlassUse | None = None

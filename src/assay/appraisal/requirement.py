"""What all requirements on statements share: which statements they concern, who may speak, and how
it is told that none meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from assay.appraisal.statements import Judged
from assay.appraisal.whole import Whole
from assay.model.codes import predicate as codes
from assay.model.finding import Finding
from assay.model.identity import NamePattern
from assay.model.statement import RequirementReport
from assay.model.statement_demands import Role

CLOCK_SKEW = 300.0
"""Seconds by which the clocks of others may be ahead."""

Ruling = tuple[RequirementReport, list[Finding]]


class Wanted(Struct, frozen=True):
    """A requirement that one statement for each target has to meet. ``name`` is stable; ``what``
    is what is wanted, for people; ``faults`` says why a trusted statement does not meet it."""

    name: str
    what: str
    concerns: Callable[[Judged], bool]
    faults: Callable[[Judged], list[Finding]]


def ruling(whole: Whole, judged: Sequence[Judged], wanted: Wanted) -> Ruling:
    """Whether every target has a statement that meets the requirement. Of those that do not, the
    one that comes closest tells why."""
    mine = [one for one in judged if wanted.concerns(one)]
    findings: list[Finding] = []
    missing: list[str] = []
    meeting: dict[str, None] = {}
    for target in whole.targets:
        trusted = usable(mine, target)
        if not trusted:
            missing.append(target)
            continue
        tried = [(wanted.faults(one), one) for one in trusted]
        good = [one for faults, one in tried if not faults]
        meeting.update(dict.fromkeys(one.report.document for one in good))
        if not good:
            findings += min(tried, key=lambda pair: len(pair[0]))[0]
    if missing or not whole.targets:
        findings.append(absent(whole, mine, wanted.what, missing))
    met = not findings
    report = RequirementReport(
        wanted.name, met, wanted.what if met else f"not met: {wanted.what}", tuple(meeting)
    )
    return report, list(dict.fromkeys(findings))


def usable(judged: Iterable[Judged], target: str) -> list[Judged]:
    """The trusted statements about a target whose predicates could be read."""
    return [
        one
        for one in judged
        if one.report.trusted and target in one.report.about and one.fault is None
    ]


def absent(whole: Whole, judged: Sequence[Judged], what: str, missing: Sequence[str]) -> Finding:
    """That there is no trusted statement of a kind, and what there is instead."""
    trusted = [one for one in judged if one.report.trusted]
    broken = [one for one in trusted if one.fault is not None]
    if broken:
        detail = f"what {_documents(broken)} says cannot be understood"
    elif trusted:
        detail = f"{_documents(trusted)} is about something else"
        if whole.targets and set(missing) != set(whole.targets):
            detail = f"there is none for {', '.join(missing)}"
    elif judged:
        detail = f"nobody that you trust signed {_documents(judged)}"
    else:
        detail = "there is none with the image"
    return Finding.of(
        codes.STATEMENT_MISSING, whole.root, detail, expected=what, actual="no such statement"
    )


def _documents(judged: Sequence[Judged]) -> str:
    shown = ", ".join(one.report.document for one in judged[:3])
    return shown + (f" and {len(judged) - 3} more" if len(judged) > 3 else "")


def unpaired(
    one: Judged, roles: Sequence[Role] | None, name: str, what: str
) -> tuple[list[Role], list[Finding]]:
    """The roles in which the signers of a statement may speak as ``name``, and what is wrong if
    there are none. ``what`` says what the name is of."""
    if roles is None:
        return [], []
    named = [role for role in roles if role.id is None or role.id.matches(name)]
    held = [role for role in named if _may_speak(one, role)]
    if held:
        return held, []
    who = ", ".join(signer.identity for signer in one.report.signers) or "nobody"
    finding = Finding.of(
        codes.BUILDER_NOT_PAIRED,
        one.report.document,
        f"it names the {what} {name or 'nobody'}, and is signed by {who}",
        expected="signed by " + (" or ".join(_signer(role) for role in named) or "nobody")
        if named
        else f"a {what} in the table of roles",
        actual=f"signed by {who}",
    )
    return [], [finding]


def _may_speak(one: Judged, role: Role) -> bool:
    if role.operator:
        return role.operator in one.operators
    return any(
        role.signer is not None
        and (role.issuer is None or role.issuer.matches(signer.issuer))
        and any(role.signer.matches(name) for name in (signer.identity, signer.key, *signer.names))
        for signer in one.report.signers
    )


def _signer(role: Role) -> str:
    if role.operator:
        return f"the operator {role.operator}"
    at = f" at {role.issuer.text}" if role.issuer else ""
    return (role.signer.text if role.signer else "nobody") + at


def matched(patterns: Sequence[NamePattern], *names: str) -> bool:
    """Whether one of the patterns matches one of the names of a thing; no patterns ask nothing."""
    return not patterns or any(p.matches(name) for p in patterns for name in names)


def alternatives(patterns: Sequence[NamePattern]) -> str:
    return " or ".join(pattern.text for pattern in patterns)


def too_old(one: Judged, time: str, max_age: float | None, at: datetime) -> list[Finding]:
    """Whether a statement of this time (RFC 3339, empty if it does not say) is fresh enough."""
    if max_age is None:
        return []
    actual = time or "no time"
    if time:
        moment = datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(UTC)
        age = (at - moment).total_seconds()
        if -CLOCK_SKEW <= age <= max_age:
            return []
        actual = f"{time}, {'in the future' if age < 0 else f'{duration(age)} ago'}"
    return [
        Finding.of(
            codes.STATEMENT_STALE,
            one.report.document,
            f"the {one.report.title} is of {actual}",
            expected=f"not older than {duration(max_age)}",
            actual=actual,
        )
    ]


def duration(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{int(seconds)} s"

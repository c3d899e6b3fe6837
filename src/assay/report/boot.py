"""A check of Secure Boot, as text for people and as JSON; its schema is `boot-check-1`."""

from __future__ import annotations

from typing import Any

import msgspec

from assay.model.boot import BootCheck, DatabaseSummary, Ground, Link, Outcome, Role
from assay.model.finding import Severity
from assay.report.findings import finding_lines
from assay.report.json import encode
from assay.report.style import WIDTH, Paint, counted, labelled, painter, presentable

_OUTCOMES = {
    Outcome.ALLOWED: ("ALLOWED", "good"),
    Outcome.REFUSED: ("REFUSED", "bad"),
    Outcome.UNCHECKED: ("NOT CHECKED", "warn"),
}
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_COLUMN = 15


def to_value(check: BootCheck) -> dict[str, Any]:
    """The answer as plain values."""
    value: dict[str, Any] = msgspec.to_builtins(check)
    value["exit_status"] = check.exit_status
    return value


def render_json(checks: list[BootCheck]) -> str:
    """The answers as a JSON document."""
    return encode(
        {"schema_version": checks[0].schema_version, "checks": [to_value(each) for each in checks]}
    )


def render(check: BootCheck, *, color: bool = False, verbose: int = 0, width: int = WIDTH) -> str:
    """The answer, the machine, each link with its reasons, and the findings."""
    check = presentable(check)
    paint = painter(color)
    word, style = _OUTCOMES[check.outcome]
    lines = [f"{paint(word, style)}  {check.image}"]
    for database in check.databases:
        lines += labelled(database.name, _summary(database), width, indent=2, column=_COLUMN)
    for link in check.links:
        lines += ["", *_link(link, paint, width)]
    told: set[str] = set()
    for finding in sorted(check.findings, key=lambda each: _ORDER[each.severity]):
        lines.append("")
        again = finding.code in told and not verbose
        lines += finding_lines(finding, paint, again=again, width=width)
        told.add(finding.code)
    return "\n".join(lines) + "\n"


def _summary(database: DatabaseSummary) -> str:
    parts = [_common(name) for name in database.certificates]
    if database.hashes:
        parts.append(counted(database.hashes, "program by digest", "programs by digest"))
    if database.certificate_hashes:
        parts.append(
            counted(database.certificate_hashes, "certificate by digest", "certificates by digest")
        )
    return ", ".join(parts) or "empty"


def _common(name: str) -> str:
    """The common name of a subject, or all of it."""
    for part in name.split(","):
        if part.startswith("CN="):
            return part.removeprefix("CN=")
    return name


def _link(link: Link, paint: Paint, width: int) -> list[str]:
    word, style = _OUTCOMES[link.outcome]
    lines = [f"  {paint(word.lower(), style)}  {paint(link.id, 'bold')}  {link.role.value}"]

    def row(label: str, text: str) -> None:
        lines.extend(labelled(label, text, width, indent=4, column=_COLUMN + 2))

    row("checked by", link.checked_by)
    for ground in link.allowed_by:
        row("allowed by", _ground(ground))
    for ground in link.refused_by:
        row("refused by", _ground(ground))
    if link.sbat_level:
        row("SBAT", f"{', '.join(link.sbat) or 'none'}; {link.sbat_level}")
    if link.digest:
        row("root hash" if link.role is Role.ROOT else "digest", link.digest)
    if link.detail:
        row("", link.detail)
    return lines


def _ground(ground: Ground) -> str:
    what = ground.authority or _common(ground.name)
    by = f"{ground.signature} by {_common(ground.signer)}: " if ground.signature else ""
    place = f", {ground.entry}" if ground.entry else ""
    kind = "" if ground.kind == "certificate" else f" {ground.kind}"
    return f"{by}{ground.database}{kind}, {what}{place}"

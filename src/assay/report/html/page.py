"""What the page shows, and in which order; how it looks is in ``page.html`` and ``page.css``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from assay.model.contents import ContentAccount
from assay.model.finding import Finding, Severity
from assay.model.verdict import ComponentReport, Decision, Verdict
from assay.report.contents import summary
from assay.report.findings import registry
from assay.report.html.bars import Stretch, bar_of, bar_of_image
from assay.report.model import Report
from assay.report.policy import ANSWER, rule_note
from assay.report.statements import statement_texts
from assay.report.style import counted, human_size, presentable
from assay.report.tree import children_of
from assay.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_HEADING = {
    Decision.ALLOWED: "Allowed",
    Decision.REFUSED: "Refused",
    Decision.UNCHECKED: "Could not be checked",
}


class Node(Struct):
    """A component in the tree, ``depth`` levels below the image."""

    component: ComponentReport
    depth: int
    bar: list[Stretch]


class Explained(Struct, frozen=True):
    """A finding with what its code says to everybody."""

    finding: Finding
    title: str
    means: str


class Part(Struct, frozen=True):
    """All that the page shows of one image."""

    verdict: Verdict
    anchor: str
    heading: str
    answers: list[tuple[str, str, str]]
    bar: list[Stretch]
    percent: str
    accounted: list[tuple[str, str]]
    statements: list[str]
    nodes: list[Node]
    outside: list[ComponentReport]
    findings: list[Explained]


def render(verdicts: Sequence[Verdict]) -> str:
    """A whole HTML document."""
    parts = [_part(number, presentable(verdict)) for number, verdict in enumerate(verdicts, 1)]
    return _template().render(
        parts=parts,
        style=(_HERE / "page.css").read_text("utf-8"),
        title=_title(verdicts),
        tool=f"Assay {__version__}",
    ) + "\n"  # fmt: skip


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "size": human_size,
        "rule_note": rule_note,
        "answer": lambda result: ANSWER[result][0],
    }
    environment.filters.update(filters)
    return environment.get_template("page.html")


def _title(verdicts: Sequence[Verdict]) -> str:
    if len(verdicts) == 1:
        return f"{_HEADING[verdicts[0].decision]}: {presentable(verdicts[0]).image}"
    allowed = sum(1 for verdict in verdicts if verdict)
    return f"{allowed} of {counted(len(verdicts), 'image')} allowed"


def _part(number: int, verdict: Verdict) -> Part:
    percent = 100 * verdict.coverage.fraction
    return Part(
        verdict=verdict,
        anchor=f"image-{number}",
        heading=_HEADING[verdict.decision],
        answers=[
            ("intact", verdict.intact.value, "is it exactly what its documents say?"),
            ("authentic", verdict.authentic.value, "does someone trusted vouch for it?"),
            ("allowed", verdict.allowed.value, "does the rule let it run?"),
        ],
        bar=bar_of_image(verdict.coverage),
        percent="100" if verdict.coverage.fraction == 1 else f"{min(percent, 99.9):.1f}",
        accounted=[_accounted(account) for account in verdict.contents],
        statements=statement_texts(verdict, every=False),
        nodes=_nodes(verdict),
        outside=[component for component in verdict.components if component.external],
        findings=_findings(verdict),
    )


def _accounted(account: ContentAccount) -> tuple[str, str]:
    """What SBOMs account for: a short answer, and the rest of the sentence."""
    answer, text = re.split(r", | (?=of )", summary(account), maxsplit=1)
    return answer, text


def _nodes(verdict: Verdict) -> list[Node]:
    """The tree from top to bottom. A stack and no recursion: its depth is the image's to choose."""
    below = children_of(verdict)
    pending = [(component, 0) for component in reversed(below.get("", []))]
    found: list[Node] = []
    while pending:
        component, depth = pending.pop()
        found.append(Node(component, depth, bar_of(component)))
        pending += [(child, depth + 1) for child in reversed(below.pop(component.id, []))]
    return found


def _findings(verdict: Verdict) -> list[Explained]:
    ordered = sorted(verdict.findings, key=lambda finding: _SEVERITIES.index(finding.severity))
    explained: list[Explained] = []
    for finding in ordered:
        code = registry().get(finding.code)
        explained.append(
            Explained(finding, code.title if code else finding.code, code.means if code else "")
        )
    return explained


REPORT = Report("html", "a self-contained page, for people", render)

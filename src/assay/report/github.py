"""Annotations as GitHub's runners take them from the output of a step: workflow commands."""

from __future__ import annotations

from collections.abc import Sequence

from assay.model.finding import Severity
from assay.model.verdict import Verdict
from assay.report.model import Report
from assay.report.style import presentable

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(verdicts: Sequence[Verdict]) -> str:
    """One line for each finding, and one for each image that is allowed."""
    lines: list[str] = []
    for verdict in map(presentable, verdicts):
        for finding in verdict.findings:
            if finding.severity is Severity.INFO:
                continue
            where = f"{verdict.image}: {finding.component}" if finding.component else verdict.image
            text = f"{where}: {finding.detail}"
            text += f"\nexpected {finding.expected}" if finding.expected else ""
            text += f"\nactual   {finding.actual}" if finding.actual else ""
            lines.append(
                f"::{_COMMAND[finding.severity]} title={_property(f'assay {finding.code}')}"
                f"::{_message(text)}"
            )
        for skipped in verdict.not_checked:
            text = f"{verdict.image}: {skipped.component} was not checked: {skipped.reason}"
            lines.append(f"::warning title=assay not checked::{_message(text)}")
        if verdict:
            text = f"{verdict.image}: allowed, {verdict.rule}"
            lines.append(f"::notice title=assay::{_message(text)}")
    return "".join(f"{line}\n" for line in lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


REPORT = Report("github", "annotations for GitHub's runners", render)

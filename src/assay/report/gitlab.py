"""GitLab's code quality report: findings that its merge requests show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from assay.model.finding import Severity
from assay.model.verdict import Verdict
from assay.report.json import encode
from assay.report.model import Report
from assay.report.style import presentable

_SEVERITY = {Severity.ERROR: "blocker", Severity.WARNING: "major", Severity.INFO: "info"}


def render(verdicts: Sequence[Verdict]) -> str:
    """A JSON array with an object for each finding and each part that was not checked."""
    items: list[dict[str, Any]] = []
    for verdict in map(presentable, verdicts):
        for finding in verdict.findings:
            text = finding.detail + (f" ({finding.component})" if finding.component else "")
            text += f"; expected: {finding.expected}" if finding.expected else ""
            text += f"; actual: {finding.actual}" if finding.actual else ""
            items.append(
                _item(verdict, finding.code, finding.component, text)
                | {"severity": _SEVERITY[finding.severity]}
            )
        for skipped in verdict.not_checked:
            text = f"{skipped.component} was not checked: {skipped.reason}"
            items.append(
                _item(verdict, "not-checked", skipped.component, text) | {"severity": "minor"}
            )
    return encode(items)


def _item(verdict: Verdict, code: str, component: str, text: str) -> dict[str, Any]:
    told = f"{verdict.image}\0{code}\0{component}\0{text}".encode("utf-8", "surrogateescape")
    return {
        "type": "issue",
        "check_name": code,
        "description": text,
        "categories": ["Security"],
        "fingerprint": hashlib.sha256(told).hexdigest(),
        "location": {"path": verdict.image, "lines": {"begin": 1}},
    }


REPORT = Report("gitlab", "GitLab's code quality report", render)

"""Short ways to verify in tests, and to look at what came out."""

from __future__ import annotations

from typing import Any

from assay.model.finding import Severity
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust


def check(name: str, digest: str = "", **options: Any) -> Verdict:
    """The verdict on one image, with a digest to trust; ``options`` are those of `OpenOptions`."""
    trust = Trust()
    if digest:
        trust.add_digest(digest)
    [verdict] = verify(name, VerifyOptions(trust, open=OpenOptions(**options)))
    return verdict


def codes_of(verdict: Verdict) -> set[str]:
    """The codes of all findings that are more than a remark."""
    return {finding.code for finding in verdict.findings if finding.severity is not Severity.INFO}


def text_of(verdict: Verdict) -> str:
    """Everything that any report says about a verdict."""
    from assay.report import json
    from assay.report.text import render

    return json.render([verdict]) + render(verdict, color=False, verbose=2)

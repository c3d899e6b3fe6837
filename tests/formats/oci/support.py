"""Images that are written, verified, and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.model.finding import Finding, Severity
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.support.images import Descriptor, Layout


def verdict_on(layout: Layout, image: Descriptor, path: Path, **options: Any) -> Verdict:
    """The verdict on an image that is trusted by its digest; ``options`` are those of the
    formats."""
    trust = Trust()
    trust.add_digest(image["digest"])
    name = layout.write(path / "image", image) + f"@{image['digest']}"
    [verdict] = verify(name, VerifyOptions(trust, formats=Options(**options)))
    return verdict


def odd(verdict: Verdict) -> dict[str, Severity]:
    """The codes of everything that is more than a remark, with their severities."""
    return {
        finding.code: finding.severity
        for finding in reversed(verdict.findings)
        if finding.severity is not Severity.INFO
    }


def finding(verdict: Verdict, code: str) -> Finding:
    """The one finding of a code."""
    [found] = [finding for finding in verdict.findings if finding.code == code]
    return found


def good(verdict: Verdict) -> None:
    """Assert that the image is allowed, bound to the last byte, without a word."""
    assert odd(verdict) == {}
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1
    assert verdict.not_checked == ()

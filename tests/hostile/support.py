"""Judges bad input, and what is said about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.model.finding import Severity
from assay.model.verdict import Answer, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.report import json as json_report
from assay.report import text
from assay.report.findings import registry
from assay.trust.anchors import Trust
from tests.support.images import Descriptor, Layout

ZEROS = "sha256:" + "0" * 64


def refused(
    name: str | Path, trust: Trust, *codes: str, status: int = 1, **options: Any
) -> Verdict:
    """The verdict on one image that has to be refused (or, with ``status`` 3, not checked), for
    one of these reasons among others."""
    verdict = judged(name, trust, **options)
    assert verdict.exit_status == status, text.render(verdict)
    found = {finding.code for finding in verdict.findings}
    assert not codes or found & set(codes), text.render(verdict)
    return verdict


def judged(name: str | Path, trust: Trust, **options: Any) -> Verdict:
    """The verdict on one image. Whatever it is, it says enough, and does not contradict itself."""
    [verdict] = verify(str(name), VerifyOptions(trust, **options))
    assert "internal-error" not in {finding.code for finding in verdict.findings}, verdict
    if verdict.exit_status:
        errors = [f for f in verdict.findings if f.severity is Severity.ERROR]
        assert errors
        assert verdict.allowed is Answer.NO
    else:
        assert verdict.authentic is Answer.YES or verdict.self_consistent
    known = registry()
    shown = text.render(verdict, verbose=1)
    for finding in verdict.findings:
        code = known[finding.code]
        assert finding.detail
        assert code.means
        if finding.severity is Severity.ERROR:
            assert finding.remedy
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert json.loads(json_report.render([verdict]))
    return verdict


def layout_of(folder: Path, build: Callable[[Layout], Descriptor]) -> tuple[str, str]:
    """Write an image; its name for the command line, and the digest of its manifest or index."""
    layout = Layout()
    top = build(layout)
    return layout.write(folder, top), top["digest"]


def blob_path(folder: Path, digest: str) -> Path:
    algorithm, _, name = digest.partition(":")
    return folder / "blobs" / algorithm / name

"""JSON Lines: each verdict on a line of its own, as `assay.report.json` has it."""

from __future__ import annotations

from collections.abc import Sequence

from assay.model.verdict import Verdict
from assay.report.json import encode, to_value
from assay.report.model import Report


def render(verdicts: Sequence[Verdict]) -> str:
    """One line for each verdict, in the order of the images."""
    return "".join(encode(to_value(verdict), indent=-1) for verdict in verdicts)


REPORT = Report("jsonl", "JSON Lines, a verdict on each", render)

"""One self-contained page: nothing is loaded from anywhere, and nothing in it runs."""

from __future__ import annotations

from assay.report.html.page import REPORT, render

__all__ = ["REPORT", "render"]

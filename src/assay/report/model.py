"""What a report is: one form that verdicts are written in.

Reports are plugged in under the entry point group ``assay.reports``, one module each, and know
nothing but verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from assay.model.verdict import Verdict


class Report(Struct, frozen=True):
    """``name`` is what the command line calls it, ``description`` one line for people, and
    ``render`` writes the verdicts of one call. What it writes is UTF-8 text, safe to look at."""

    name: str
    description: str
    render: Callable[[Sequence[Verdict]], str]

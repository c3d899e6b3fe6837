"""The verdict as JSON, versioned; the schema is `assay/schemas/verdict-1.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from assay.model.verdict import Verdict


def to_value(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values (dicts, lists, strings, numbers)."""
    value: dict[str, Any] = msgspec.to_builtins(verdict)
    value["exit_status"] = verdict.exit_status
    value["coverage"]["fraction"] = round(verdict.coverage.fraction, 6)
    return value


def render(verdicts: Sequence[Verdict]) -> str:
    """A JSON document: ``{"schema_version": 1, "verdicts": [...]}``."""
    document = {"schema_version": 1, "verdicts": [to_value(verdict) for verdict in verdicts]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"

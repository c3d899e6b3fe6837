"""What tests of comparisons share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from assay.appraisal.case import BuiltInRule
from assay.comparison.run import CompareOptions, compare
from assay.model.comparison import Comparison, ComponentDifference
from assay.pipeline import VerifyOptions
from assay.reference_values import take_baseline
from assay.report import schemas
from assay.report.comparison import render, render_json
from assay.trust.anchors import Trust

_SCHEMA = Draft202012Validator(json.loads(schemas.text_of("comparison-1")))


def compared(a: str | Path, b: str | Path, **options: Any) -> Comparison:
    """The comparison, which both forms of report can show."""
    found = compare(str(a), str(b), CompareOptions(**options))
    _SCHEMA.validate(json.loads(render_json(found)))
    assert render(found)
    return found


def differences(found: Comparison) -> dict[tuple[str, str], str]:
    """How each component differs, by its ids in both."""
    return {(item.a, item.b): item.difference.value for item in found.components}


def only(found: Comparison) -> ComponentDifference:
    [difference] = found.components
    return difference


def write_baseline(name: str | Path, target: Path, chunk_size: int = 4096) -> Path:
    request = VerifyOptions(Trust(), rule=BuiltInRule(self_consistent=True))
    [taken] = take_baseline(str(name), request, ["sha256"], chunk_size)
    assert taken.document is not None
    target.write_bytes(taken.document)
    return target

"""SARIF 2.1.0 (OASIS), which code scanning services and editors read.

Each finding is a result and each of their codes a rule, with its explanation as help. What was
not checked is a result of the kind ``open``: nobody may take it for a pass. The decision, the
answers, the coverage of each image and what a policy said are in the properties of the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from assay.model.finding import Code, Finding, Severity
from assay.model.verdict import Decision, NotChecked, Verdict
from assay.report.findings import registry
from assay.report.json import encode
from assay.report.model import Report
from assay.report.style import presentable
from assay.version import __version__

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
NOT_CHECKED = "not-checked"

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(verdicts: Sequence[Verdict]) -> str:
    """One log with one run."""
    rules: dict[str, int] = {}
    results: list[dict[str, Any]] = []
    for verdict in map(presentable, verdicts):
        results += [_result(verdict, finding, rules) for finding in verdict.findings]
        results += [_open(verdict, skipped, rules) for skipped in verdict.not_checked]
    checked = all(verdict.decision is not Decision.UNCHECKED for verdict in verdicts)
    run = {
        "tool": {
            "driver": {
                "name": "Assay",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(name) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": checked}],
        "results": results,
        "properties": {"verdicts": [_summary(verdict) for verdict in map(presentable, verdicts)]},
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(name: str) -> dict[str, Any]:
    code: Code | None = registry().get(name)
    if code is None:
        text = "Something that belongs to the image was not looked at."
        return {"id": name, "shortDescription": {"text": text}}
    return {
        "id": code.name,
        "name": "".join(word.capitalize() for word in code.name.split("-")),
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.checked},
        "help": {"text": f"{code.means}\n\n{code.remedy}"},
        "defaultConfiguration": {"level": _LEVEL[code.severity]},
        "properties": {"question": code.question.value, "tags": ["security", "integrity"]},
    }


def _result(verdict: Verdict, finding: Finding, rules: dict[str, int]) -> dict[str, Any]:
    text = [finding.detail]
    if finding.expected:
        text.append(f"Expected: {finding.expected}")
    if finding.actual:
        text.append(f"Actual: {finding.actual}")
    if finding.remedy:
        text.append(finding.remedy)
    return {
        "ruleId": finding.code,
        "ruleIndex": rules.setdefault(finding.code, len(rules)),
        "level": _LEVEL[finding.severity],
        "message": {"text": "\n".join(text)},
        "locations": [_location(verdict, finding.component, finding.offset)],
        "partialFingerprints": _fingerprint(
            verdict, finding.code, finding.component, finding.detail
        ),
        "properties": {"cause": finding.cause} if finding.cause else {},
    }


def _open(verdict: Verdict, skipped: NotChecked, rules: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": NOT_CHECKED,
        "ruleIndex": rules.setdefault(NOT_CHECKED, len(rules)),
        "kind": "open",
        "level": "none",
        "message": {"text": f"not checked: {skipped.reason}"},
        "locations": [_location(verdict, skipped.component, None)],
        "partialFingerprints": _fingerprint(
            verdict, NOT_CHECKED, skipped.component, skipped.reason
        ),
    }


def _location(verdict: Verdict, component: str, offset: int | None) -> dict[str, Any]:
    # a name may hold anything, and a URI reference (RFC 3986) may not
    uri = quote(verdict.image, safe="/:@!$&'()*+,;=-._~")
    if uri.partition("/")[0].count(":") and "://" not in uri:
        uri = f"./{uri}"  # else the part before the colon were a scheme
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if offset is not None:
        physical["region"] = {"byteOffset": offset, "byteLength": 0}
    location: dict[str, Any] = {"physicalLocation": physical}
    if component:
        location["logicalLocations"] = [{"fullyQualifiedName": component, "kind": "resource"}]
    return location


def _fingerprint(verdict: Verdict, code: str, component: str, detail: str) -> dict[str, str]:
    """The same for the same defect of the same image, whatever else is found in it. The detail is
    part of it: services show one of several results that have the same fingerprint, and two
    rules that are not met differ in nothing else."""
    name = verdict.image.partition("@")[0]
    told = f"{name}\0{code}\0{component}\0{detail}".encode("utf-8", "surrogateescape")
    return {"assay/v2": hashlib.sha256(told).hexdigest()}


def _summary(verdict: Verdict) -> dict[str, Any]:
    said: dict[str, Any] = {"rule": verdict.rule}
    if verdict.policy is not None:
        said["policy"] = verdict.policy
    return {
        "image": verdict.image,
        "resolved": verdict.resolved,
        "decision": verdict.decision.value,
        "intact": verdict.intact.value,
        "authentic": verdict.authentic.value,
        "coverage": round(verdict.coverage.fraction, 6),
        "vouchers": [vouching.description for vouching in verdict.vouchers],
        **said,
    }


REPORT = Report("sarif", "SARIF 2.1.0, for code scanning", render)

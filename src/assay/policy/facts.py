"""Facts: all that a policy's decision depends on, beside the policy and the time. They can be
recorded as JSON, and judged again later exactly as they were judged when the image was there."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from assay import limits
from assay.model.codes import content as content_codes
from assay.model.codes import policy as codes
from assay.model.contents import ContentAccount
from assay.model.finding import AssayError, Finding
from assay.model.grounds import Grounds
from assay.model.statement import StatementReport
from assay.model.verdict import Answer, ComponentReport, Coverage, NotChecked, Verdict

VERSION = 1
"""The version of the JSON form."""


class Facts(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one image. ``at`` is the time (RFC 3339) that signatures were judged at;
    ``findings`` are those that no policy had a part in."""

    assay_facts: int
    image: str
    resolved: str
    format: str
    at: str
    tool: str
    intact: Answer
    coverage: Coverage
    grounds: Grounds
    components: tuple[ComponentReport, ...] = ()
    statements: tuple[StatementReport, ...] = ()
    contents: tuple[ContentAccount, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()


def facts_of(verdict: Verdict) -> Facts:
    """The facts in a verdict, be it fresh or recorded. Raises AssayError (no-grounds) for one that
    was reached without a policy, and so does not have them all."""
    if verdict.grounds is None:
        raise AssayError(Finding.of(codes.NO_GROUNDS, detail=f"the verdict on {verdict.image}"))
    return Facts(
        assay_facts=VERSION,
        image=verdict.image,
        resolved=verdict.resolved,
        format=verdict.format,
        at=verdict.at,
        tool=verdict.tool,
        intact=verdict.intact,
        coverage=verdict.coverage,
        grounds=verdict.grounds,
        components=verdict.components,
        statements=verdict.statements,
        contents=verdict.contents,
        findings=tuple(each for each in verdict.findings if each.code not in codes.BY_POLICY),
        not_checked=verdict.not_checked,
    )


def written(facts: Facts) -> bytes:
    """The facts as JSON."""
    return msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"


def read_facts(data: bytes, what: str) -> Facts:
    """Facts as they were recorded; ``what`` names them in errors. Raises AssayError (malformed,
    limit-exceeded, ambiguous-key): a fact that is not understood must not be passed over."""
    if len(data) > limits.FACTS_SIZE:
        raise AssayError(
            Finding.of(content_codes.LIMIT_EXCEEDED, what, f"{len(data)} bytes of facts")
        )
    from assay import strict_json

    return facts_from(strict_json.parse_object(data, what), what)


def facts_from(value: dict[str, Any], what: str) -> Facts:
    """Facts as plain values. Raises AssayError (malformed)."""
    version = value.get("assay_facts")
    if version != VERSION or isinstance(version, bool):
        detail = f"facts of version {version!r}, where {VERSION} is expected"
        raise AssayError(Finding.of(content_codes.MALFORMED, what, detail))
    try:
        facts = msgspec.convert(value, Facts)
    except msgspec.ValidationError as error:
        raise AssayError(Finding.of(content_codes.MALFORMED, what, str(error))) from error
    if strange := _strange(value, msgspec.to_builtins(facts), ""):
        detail = f"{strange} is not a fact of this version"
        raise AssayError(Finding.of(content_codes.MALFORMED, what, detail))
    return facts


def _strange(given: Any, known: Any, place: str) -> str:
    """Where something is given that was not taken up; empty where nothing is."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, inner in given.items():
            at = f"{place}.{key}" if place else key
            found = at if key not in known else _strange(inner, known[key], at)
            if found:
                return found
    elif isinstance(given, list) and isinstance(known, list | tuple):
        for number, (one, other) in enumerate(zip(given, known, strict=True)):
            if found := _strange(one, other, f"{place}[{number}]"):
                return found
    return ""

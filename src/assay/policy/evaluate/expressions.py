"""``expressions``: conditions in CEL over what was verified."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from assay.model.policy_result import RequirementResult, Result
from assay.model.statement import (
    Contents,
    Exploitability,
    Provenance,
    Scan,
    StatementReport,
    Summary,
)
from assay.model.verdict import State
from assay.policy.evaluate.model import Check, Context, Scene, result, worst
from assay.policy.expressions import VARIABLES, Condition, Variables, condition
from assay.policy.model import Expression, Purpose

KIND = "expressions"

Serving = Mapping[Purpose, frozenset[str]]
"""The anchors whose word counts for a purpose: the others have no say in a condition either."""


def compiled(wanted: Sequence[Expression], context: Context) -> Check:
    """The check of conditions. Raises ValueError for one that is none, UsageError where no library
    is installed."""
    conditions = [(each, condition(each.require)) for each in wanted]
    serving: Serving = {purpose: context.serving(purpose) for purpose in Purpose}
    named = frozenset(
        name
        for name in VARIABLES
        if any(re.search(rf"\b{name}\b", each.require) for each in wanted)
    )

    def check(scene: Scene) -> RequirementResult:
        variables = _variables(scene, named, serving)
        results = [_one(each, holds, variables) for each, holds in conditions]
        return worst(KIND, results, "nothing is asked for")

    return check


def _one(wanted: Expression, holds: Condition, variables: Variables) -> RequirementResult:
    answer = holds(variables)
    seen = {"condition": wanted.require}
    if answer.holds is None:
        seen["problem"] = answer.problem
        why = f"the condition could not be evaluated: {answer.problem}"
        return result(KIND, Result.UNCHECKED, why, seen)
    if answer.holds:
        return result(KIND, Result.PASSED, f"it holds that {wanted.require}", seen)
    why = wanted.message or f"it does not hold that {wanted.require}"
    return result(KIND, Result.FAILED, why, seen)


def _variables(scene: Scene, named: frozenset[str], serving: Serving) -> Variables:
    """The variables that are asked for; rules that see the same share them."""
    made: dict[Any, Variables] = scene.known.kept.setdefault(KIND, {})
    shared = (scene.same_as, named)
    if shared not in made:
        made[shared] = Variables({name: _MAKERS[name](scene, serving) for name in named})
    return made[shared]


def _image(scene: Scene, _serving: Serving) -> Any:
    facts, name, targets = scene.facts, scene.known.name, scene.known.targets
    return {
        "name": facts.grounds.name,
        "repository": name.repository,
        "tag": "" if name.pinned else name.tag,
        "resolved": facts.resolved,
        "format": facts.format,
        "intact": facts.intact.value,
        "digests": [digest for each in targets for digest in each.digests],
        "platforms": list(scene.known.platforms),
        "labels": dict(targets[0].labels) if targets else {},
        "annotations": dict(targets[0].annotations) if targets else {},
    }


def _coverage(scene: Scene, _serving: Serving) -> Any:
    return {**_plain(scene.facts.coverage), "fraction": scene.facts.coverage.fraction}


def _signers(scene: Scene, serving: Serving) -> Any:
    """Everybody who vouches for the image by an anchor that is for images, and how."""
    return [
        {
            "anchor": each.anchor,
            "scheme": each.scheme,
            "target": reached.id,
            "identity": each.signer.identity,
            "names": list(each.signer.names),
            "issuer": each.signer.issuer,
            "key": each.signer.key,
            "signed_at": each.signer.signed_at,
            "time_source": each.signer.time_source,
            "claims": dict(each.claims),
        }
        for reached in scene.known.targets
        for each in scene.endorsements(reached.id)
        if each.signer is not None and each.anchor in serving[Purpose.IMAGE]
    ]


def _components(scene: Scene, _serving: Serving) -> Any:
    return [
        {
            "id": each.id,
            "kind": each.kind,
            "parent": each.parent,
            "size": each.size if each.size is not None else -1,
            "state": each.state.value,
            "bound": each.state is State.BOUND,
            "media_type": each.media_type,
            "digests": list(each.digests),
            "labels": each.labels,
        }
        for each in scene.facts.components
        if not each.external
    ]


def _findings(scene: Scene, _serving: Serving) -> Any:
    return [
        {
            "code": each.code,
            "severity": each.severity.value,
            "component": each.component,
            "detail": each.detail,
        }
        for each in scene.facts.findings
    ]


def _statements(scene: Scene, serving: Serving) -> Any:
    """The statements about the image that an anchor vouches for which is for such statements."""
    return [
        {
            "document": each.document,
            "type": each.predicate_type,
            "kind": each.kind,
            "anchors": sorted(anchors),
            "facts": _plain(each.facts),
        }
        for each in scene.facts.statements
        if each.trusted
        and each.about
        and (anchors := serving[_purpose_of(each)].intersection(scene.persons(each.document)))
    ]


def _purpose_of(statement: StatementReport) -> Purpose:
    return next(
        (purpose for kind, purpose in _PURPOSES if isinstance(statement.facts, kind)),
        Purpose.STATEMENT,
    )


_PURPOSES = (
    (Provenance, Purpose.PROVENANCE),
    (Contents, Purpose.SBOM),
    (Scan, Purpose.SCAN),
    (Exploitability, Purpose.VEX),
    (Summary, Purpose.SUMMARY),
)


_MAKERS: dict[str, Callable[[Scene, Serving], Any]] = {
    "image": _image,
    "coverage": _coverage,
    "signers": _signers,
    "components": _components,
    "findings": _findings,
    "statements": _statements,
    "occasion": lambda scene, _: _plain(scene.known.occasion),
    "now": lambda scene, _: scene.at,
}
"""What a condition may speak of. What the image says of itself is in ``image``; what others say of
it only counts where an anchor of the policy vouches for it."""


def _plain(value: Any) -> Any:
    """A value as JSON has it; a tuple means nothing to CEL."""
    return msgspec.json.decode(msgspec.json.encode(value))

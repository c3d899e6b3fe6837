"""``expressions``: conditions in CEL over what was verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from assay.model.policy_result import RequirementResult, Result
from assay.model.verdict import State
from assay.policy.evaluate.model import Check, Context, Scene, result, worst
from assay.policy.expressions import Condition, condition
from assay.policy.model import Expression

KIND = "expressions"


def compiled(wanted: Sequence[Expression], _context: Context) -> Check:
    """The check of conditions. Raises ValueError for one that is none, UsageError where no library
    is installed."""
    conditions = [(each, condition(each.require)) for each in wanted]

    def check(scene: Scene) -> RequirementResult:
        variables = variables_of(scene)
        results = [_one(each, holds, variables) for each, holds in conditions]
        return worst(KIND, results, "nothing is asked for")

    return check


def _one(wanted: Expression, holds: Condition, variables: dict[str, Any]) -> RequirementResult:
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


def variables_of(scene: Scene) -> dict[str, Any]:
    """What a condition may speak of. Only what an anchor of the policy vouches for is in
    ``signers`` and ``statements``; what the image says of itself is in ``image``."""
    facts, name = scene.facts, scene.known.name
    target = scene.known.targets[0] if scene.known.targets else None
    signers = [
        {
            "anchor": each.anchor,
            "scheme": each.scheme,
            "target": reached.id,
            "identity": each.signer.identity,
            "names": list(each.signer.names),
            "issuer": each.signer.issuer,
            "key": each.signer.key,
            "signed_at": each.signer.signed_at,
            "claims": dict(each.claims),
        }
        for reached in scene.known.targets
        for each in scene.vouching(reached.id)
        if each.signer is not None
    ]
    return {
        "image": {
            "name": facts.grounds.name,
            "repository": name.repository,
            "tag": name.tag,
            "resolved": facts.resolved,
            "format": facts.format,
            "intact": facts.intact.value,
            "digests": [digest for each in scene.known.targets for digest in each.digests],
            "platforms": [each.platform for each in scene.known.targets if each.platform],
            "labels": dict(target.labels) if target else {},
            "annotations": dict(target.annotations) if target else {},
        },
        "coverage": {
            **_plain(facts.coverage),
            "fraction": facts.coverage.fraction,
        },
        "signers": signers,
        "components": [
            {
                "id": each.id,
                "kind": each.kind,
                "parent": each.parent,
                "size": each.size if each.size is not None else -1,
                "state": each.state.value,
                "bound": each.state is State.BOUND,
                "media_type": each.media_type,
                "digests": list(each.digests),
                "labels": dict(each.labels),
            }
            for each in facts.components
            if not each.external
        ],
        "findings": [
            {
                "code": each.code,
                "severity": each.severity.value,
                "component": each.component,
                "detail": each.detail,
            }
            for each in facts.findings
        ],
        "statements": [
            {
                "document": each.document,
                "type": each.predicate_type,
                "kind": each.kind,
                "anchors": sorted({one.anchor for one in scene.endorsements(each.document)}),
                "facts": _plain(each.facts),
            }
            for each in facts.statements
            if each.trusted and each.about and scene.endorsements(each.document)
        ],
        "occasion": _plain(facts.grounds.occasion),
        "now": scene.at,
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it; a tuple means nothing to CEL."""
    return msgspec.json.decode(msgspec.json.encode(value))

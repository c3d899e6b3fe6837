"""``signers``: who has to vouch for the whole image."""

from __future__ import annotations

from assay.appraisal.demands import Met, describe, is_met
from assay.model.demand import AtLeast, NotCarried, Part, Vouches
from assay.model.grounds import Target
from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import (
    Check,
    Context,
    Scene,
    for_target,
    over_targets,
    result,
)
from assay.policy.model import Purpose, Signers, anchors_in, demand_of

KIND = "signers"


def compiled(wanted: Signers, context: Context, purpose: Purpose = Purpose.IMAGE) -> Check:
    """The check of a tree of signers."""
    anchors = anchors_in(wanted)
    demand = demand_of(wanted)
    heard = frozenset(name for name in anchors if context.serves(name, purpose))
    asked = describe(demand, {})

    def check(scene: Scene) -> RequirementResult:
        missing = context.not_tried(anchors, scene.known)
        part = without(demand, frozenset(missing)) if missing else demand
        return over_targets(
            KIND, scene, lambda target: _for_target(scene, target, part, asked, heard)
        )

    return check


def _for_target(
    scene: Scene, target: Target, part: Part, asked: str, heard: frozenset[str]
) -> RequirementResult:
    everybody = scene.persons(target.id)
    persons = {name: everybody[name] for name in heard if name in everybody}
    if isinstance(part, Vouches):
        met = Met.YES if part.anchor in persons else Met.NO
    else:
        met = is_met(part, persons.__contains__, lambda anchor: persons.get(anchor, ()))
    where = for_target(target, scene.known)
    names = sorted(persons)
    seen = {"asked for": asked, "vouching": ", ".join(names) or "nobody"}
    if met is Met.YES:
        return result(KIND, Result.PASSED, f"by {' and '.join(names)}{where}", seen)
    if met is Met.UNKNOWN:
        why = f"the image was not checked with all of the anchors that are asked for{where}"
        return result(KIND, Result.UNCHECKED, why, seen)
    if scene.known.out_of_reach(target.id):
        why = f"who vouches could not be found out{where}"
        return result(KIND, Result.UNCHECKED, why, seen)
    return result(KIND, Result.FAILED, f"not by all who have to vouch{where}", seen)


def without(part: Part, unknown: frozenset[str]) -> Part:
    """A demand in which some anchors are known to be unknown."""
    if isinstance(part, Vouches):
        return NotCarried(part.anchor) if part.anchor in unknown else part
    if isinstance(part, AtLeast):
        return AtLeast(part.count, tuple(without(each, unknown) for each in part.parts), part.apart)
    return part

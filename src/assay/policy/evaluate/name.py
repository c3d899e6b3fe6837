"""``name``: the image was signed, or built, for the name that it is used by."""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.grounds import Target
from assay.model.policy_result import RequirementResult, Result
from assay.model.statement import Summary
from assay.policy.evaluate.model import Check, Context, Scene, for_target, over_targets, result
from assay.policy.evaluate.statements import heard
from assay.policy.model import NameRequirement, Purpose
from assay.policy.names import ImageName, registry_name

KIND = "name"
_PROVENANCE = "slsa-provenance"


def compiled(wanted: NameRequirement, context: Context) -> Check:
    """The check that somebody whose word counts states the name."""
    provenance = context.serving(Purpose.PROVENANCE)
    summary = context.serving(Purpose.SUMMARY)

    def stated(scene: Scene, target: Target) -> Iterator[str]:
        if "signature" in wanted.stated_by:
            for endorsement in scene.vouching(target.id):
                if endorsement.signed_for:
                    yield endorsement.signed_for
        for one in scene.facts.statements:
            if target.id not in one.about or one.fault is not None:
                continue
            if (
                "provenance" in wanted.stated_by
                and one.kind == _PROVENANCE
                and heard(scene, one, provenance)
            ):
                yield from one.names
            if (
                "summary" in wanted.stated_by
                and isinstance(one.facts, Summary)
                and not one.refusal
                and heard(scene, one, summary)
            ):
                yield one.facts.resource

    def for_one(scene: Scene, target: Target) -> RequirementResult:
        used = scene.known.name
        names = list(dict.fromkeys(filter(None, stated(scene, target))))
        shown = used.repository + (f":{used.tag}" if wanted.same == "reference" else "")
        seen = {
            "used as": shown if used.repository else used.forms[0],
            "stated": ", ".join(names[:5]) or "no name",
        }
        where = for_target(target, scene.known)
        if not used.repository:
            why = "it is used by no name of a registry; say which one it is to have (--known-as)"
            return result(KIND, Result.UNCHECKED, why, seen)
        if wanted.same == "reference" and not used.tag:
            return result(KIND, Result.FAILED, f"it is used by no tag{where}", seen)
        if any(_same(used, name, wanted.same) for name in names):
            return result(KIND, Result.PASSED, f"it was made for {shown}{where}", seen)
        why = f"it was made for {names[0]}{where}" if names else f"nobody states its name{where}"
        return result(KIND, Result.FAILED, why, seen)

    def check(scene: Scene) -> RequirementResult:
        return over_targets(KIND, scene, lambda target: for_one(scene, target))

    return check


def _same(used: ImageName, stated: str, same: str) -> bool:
    other = registry_name(stated)
    if used.repository != other.repository:
        return False
    return same == "repository" or (used.tag == other.tag and ":" in stated.rpartition("/")[2])

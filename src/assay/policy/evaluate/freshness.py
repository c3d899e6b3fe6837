"""``freshness``: the image was signed lately, by a time that somebody else than the signer
proves."""

from __future__ import annotations

from datetime import timedelta

from assay.appraisal.requirement import CLOCK_SKEW, duration
from assay.model.grounds import Target
from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import (
    Check,
    Context,
    Scene,
    for_target,
    moment,
    over_targets,
    result,
)
from assay.policy.model import FreshnessRequirement
from assay.policy.standing import has_proven_time

KIND = "freshness"


def compiled(wanted: FreshnessRequirement, _context: Context) -> Check:
    """The check of the time of signing."""

    def check(scene: Scene) -> RequirementResult:
        return over_targets(
            KIND, scene, lambda target: _for_target(scene, target, wanted.signed_within)
        )

    return check


def _for_target(scene: Scene, target: Target, within: timedelta) -> RequirementResult:
    where = for_target(target, scene.known)
    seen = {"asked for": f"at most {duration(within.total_seconds())} ago"}
    signed = [each.signer for each in scene.vouching(target.id) if each.signer is not None]
    untimed = False
    latest = ""
    for signer in signed:
        time = moment(signer.signed_at) if has_proven_time(signer) else None
        if time is None:
            untimed = True
            continue
        latest = max(latest, signer.signed_at)
        age = (scene.at - time).total_seconds()
        if -CLOCK_SKEW <= age <= within.total_seconds():
            seen |= {"signed": signer.signed_at, "time by": signer.time_source}
            why = f"signed {duration(max(age, 0))} ago, by {signer.time_source}{where}"
            return result(KIND, Result.PASSED, why, seen)
    if latest:
        seen["signed"] = latest
    if untimed:
        why = f"no trusted time says when it was signed{where}"
        return result(KIND, Result.UNCHECKED, why, seen)
    if not signed and scene.known.out_of_reach(target.id):
        return result(KIND, Result.UNCHECKED, f"who signed could not be found out{where}", seen)
    why = f"signed {latest}, too long ago{where}" if latest else f"nobody signed it{where}"
    return result(KIND, Result.FAILED, why, seen)

"""``version``: not older than a floor, and not older than what was allowed before (no rollback)."""

from __future__ import annotations

from assay.model.grounds import SeenVersion, Target
from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import Check, Context, Known, Scene, over_targets, result
from assay.policy.evaluate.versions import Version, read_version
from assay.policy.model import VersionRequirement

KIND = "version"


def compiled(wanted: VersionRequirement, _context: Context) -> Check:
    """The check of the version."""

    floor = None if wanted.at_least is None else read_version(wanted.at_least, wanted.order)

    def check(scene: Scene) -> RequirementResult:
        return over_targets(
            KIND, scene, lambda target: _for_target(scene.known, target, wanted, floor)
        )

    return check


def stated(known: Known, target: Target, read_from: str) -> str:
    """What an image says its version is; empty where it does not."""
    place, _, name = read_from.partition(":")
    if place == "tag":
        # beside a digest nobody looks the tag up: whoever asks may write any
        return "" if known.name.pinned else known.name.tag
    return (target.labels if place == "label" else target.annotations).get(name, "")


def _for_target(
    known: Known, target: Target, wanted: VersionRequirement, floor: Version | None
) -> RequirementResult:
    text = stated(known, target, wanted.read_from)
    seen = {"read from": wanted.read_from, "version": text or "none"}
    version = read_version(text, wanted.order)
    if version is None:
        why = f"its version is not one: {text!r}" if text else f"no version in {wanted.read_from}"
        if not text and wanted.read_from == "tag" and known.name.pinned:
            why = "its tag says nothing, since the digest beside it was asked for"
        return result(KIND, Result.FAILED, why, seen)
    if wanted.at_least is not None:
        seen["at least"] = wanted.at_least
        if floor is None:
            why = f"{wanted.at_least!r} in the policy is no version"
            return result(KIND, Result.UNCHECKED, why, seen)
        if version < floor:
            return result(KIND, Result.FAILED, f"{text} is older than {floor}", seen)
    if wanted.never_older:
        before = _history(known, wanted)
        if before is None:
            why = "no ledger was asked which versions were allowed before"
            return result(KIND, Result.UNCHECKED, why, seen)
        if before.unread:
            why = f"{before.unread} earlier entries of the ledger do not tell their version"
            return result(KIND, Result.UNCHECKED, why, seen)
        seen["allowed before"] = before.version or "none"
        last = read_version(before.version, wanted.order)
        if before.version and last is None:
            why = f"the ledger has a version that cannot be compared: {before.version!r}"
            return result(KIND, Result.UNCHECKED, why, seen)
        if last is not None and version < last:
            why = f"{text} is older than {last}, which was allowed before"
            return result(KIND, Result.FAILED, why, seen)
    return result(KIND, Result.PASSED, f"its version is {text}", seen)


def _history(known: Known, wanted: VersionRequirement) -> SeenVersion | None:
    """What the ledger said of this repository, where it was asked just this."""
    for each in known.facts.grounds.history:
        if (each.repository, each.read_from, each.order) == (
            known.name.repository,
            wanted.read_from,
            wanted.order,
        ):
            return each
    return None

"""``sbom``: a signed bill of materials is there, and accounts for what is in the image."""

from __future__ import annotations

from collections.abc import Collection

from assay.appraisal.requirement import too_old, usable
from assay.model.contents import ContentAccount, FileAccount
from assay.model.grounds import Target
from assay.model.policy_result import RequirementResult, Result
from assay.model.statement import Contents
from assay.policy.evaluate.model import Check, Context, Scene, for_target, over_targets, result
from assay.policy.evaluate.statements import hearing, judged
from assay.policy.model import Purpose, SbomRequirement

KIND = "sbom"
_SIGNED = "signed"
"""The `SbomReport.source` of a statement that is vouched for."""


def compiled(wanted: SbomRequirement, context: Context) -> Check:
    """The check of bills of materials."""
    hears = hearing(wanted.signers, context, Purpose.SBOM)
    max_age = wanted.no_older_than.total_seconds() if wanted.no_older_than else None

    def for_one(scene: Scene, target: Target) -> RequirementResult:
        where = for_target(target, scene.known)
        mine = [
            (one, one.report.facts)
            for one in usable(judged(scene, hears), target.id)
            if isinstance(one.report.facts, Contents)
        ]
        seen = {
            "asked for": " or ".join(wanted.formats) or "an SBOM",
            "signed SBOMs": ", ".join(dict.fromkeys(facts.format for _, facts in mine)) or "none",
        }
        of_form = [
            (one, facts)
            for one, facts in mine
            if not wanted.formats or _form(facts.format) in wanted.formats
        ]
        if not of_form:
            missing = context.not_tried(context.serving(Purpose.SBOM), scene.known)
            if missing and not mine and not scene.selective:
                why = f"statements were not checked with the anchors {', '.join(sorted(missing))}"
                return result(KIND, Result.UNCHECKED, why, seen)
            why = f"there is no signed SBOM{where}"
            return result(KIND, Result.FAILED, why if not mine else f"{why} of that form", seen)
        ages = [too_old(one, facts.created, max_age, scene.at) for one, facts in of_form]
        if all(ages):
            seen |= {"found": ages[0][0].actual}
            return result(KIND, Result.FAILED, ages[0][0].detail, seen)
        if wanted.percent_of_files is None:
            return result(KIND, Result.PASSED, f"there is a signed SBOM{where}", seen)
        counting = {
            one.report.document for (one, _), age in zip(of_form, ages, strict=True) if not age
        }
        return _share(scene, target, counting, wanted.percent_of_files, seen, where)

    def check(scene: Scene) -> RequirementResult:
        return over_targets(KIND, scene, lambda target: for_one(scene, target))

    return check


def _form(name: str) -> str:
    """``spdx`` or ``cyclonedx``, however a document calls itself."""
    plain = name.lower()
    return next((form for form in ("spdx", "cyclonedx") if plain.startswith(form)), plain)


def _share(
    scene: Scene,
    target: Target,
    counting: Collection[str],
    least: float,
    seen: dict[str, str],
    where: str,
) -> RequirementResult:
    account = _account(scene, target)
    if account is None:
        why = f"the SBOM was not compared with what is in the image{where}"
        return result(KIND, Result.UNCHECKED, why, seen)
    files = _files(account, counting)
    share = 100 * files.fraction
    seen |= {
        "files": f"{files.accounted} of {files.total} accounted for",
        "at least": f"{least:g} %",
    }
    if share < least:
        shown = min(share, 99.99)
        why = f"the SBOM accounts for {shown:.2f} % of the files{where}"
        return result(KIND, Result.FAILED, why, seen)
    if not account.complete:
        return result(KIND, Result.UNCHECKED, f"not every layer could be read{where}", seen)
    return result(KIND, Result.PASSED, f"the SBOM accounts for {share:.4g} % of the files", seen)


def _files(account: ContentAccount, counting: Collection[str]) -> FileAccount:
    """The files that SBOMs which count account for. Where there are others too (a file that was
    given, one by somebody else) the sum is of all, and so the best single one that counts has to
    do."""
    mine = [each for each in account.sboms if each.source == _SIGNED and each.name in counting]
    if len(mine) == len(account.sboms):
        return account.files
    best = max((each.accounted for each in mine), key=lambda each: each.accounted, default=None)
    return best if best is not None else FileAccount(max(account.files.total, 1))


def _account(scene: Scene, target: Target) -> ContentAccount | None:
    return next((each for each in scene.facts.contents if each.image == target.id), None)

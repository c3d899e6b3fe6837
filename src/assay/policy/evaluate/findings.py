"""``findings``: findings that refuse an image, though they would only warn."""

from __future__ import annotations

from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import Check, Context, Scene, result
from assay.policy.model import FindingRequirement

KIND = "findings"


def compiled(wanted: FindingRequirement, _context: Context) -> Check:
    """The check that there are none of these."""
    asked = ", ".join(pattern.text for pattern in wanted.refuse)

    def check(scene: Scene) -> RequirementResult:
        found = [
            each
            for each in scene.facts.findings
            if any(pattern.matches(each.code) for pattern in wanted.refuse)
        ]
        if not found:
            return result(KIND, Result.PASSED, "there are no such findings", {"refused": asked})
        codes = ", ".join(dict.fromkeys(each.code for each in found))
        first = found[0]
        where = f" at {first.component}" if first.component else ""
        seen = {"refused": asked, "found": codes}
        return result(KIND, Result.FAILED, f"{first.code}{where}: {first.detail}", seen)

    return check

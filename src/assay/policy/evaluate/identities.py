"""``identities``: one of the signers is one of these, as a certificate proves."""

from __future__ import annotations

from collections.abc import Sequence

from assay.model.grounds import Target
from assay.model.identity import IdentityPattern
from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import Check, Context, Scene, for_target, over_targets, result
from assay.policy.model import Identity

KIND = "identities"


def compiled(wanted: Sequence[Identity], _context: Context) -> Check:
    """The check of a list of alternatives."""
    patterns = [
        IdentityPattern(each.name, each.issuer, tuple(each.claims.items())) for each in wanted
    ]
    asked = " or ".join(str(pattern) for pattern in patterns)

    def check(scene: Scene) -> RequirementResult:
        return over_targets(KIND, scene, lambda target: _for_target(scene, target, patterns, asked))

    return check


def _for_target(
    scene: Scene, target: Target, patterns: Sequence[IdentityPattern], asked: str
) -> RequirementResult:
    shown: dict[str, None] = {}
    where = for_target(target, scene.known)
    for endorsement in scene.vouching(target.id):
        signer = endorsement.signer
        if signer is None or signer.self_named:
            continue
        for name in signer.names:
            shown[f"{name} at {signer.issuer}" if signer.issuer else name] = None
        if any(
            pattern.matches(signer.names, signer.issuer, endorsement.claims) for pattern in patterns
        ):
            seen = {"asked for": asked, "signed by": signer.identity}
            return result(KIND, Result.PASSED, f"signed by {signer.identity}{where}", seen)
    seen = {"asked for": asked, "signed by": ", ".join(shown) or "nobody whose name is proven"}
    if scene.known.out_of_reach(target.id):
        why = f"who signed could not be found out{where}"
        return result(KIND, Result.UNCHECKED, why, seen)
    return result(KIND, Result.FAILED, f"none of the signers is who it has to be{where}", seen)

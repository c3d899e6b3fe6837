"""``algorithms``: how strong signatures have to be. Those that are not strong enough do not count
for anything else that the rule requires either."""

from __future__ import annotations

import re

from assay.model.anchor import Algorithm
from assay.model.grounds import Endorsement, Target
from assay.model.policy_result import RequirementResult, Result
from assay.policy.evaluate.model import (
    Admits,
    Check,
    Context,
    Scene,
    for_target,
    over_targets,
    result,
)
from assay.policy.model import AlgorithmRequirement

KIND = "algorithms"
POST_QUANTUM = frozenset({"ML-DSA", "SLH-DSA", "LMS", "HSS", "XMSS", "FN-DSA"})
"""Families whose signatures are thought to resist quantum computers."""
_ELLIPTIC = {"Ed25519": 256, "Ed448": 448}
_NOT_TOLD = "how it was signed is not told"


def admitting(wanted: AlgorithmRequirement) -> Admits:
    """What says of a signature why it is too weak. One that was made with no key at all (a digest
    that the user gave) is no signature, and not weak."""
    refused = {_plain(name) for name in wanted.refused_hashes}

    def admits(endorsement: Endorsement) -> str:
        if endorsement.signer is None:
            return ""
        if wanted.schemes and endorsement.scheme not in wanted.schemes:
            return f"it is a signature of the kind {endorsement.scheme or 'unknown'}"
        algorithm = endorsement.signer.algorithm
        if algorithm is None:
            return _NOT_TOLD
        return _too_weak(algorithm, wanted, refused)

    return admits


def _too_weak(algorithm: Algorithm, wanted: AlgorithmRequirement, refused: set[str]) -> str:
    if algorithm.digest and _plain(algorithm.digest) in refused:
        return f"it is over {algorithm.digest}"
    if algorithm.family in ("RSA", "DSA"):
        if wanted.rsa_bits is not None and algorithm.size < wanted.rsa_bits:
            return f"its key has {algorithm.size} bits"
    elif wanted.elliptic_curve_bits is not None and algorithm.family in ("ECDSA", *_ELLIPTIC):
        bits = algorithm.size or _ELLIPTIC.get(algorithm.family, 0)
        if bits < wanted.elliptic_curve_bits:
            return f"its curve has {bits} bits"
    return ""


def _plain(name: str) -> str:
    """The name of a hash function, however it is written (``SHA-1``, ``sha1``)."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def compiled(wanted: AlgorithmRequirement, _context: Context) -> Check:
    """The check that somebody signed well enough, and from a date on with an algorithm that resists
    quantum computers."""
    admits = admitting(wanted)

    def check(scene: Scene) -> RequirementResult:
        modern = wanted.post_quantum_from is not None and scene.at >= wanted.post_quantum_from
        return over_targets(
            KIND, scene, lambda target: _for_target(scene, target, admits, modern=modern)
        )

    return check


def _for_target(scene: Scene, target: Target, admits: Admits, *, modern: bool) -> RequirementResult:
    where = for_target(target, scene.known)
    # the scene has only those that are strong enough
    strong = scene.vouching(target.id)
    reasons = {
        reason: each for each in scene.known.reaching.get(target.id, []) if (reason := admits(each))
    }
    seen = {"signed with": _shown(strong) or "nothing that counts"}
    if reasons:
        seen["too weak"] = "; ".join(reasons)
    if not strong:
        why = f"no signature is strong enough{where}" + (f": {min(reasons)}" if reasons else "")
        unclear = _NOT_TOLD in reasons or scene.known.out_of_reach(target.id)
        return result(KIND, Result.UNCHECKED if unclear else Result.FAILED, why, seen)
    if modern and not any(_resists(each) for each in strong):
        why = f"no signature resists quantum computers{where}"
        return result(KIND, Result.FAILED, why, seen)
    return result(KIND, Result.PASSED, f"signed with {seen['signed with']}{where}", seen)


def _resists(endorsement: Endorsement) -> bool:
    signer = endorsement.signer
    return (
        signer is not None
        and signer.algorithm is not None
        and signer.algorithm.family in POST_QUANTUM
    )


def _shown(endorsements: list[Endorsement]) -> str:
    return ", ".join(
        dict.fromkeys(
            str(each.signer.algorithm) if each.signer else "a digest" for each in endorsements
        )
    )

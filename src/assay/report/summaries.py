"""The verdict as a statement that others can build on: an SLSA verification summary
(slsa.dev/verification_summary/v1) or an in-toto simple verification result (SVR, v0.1).

They are worth nothing unsigned; the command line signs them with the key that it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from assay.model.digest import ALGORITHMS, Digest, Strength
from assay.model.verdict import Answer, Decision, Verdict
from assay.produce.statement import PredicateType, statement
from assay.version import __version__

VSA = PredicateType("https://slsa.dev/verification_summary/v1")
SVR = PredicateType("https://in-toto.io/attestation/svr/v0.1")


def verification_summary(verdict: Verdict, verifier: str) -> bytes | None:
    """What became of the image, yes or no; ``verifier`` is a URI of who says so. None where
    nothing was decided or the image has no digest: there is nothing to state then."""
    digests = subject_digests(verdict)
    if verdict.decision is Decision.UNCHECKED or not digests:
        return None
    predicate: dict[str, Any] = {
        "verifier": {"id": verifier, "version": {"assay": __version__}},
        "timeVerified": verdict.at,
        "resourceUri": _uri(verdict.image),
        "policy": {"uri": _rule(verdict)},
        "inputAttestations": _inputs(verdict),
        "verificationResult": "PASSED" if verdict else "FAILED",
        "verifiedLevels": [],
    }
    return statement(digests, VSA, msgspec.json.encode(predicate), name=_uri(verdict.image))


def simple_result(verdict: Verdict, verifier: str) -> bytes | None:
    """What holds of the image. None unless it is allowed, since such a statement says no no."""
    digests = subject_digests(verdict)
    if not verdict or not digests:
        return None
    properties = [
        name
        for name, holds in (
            ("ASSAY_ALLOWED", True),
            ("ASSAY_INTACT", verdict.intact is Answer.YES),
            ("ASSAY_AUTHENTIC", verdict.authentic is Answer.YES),
            ("ASSAY_FULLY_COVERED", verdict.coverage.fraction == 1 and not verdict.not_checked),
        )
        if holds
    ]
    predicate = {
        "verifier": {"id": verifier, "policies": [{"uri": _rule(verdict)}]},
        "timeCreated": verdict.at,
        "properties": properties,
    }
    return statement(digests, SVR, msgspec.json.encode(predicate), name=_uri(verdict.image))


FORMS: dict[str, Callable[[Verdict, str], bytes | None]] = {
    "vsa": verification_summary,
    "svr": simple_result,
}
"""By the name that the command line has for them."""


def subject_digests(verdict: Verdict) -> dict[str, str]:
    """The digests that name the image: those of its root that cannot be forged."""
    found: dict[str, str] = {}
    root = next((component for component in verdict.components if not component.external), None)
    for text in root.digests if root is not None else ():
        digest = Digest.parse(text)
        if ALGORITHMS[digest.algorithm].strength is Strength.BINDING:
            found[digest.algorithm] = digest.hex
    return found


def _inputs(verdict: Verdict) -> list[dict[str, Any]]:
    """The documents that the verdict rests on and whose digests were measured."""
    return [
        {
            "uri": f"urn:assay:document:{quote(component.id, safe='')}",
            "digest": {digest.algorithm: digest.hex},
        }
        for component in verdict.components
        if component.external
        for digest in map(Digest.parse, component.digests[:1])
    ]


def _rule(verdict: Verdict) -> str:
    return f"urn:assay:rule:{quote(verdict.rule, safe='')}"


def _uri(name: str) -> str:
    """The image's name as a URI; names are made by people and may hold anything."""
    return quote(name.encode("utf-8", "surrogateescape"), safe="/:@!$&'()*+,;=-._~")

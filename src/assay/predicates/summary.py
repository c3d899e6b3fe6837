"""That a verifier checked the image: SLSA verification summaries v1 and v0.2
(slsa.dev/verification_summary), in-toto simple verification results v0.1 and v0.2."""

from __future__ import annotations

from assay.model.statement import Facts, Resource, Summary
from assay.predicates.fields import Fields
from assay.predicates.model import Predicate, PredicateFamily
from assay.printable import printable

PASSED = "PASSED"

_VSA = {
    "https://slsa.dev/verification_summary/v1": "SLSA verification summary v1",
    "https://slsa.dev/verification_summary/v0.2": "SLSA verification summary v0.2",
}
_SVR = {
    "https://in-toto.io/attestation/svr/v0.1": "in-toto verification result v0.1",
    "https://in-toto.io/attestation/svr/v0.2": "in-toto verification result v0.2",
}


class VerificationSummary:
    """SLSA's, which can say yes or no."""

    name = "slsa-verification-summary"

    def title(self, predicate_type: str) -> str:
        return _VSA.get(predicate_type, "")

    def vouches(self, predicate: Predicate) -> bool:
        return not self.refusal(predicate)

    def refusal(self, predicate: Predicate) -> str:
        result = predicate.content.get(_result_field(predicate))
        if result == PASSED:
            return ""
        return printable(result if isinstance(result, str) and result else repr(result), 100)

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        policy = fields.within("policy")
        old = _is_old(predicate)
        if old:
            levels: tuple[str, ...] = tuple(filter(None, [fields.text_or_none("policy_level")]))
        else:
            if "verifiedLevels" not in fields:
                raise fields.wrong("verifiedLevels", "a list of levels")
            levels = fields.texts("verifiedLevels")
        policy.text("uri")
        return Summary(
            verifier=fields.within("verifier").text("id"),
            result=fields.text(_result_field(predicate)),
            levels=levels,
            policies=(policy.resource(),),
            resource=fields.text("resource_uri" if old else "resourceUri"),
            verified=fields.time("time_verified" if old else "timeVerified"),
        )


def _is_old(predicate: Predicate) -> bool:
    return predicate.type.endswith("/v0.2")


def _result_field(predicate: Predicate) -> str:
    return "verification_result" if _is_old(predicate) else "verificationResult"


class SimpleResult:
    """in-toto's, which lists what was verified and never says no."""

    name = "simple-verification-result"

    def title(self, predicate_type: str) -> str:
        return _SVR.get(predicate_type, "")

    def vouches(self, predicate: Predicate) -> bool:
        return True

    def refusal(self, predicate: Predicate) -> str:
        return ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        verifier = fields.within("verifier")
        if "properties" not in fields:
            raise fields.wrong("properties", "a list of properties")
        policies: tuple[Resource, ...] = verifier.resources("policies")
        return Summary(
            verifier=verifier.text("id"),
            result=PASSED,
            levels=fields.texts("properties"),
            policies=policies,
            verified=fields.time("timeCreated", required=True),
        )


VSA: PredicateFamily = VerificationSummary()
SVR: PredicateFamily = SimpleResult()

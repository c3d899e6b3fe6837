"""Results of tests (in-toto.io/attestation/test-result/v0.1)."""

from __future__ import annotations

from assay.model.statement import Facts, TestResult
from assay.predicates.fields import Fields
from assay.predicates.model import Predicate, PredicateFamily

_RESULTS = ("PASSED", "WARNED", "FAILED")


class TestResults:
    name = "test-result"

    def title(self, predicate_type: str) -> str:
        known = predicate_type.startswith("https://in-toto.io/attestation/test-result/")
        return "test result" if known else ""

    def vouches(self, predicate: Predicate) -> bool:
        return predicate.content.get("result") == "PASSED"

    def refusal(self, predicate: Predicate) -> str:
        return ""  # tests may fail for reasons that are no matter here: a requirement says

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        if fields.text("result") not in _RESULTS:
            raise fields.wrong("result", " or ".join(_RESULTS))
        if "configuration" not in fields:
            raise fields.wrong("configuration", "a list of what was configured")
        fields.resources("configuration")
        return TestResult(
            result=fields.text("result"),
            url=fields.text_or_none("url"),
            passed=fields.texts("passedTests"),
            warned=fields.texts("warnedTests"),
            failed=fields.texts("failedTests"),
        )


FAMILY: PredicateFamily = TestResults()

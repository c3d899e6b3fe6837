"""What is written and read around policies follows its schema."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from assay import strict_yaml
from assay.policy.facts import written
from assay.report.schemas import text_of
from tests.policy.judging import endorsement, facts
from tests.policy.test_runs import CASES


def test_recorded_facts() -> None:
    validator = Draft202012Validator(json.loads(text_of("facts-1")))
    value = json.loads(written(facts(endorsement())))
    validator.validate(value)
    assert not validator.is_valid({**value, "assay_facts": 2})


def test_tests_of_policies() -> None:
    validator = Draft202012Validator(json.loads(text_of("policy-cases-1")))
    value = strict_yaml.parse(CASES.encode(), "cases.yaml").plain()
    validator.validate(value)
    value["cases"][0]["fact"] = "typing error"
    assert not validator.is_valid(value)

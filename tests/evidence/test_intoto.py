"""in-toto Statements: what is read of them, and what is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.evidence.intoto import STATEMENT_V0_1, STATEMENT_V1, parse_statement
from assay.model.digest import Digest
from assay.model.finding import AssayError

SHA256 = hashlib.sha256(b"assay").hexdigest()


def document(**changes: Any) -> bytes:
    value = {
        "_type": STATEMENT_V1,
        "subject": [{"name": "disk.img", "digest": {"sha256": SHA256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {}},
        **changes,
    }
    return json.dumps({key: part for key, part in value.items() if part is not ...}).encode()


def refused(data: bytes) -> str:
    with pytest.raises(AssayError) as caught:
        parse_statement(data, "statement")
    return caught.value.finding.detail


@pytest.mark.parametrize("version", [STATEMENT_V0_1, STATEMENT_V1])
def test_a_statement_is_read_as_values(version: str) -> None:
    statement = parse_statement(document(_type=version), "statement")
    assert statement.version == version
    assert statement.predicate_type == "https://slsa.dev/provenance/v1"
    assert statement.predicate == {"buildDefinition": {}}
    [subject] = statement.subjects
    assert subject.name == "disk.img"
    assert statement.is_about(Digest.parse(f"sha256:{SHA256}"))
    assert not statement.is_about(Digest.parse("sha256:" + "0" * 64))


def test_the_names_that_in_toto_gives_to_algorithms_are_known() -> None:
    digests = {
        "sha256": SHA256,
        "sha512_256": "1" * 64,
        "sha3_256": "2" * 64,
        "gitCommit": "3" * 40,
        "dirHash": "h1:abc",
    }
    statement = parse_statement(document(subject=[{"digest": digests}]), "statement")
    [subject] = statement.subjects
    assert {digest.algorithm for digest in subject.digests} == {"sha256", "sha512-256", "sha3-256"}
    assert subject.unknown_digests == {"gitCommit": "3" * 40, "dirHash": "h1:abc"}


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert parse_statement(document(later={"x": 1}), "statement").subjects


def test_a_statement_without_a_predicate_has_an_empty_one() -> None:
    assert parse_statement(document(predicate=...), "statement").predicate == {}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"_type": "https://in-toto.io/Statement/v2"}, "_type"),
        ({"_type": ...}, "_type"),
        ({"_type": 1}, "_type"),
        ({"predicateType": ""}, "predicateType"),
        ({"predicateType": ["https://slsa.dev/provenance/v1"]}, "predicateType"),
        ({"predicate": []}, "predicate"),
        ({"subject": ...}, "subject"),
        ({"subject": []}, "subject"),
        ({"subject": {"name": "x"}}, "subject"),
        ({"subject": ["x"]}, "subject[0]"),
        ({"subject": [{"name": "x"}]}, "subject[0].digest"),
        ({"subject": [{"name": "x", "digest": {}}]}, "subject[0].digest"),
        ({"subject": [{"name": 1, "digest": {"sha256": SHA256}}]}, "subject[0].name"),
        ({"subject": [{"digest": {"sha256": SHA256.upper()}}]}, "subject[0].digest.sha256"),
        ({"subject": [{"digest": {"sha256": SHA256[:-2]}}]}, "subject[0].digest.sha256"),
        ({"subject": [{"digest": {"sha256": None}}]}, "subject[0].digest.sha256"),
        ({"_type": STATEMENT_V0_1, "subject": [{"digest": {"sha256": SHA256}}]}, "name"),
    ],
)
def test_what_matters_is_demanded(changes: dict[str, Any], place: str) -> None:
    assert place in refused(document(**changes))


def test_one_algorithm_under_two_names_may_not_have_two_values() -> None:
    digests = {"sha256": SHA256, "SHA-256": "0" * 64}
    assert "one value" in refused(document(subject=[{"digest": digests}]))


def test_duplicate_subjects_keys_are_refused() -> None:
    twice = document()[:-1] + b', "subject": []}'
    assert "twice" in refused(twice)


def test_too_many_subjects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STATEMENT_SUBJECTS", 3)
    assert "4 subjects" in refused(document(subject=[{"digest": {"sha256": SHA256}}] * 4))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["_type", "subject", "predicateType", "predicate"]),
    _JSON,
)
def test_any_value_in_any_field_gives_a_statement_or_a_finding(field: str, value: object) -> None:
    with contextlib.suppress(AssayError):
        assert parse_statement(document(**{field: value}), "statement").subjects


@given(st.binary(max_size=200))
def test_any_bytes_give_a_finding(data: bytes) -> None:
    refused(data)


def test_only_an_sbom_may_be_text() -> None:
    """What cosign 2 makes of SPDX in its tag-value form."""
    data = document(predicateType="https://spdx.dev/Document", predicate="SPDXVersion: SPDX-2.3")
    assert parse_statement(data, "x").predicate == {"Data": "SPDXVersion: SPDX-2.3"}
    assert refused(document(predicate="text"))

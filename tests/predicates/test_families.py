"""What predicates of each family say, and that nothing else passes for one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.model.statement import (
    Annotations,
    Contents,
    Exploitability,
    Facts,
    Link,
    Provenance,
    Rating,
    Scan,
    Source,
    Summary,
    TestResult,
    Values,
)
from assay.predicates.find import OTHER, found_statement
from assay.predicates.locations import split
from assay.predicates.severity import rating_of
from fuzz.fuzz_predicates import EXAMPLES, SARIF, TRIVY, TYPES, one_input

TestResult.__test__ = False  # type: ignore[attr-defined]

COSIGN_VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
CUSTOM = "https://cosign.sigstore.dev/attestation/v1"
V1 = "https://slsa.dev/provenance/v1"
V0_2 = "https://slsa.dev/provenance/v0.2"
V0_1 = "https://slsa.dev/provenance/v0.1"
SCAI = "https://in-toto.io/attestation/scai/v0.3"
VSA = "https://slsa.dev/verification_summary/v1"
OPENVEX = "https://openvex.dev/ns/v0.2.0"
CYCLONEDX = "https://cyclonedx.org/bom"


def facts_of(kind: str, value: dict[str, Any] | None = None, **more: Any) -> Facts | None:
    found, _ = found_statement("doc", kind, EXAMPLES[kind] if value is None else value, **more)
    return found.read()


def example(kind: str) -> Any:
    return copy.deepcopy(EXAMPLES[kind])


def refused(kind: str, value: dict[str, Any]) -> str:
    with pytest.raises(AssayError) as error:
        facts_of(kind, value)
    finding = error.value.finding
    assert finding.code == "predicate-malformed"
    assert finding.component == "doc"
    return finding.detail


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_right_predicate_of_each_type_is_read(kind: str) -> None:
    found, _ = found_statement("doc", kind, EXAMPLES[kind])
    assert found.kind == TYPES[kind].name
    assert found.title
    assert found.title != kind
    assert found.read() is not None


def test_a_type_that_no_family_knows_says_nothing_and_vouches() -> None:
    found, vouches = found_statement("doc", "https://a.example/mine", {"a": 1})
    assert (found.kind, found.read(), vouches) == (OTHER, None, True)


def test_provenance_v1() -> None:
    facts = facts_of(V1)
    assert isinstance(facts, Provenance)
    assert facts.builder == "https://builder.example/hosted"
    assert facts.sources == (
        Source(
            "https://a.example/app",
            "refs/tags/v1",
            {"gitCommit": "ab" * 20},
            "predicate.buildDefinition.externalParameters.workflow.repository",
        ),
    )
    assert facts.parameters == {
        "workflow.ref": "refs/tags/v1",
        "workflow.repository": "https://a.example/app",
        "workflow.path": ".github/workflows/release.yml",
        "inputs.debug": "false",
        "inputs.list[0]": "a",
        "inputs.list[1]": "1",
        'inputs["odd.name"]': "null",
    }
    assert facts.started == "2026-11-20T08:00:00Z"


def test_provenance_v0_2() -> None:
    facts = facts_of(V0_2)
    assert isinstance(facts, Provenance)
    [source] = facts.sources
    assert (source.uri, source.ref) == ("https://a.example/app", "refs/tags/v1")
    assert source.digests == {"gitCommit": "ab" * 20}
    assert facts.parameters == {"configSource.entryPoint": "release.yml", "debug": "no"}


def test_provenance_v0_1() -> None:
    facts = facts_of(V0_1)
    assert isinstance(facts, Provenance)
    assert facts.builder == "https://builder.example/hosted"
    assert facts.build_type == "https://a.example/build"
    [source] = facts.sources
    assert source.digests == {"gitCommit": "ab" * 20}
    assert source.field == "materials[0].uri"
    assert facts.parameters == {"recipe.entryPoint": "release.yml", "debug": "no"}


@pytest.mark.parametrize("number", [-1, 1, True, "0", 0.0])
def test_a_source_that_is_no_material(number: object) -> None:
    value = example(V0_1)
    value["recipe"]["definedInMaterial"] = number
    assert "definedInMaterial" in refused(V0_1, value)


def test_attributes_in_the_words_of_their_signer() -> None:
    facts = facts_of(SCAI)
    assert facts == Values(
        {
            "attributes": "HasStackProtection, HasNoDebugSymbols",
            "producer": "https://scanner.example",
        }
    )
    assert "attributes" in refused(SCAI, {"attributes": []})


@pytest.mark.parametrize(
    "name", ["workflow", "source", "sourceToBuild", "buildConfigSource", "configSource"]
)
def test_the_source_of_known_build_types(name: str) -> None:
    value = example(V1)
    value["buildDefinition"]["externalParameters"] = {name: {"uri": "git+https://a/b@c"}}
    facts = facts_of(V1, value)
    assert isinstance(facts, Provenance)
    assert [(s.uri, s.ref) for s in facts.sources] == [("https://a/b", "c")]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("git+https://h/o/r@refs/heads/main", ("https://h/o/r", "refs/heads/main")),
        ("https://h/o/r@x", ("https://h/o/r@x", "")),
        ("git+ssh://git@h/o/r", ("ssh://git@h/o/r", "")),
        ("git+ssh://git@h/o/r@v1#sub", ("ssh://git@h/o/r", "v1")),
        # whatever a branch is called, the location never becomes a shorter one
        ("git+https://h/o/r@evil@refs/heads/main", ("https://h/o/r@evil", "refs/heads/main")),
        ("git+https://h@evil.example/o/r@v1", ("https://h@evil.example/o/r", "v1")),
        ("git+https://h", ("https://h", "")),
        ("https://h/o/r.git#refs/heads/main:dir", ("https://h/o/r.git", "refs/heads/main")),
    ],
)
def test_locations_are_split_where_the_path_ends(uri: str, expected: tuple[str, str]) -> None:
    assert split(uri) == expected


REQUIRED = {
    V1: [
        ("buildDefinition",),
        ("buildDefinition", "buildType"),
        ("buildDefinition", "externalParameters"),
        ("runDetails",),
        ("runDetails", "builder"),
        ("runDetails", "builder", "id"),
    ],
    V0_2: [("builder",), ("builder", "id"), ("buildType",)],
    VSA: [
        ("verifier", "id"),
        ("resourceUri",),
        ("policy",),
        ("policy", "uri"),
        ("verificationResult",),
        ("verifiedLevels",),
    ],
    "https://in-toto.io/attestation/svr/v0.2": [("verifier",), ("timeCreated",), ("properties",)],
    COSIGN_VULN: [("scanner",), ("scanner", "uri"), ("scanner", "result"), ("metadata",)],
    "https://in-toto.io/attestation/vulns/v0.2": [("scanner", "result"), ("metadata",)],
    OPENVEX: [("author",), ("timestamp",), ("statements",)],
    "https://spdx.dev/Document": [("spdxVersion",)],
    CYCLONEDX: [("bomFormat",), ("specVersion",)],
    "https://in-toto.io/Link/v1": [("name",)],
    "https://in-toto.io/attestation/test-result/v0.1": [("result",), ("configuration",)],
}


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in REQUIRED.items() for path in paths]
)
@pytest.mark.parametrize("put", ["nothing", None, 7, []])
def test_what_has_to_be_there_is_asked_for_by_its_place(
    kind: str, path: tuple[str, ...], put: Any
) -> None:
    value = example(kind)
    place = value
    for name in path[:-1]:
        place = place[name]
    if put == "nothing":
        del place[path[-1]]
    else:
        if put == [] and isinstance(place[path[-1]], list) and path != ("statements",):
            pytest.skip("a list may be empty")
        place[path[-1]] = put
    assert path[-1] in refused(kind, value)


def _values(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place of a value: what holds it, and under which name."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield value, key
            yield from _values(item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield value, number
            yield from _values(item)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_put_anywhere_ends_in_more_than_a_finding(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(EXAMPLES)))
    value = example(kind)
    places = list(_values(value))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(JSON)
    one_input(json.dumps(value).encode())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=10), JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_object_is_read_or_refused(value: dict[str, Any]) -> None:
    one_input(json.dumps(value).encode())


@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "2026-11-23",
        "2026-13-23T00:00:00Z",
        "2026-11-23T00:00:00",
        "2026-11-23 00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "２026-11-23T00:00:00Z",
    ],
)
def test_what_is_no_time_is_no_time(time: str) -> None:
    assert "timeVerified" in refused(VSA, {**example(VSA), "timeVerified": time})


def test_a_zero_time_of_go_is_none() -> None:
    facts = facts_of(VSA, {**example(VSA), "timeVerified": "0001-01-01T00:00:00Z"})
    assert isinstance(facts, Summary)
    assert facts.verified == ""


def test_parameters_without_end_are_refused() -> None:
    value = example(V1)
    count = limits.PREDICATE_PARAMETERS + 1
    value["buildDefinition"]["externalParameters"] = {"a": list(range(count))}
    with pytest.raises(AssayError) as error:
        facts_of(V1, value)
    assert error.value.finding.code == "limit-exceeded"


def test_long_names_of_parameters_are_not_repeated_for_every_value() -> None:
    value = example(V1)
    value["buildDefinition"]["externalParameters"] = {"a" * 5000: list(range(4000))}
    with pytest.raises(AssayError) as error:
        facts_of(V1, value)
    assert error.value.finding.code == "predicate-malformed"
    assert "externalParameters" in error.value.finding.detail


@pytest.mark.parametrize(
    ("result", "vouches"), [("PASSED", True), ("FAILED", False), (None, False)]
)
def test_only_a_summary_that_passed_vouches(result: str | None, vouches: bool) -> None:
    found, says_yes = found_statement("doc", VSA, {"verificationResult": result})
    assert says_yes is vouches
    assert bool(found.untrusted_refusal) is not vouches


@pytest.mark.parametrize("kind", [COSIGN_VULN, OPENVEX, CUSTOM, "https://cyclonedx.org/vex"])
def test_reports_vouch_for_nothing(kind: str) -> None:
    _, vouches = found_statement("doc", kind, EXAMPLES.get(kind, {}))
    assert not vouches


def test_a_custom_statement_without_a_scan_vouches() -> None:
    value = {"Data": "{not JSON, and no matter", "Timestamp": "2026-11-23T00:00:00Z"}
    found, vouches = found_statement("doc", CUSTOM, value)
    assert vouches
    assert found.read() == Values({"time": "2026-11-23T00:00:00Z"})


def test_scans_in_the_forms_of_scanners() -> None:
    trivy = facts_of(COSIGN_VULN)
    assert isinstance(trivy, Scan)
    [found] = trivy.vulnerabilities
    assert (found.id, found.severity) == ("CVE-2026-0001", Rating.HIGH)
    assert found.package == "pkg:deb/debian/zlib1g@1.2?arch=amd64"
    grype = example(COSIGN_VULN)
    grype["scanner"]["result"] = {
        "matches": [
            {
                "vulnerability": {"id": "GHSA-1", "severity": "Critical"},
                "relatedVulnerabilities": [{"id": "CVE-2026-0009"}],
                "artifact": {"name": "zlib", "purl": "pkg:deb/debian/zlib1g@1.2"},
            }
        ]
    }
    facts = facts_of(COSIGN_VULN, grype)
    assert isinstance(facts, Scan)
    assert facts.format == "Grype"
    assert facts.vulnerabilities[0].aliases == ("CVE-2026-0009",)
    for kind in (CUSTOM, "https://a.example/sarif"):
        sarif = facts_of(kind)
        assert isinstance(sarif, Scan)
        assert sarif.finished == "2026-11-23T00:00:00Z"
        assert sarif.vulnerabilities[0].severity is Rating.CRITICAL
    in_vuln = example(COSIGN_VULN)
    in_vuln["scanner"]["result"] = SARIF
    facts = facts_of(COSIGN_VULN, in_vuln)
    assert isinstance(facts, Scan)
    assert facts.format == "SARIF"


@pytest.mark.parametrize("result", [{}, {"anything": []}, "text", [], 7])
def test_a_result_in_an_unknown_form_is_not_an_empty_one(result: Any) -> None:
    value = example(COSIGN_VULN)
    value["scanner"]["result"] = result
    assert "result" in refused(COSIGN_VULN, value)


def test_a_vulnerability_without_a_severity_is_not_harmless() -> None:
    value = example(COSIGN_VULN)
    trivy = copy.deepcopy(TRIVY)
    del trivy["Results"][0]["Vulnerabilities"][0]["Severity"]  # type: ignore[index]
    value["scanner"]["result"] = trivy
    facts = facts_of(COSIGN_VULN, value)
    assert isinstance(facts, Scan)
    assert facts.vulnerabilities[0].severity is Rating.UNKNOWN


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("CRITICAL", Rating.CRITICAL),
        ("9.0", Rating.CRITICAL),
        ("8.9", Rating.HIGH),
        ("Important", Rating.HIGH),
        ("4", Rating.MEDIUM),
        ("0.1", Rating.LOW),
        ("0.0", Rating.NONE),
        ("negligible", Rating.LOW),
        ("10", Rating.CRITICAL),
        ("11", Rating.UNKNOWN),
        ("-1", Rating.UNKNOWN),
        ("1e9", Rating.UNKNOWN),
        ("٩.٠", Rating.UNKNOWN),
        ("nan", Rating.UNKNOWN),
        ("", Rating.UNKNOWN),
        ("CVSS:3.1/AV:N", Rating.UNKNOWN),
    ],
)
def test_ratings(text: str, rating: Rating) -> None:
    assert rating_of(text) is rating


def test_openvex() -> None:
    facts = facts_of(OPENVEX)
    assert isinstance(facts, Exploitability)
    [assessment] = facts.assessments
    assert assessment.status == "not_affected"
    assert assessment.products[0].parts == ("pkg:deb/debian/zlib1g",)
    old = example(OPENVEX)
    old["statements"] = [{"vulnerability": "CVE-1", "products": ["pkg:a/b"], "status": "fixed"}]
    facts = facts_of(OPENVEX, old)
    assert isinstance(facts, Exploitability)
    assert facts.assessments[0].products[0].names == ("pkg:a/b",)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "harmless"},
        {"justification": ""},
        {"products": [{}]},
        {"products": [{"@id": "a", "subcomponents": [{}]}]},
        {"products": ["a", {}]},
        {"vulnerability": {}},
        {"vulnerability": ""},
    ],
)
def test_assessments_that_are_not_right_are_refused(change: dict[str, Any]) -> None:
    value = example(OPENVEX)
    value["statements"][0] |= change
    refused(OPENVEX, value)


def test_cyclonedx_can_assess() -> None:
    facts = facts_of(CYCLONEDX)
    assert isinstance(facts, Contents)
    [assessment] = facts.assessments
    assert assessment.status == "not_affected"
    assert assessment.products[0].parts == ("pkg:deb/debian/zlib1g@1.2",)
    whole = example(CYCLONEDX)
    whole["vulnerabilities"][0]["affects"] = [{"ref": "app"}]
    facts = facts_of(CYCLONEDX, whole)
    assert isinstance(facts, Contents)
    assert facts.assessments[0].products == ()
    whole["vulnerabilities"][0]["analysis"]["state"] = "fine"
    assert "state" in refused(CYCLONEDX, whole)


def test_annotations_of_a_signature() -> None:
    kind = "https://sigstore.dev/cosign/sign/v1"
    assert facts_of(kind, {}, annotations=({"a": "b"}, {"a": "b", "c": "d"})) == Annotations(
        {"a": "b", "c": "d"}
    )
    found, _ = found_statement("doc", kind, {}, ({"a": "b"}, {"a": "c"}))
    with pytest.raises(AssayError):
        found.read()


def test_links_and_tests() -> None:
    link = facts_of("https://in-toto.io/Link/v1")
    assert isinstance(link, Link)
    assert (link.step, link.materials[0].name) == ("build", "src/a.c")
    result = facts_of("https://in-toto.io/attestation/test-result/v0.1")
    assert isinstance(result, TestResult)
    assert (result.result, result.warned) == ("WARNED", ("c",))

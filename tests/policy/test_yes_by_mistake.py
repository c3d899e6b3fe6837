"""Ways to get a yes by mistake, each named after the attack."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assay.model.contents import ContentAccount, EntryCount, FileAccount, SbomReport
from assay.model.grounds import SeenVersion, Target
from assay.model.statement import Contents, Provenance
from assay.model.verdict import ComponentReport, State
from assay.policy.evaluate.versions import read_version
from assay.policy.names import registry_name
from tests.policy.judging import (
    DIGEST,
    MANIFEST,
    endorsement,
    facts,
    outcome,
    policy,
    rule,
    signer,
    with_statement,
)

OTHER = "sha256:" + "b" * 64
INDEX = "sha256:" + "c" * 64

STRICT = """
rules:
  - {name: all, require: {signers: other}}
  - {name: ours, match: {repository: [registry.example/acme/**]}, require: {signers: release}}
"""
EXCEPTION = """
rules: [{name: r, require: {signers: release}}]
exceptions:
  - match: MATCH
    rules: [r]
    reason: for now
    ticket: OPS-1
    approved-by: maria
    expires: 2026-06-30
"""


def named(name: str, *endorsements: Any, digest: str = DIGEST, **more: Any) -> Any:
    repository = name.removeprefix("docker://").partition("@")[0]
    return facts(
        *endorsements,
        image=name,
        name=name,
        resolved=f"docker://{repository.lower()}@{digest}",
        **more,
    )


def excepting(match: str) -> Any:
    return policy(EXCEPTION.replace("MATCH", match))


@pytest.mark.parametrize(
    "name",
    [
        "registry.example/acme/app:1",
        "Registry.EXAMPLE/acme/app:1",
        "registry.example:443/acme/app:1",
        "registry.example:0443/acme/app:1",
        "registry.example./acme/app:1",
        f"registry.example:443/acme/app@{DIGEST}",
    ],
)
def test_another_spelling_of_the_registry_escapes_no_rule(name: str) -> None:
    for text in (STRICT, STRICT.replace("registry.example/", "registry.example:443/")):
        assert outcome(policy(text), named(f"docker://{name}", endorsement("other"))) == "refused"


def test_a_name_without_its_registry_escapes_no_rule() -> None:
    """``docker://acme/app`` where a default registry is set: the registry is in what it led to."""
    image = facts(
        endorsement("other"),
        image="docker://acme/app:1",
        name="docker://acme/app:1",
        resolved=f"docker://registry.example/acme/app@{DIGEST}",
    )
    assert outcome(policy(STRICT), image) == "refused"
    assert outcome(policy(STRICT), named("docker://acme/app:1", endorsement("other"))) == "allowed"


def test_the_port_of_another_service_is_another_registry() -> None:
    found = named("docker://registry.example:5000/acme/app:1", endorsement("release"))
    document = policy(STRICT.replace("  - {name: all, require: {signers: other}}\n", ""))
    assert outcome(document, found) == "refused"


@pytest.mark.parametrize(
    "name", ["docker.io/app", "index.docker.io/app:1", "registry-1.docker.io/library/app"]
)
def test_docker_hub_is_one_registry(name: str) -> None:
    assert registry_name(name).repository == "docker.io/library/app"


def test_another_spelling_of_the_registry_has_the_same_history() -> None:
    history = (SeenVersion("registry.example/acme/app", "tag", "semantic", "2.0.0", 7),)
    document = rule("{version: {read-from: tag, never-older: true}}")
    found = named("docker://registry.example:443/acme/app:1.0.0", endorsement(), history=history)
    assert outcome(document, found) == "refused"


def test_a_tag_written_beside_a_digest_is_no_version() -> None:
    document = rule("{version: {read-from: tag, at-least: 2.0.0}}")
    assert outcome(document, named("docker://registry.example/app:9.0.0", endorsement())) == (
        "allowed"
    )
    pinned = named(f"docker://registry.example/app:9.0.0@{DIGEST}", endorsement())
    assert outcome(document, pinned) == "refused"


def test_a_tag_written_beside_a_digest_is_not_what_an_exception_means() -> None:
    document = excepting("{reference: ['registry.example/app:1.*']}")
    assert outcome(document, named("docker://registry.example/app:1.0")) == "allowed"
    assert outcome(document, named(f"docker://registry.example/app:1.0@{DIGEST}")) == "refused"
    by_digest = excepting(f"{{reference: ['registry.example/app@{DIGEST}']}}")
    assert outcome(by_digest, named(f"docker://registry.example/app:1.0@{DIGEST}")) == "allowed"


def test_an_exception_for_one_platform_does_not_let_its_neighbours_in() -> None:
    targets = (
        Target("amd", (DIGEST,), "linux/amd64"),
        Target("arm", (OTHER,), "linux/arm64"),
    )
    root = ComponentReport("index", "oci-index", "", 10, State.BOUND, digests=(INDEX,))
    found = facts(targets=targets, root="index", components=(root,))
    assert outcome(excepting(f"{{digest: ['{DIGEST}']}}"), found) == "refused"
    assert outcome(excepting(f"{{digest: ['{DIGEST}', '{OTHER}']}}"), found) == "allowed"
    assert outcome(excepting(f"{{digest: ['{INDEX}']}}"), found) == "allowed"


def test_a_component_that_is_only_excluded_is_not_bound() -> None:
    document = rule("{coverage: {components: [kernel]}}")
    for state, expected in ((State.EXCLUDED, "refused"), (State.BOUND, "allowed")):
        part = ComponentReport("kernel", "x", MANIFEST, 10, state)
        assert outcome(document, facts(endorsement(), components=(part,))) == expected


@pytest.mark.parametrize("source", ["", "signer", "signer's clock", "trusted comment"])
def test_the_word_of_the_signer_on_the_time_proves_nothing(source: str) -> None:
    who = signer(signed_at="2026-05-31T00:00:00Z", time_source=source)
    found = facts(endorsement("release", signer=who))
    assert outcome(rule("{freshness: {signed-within: 7 days}}"), found) != "allowed"
    revoked = policy(
        "rules: [{name: r, require: {signers: release}}]\n"
        "revoked: [{anchor: release, since: 2026-06-01, reason: stolen}]\n"
    )
    assert outcome(revoked, found) == "refused"


def compared(*reports: tuple[str, str, int], total: int) -> Any:
    found = with_statement(
        facts(endorsement()),
        "spdx",
        Contents("SPDX", created="2026-05-30T00:00:00Z"),
        "ci",
        document="sbom",
    )
    sboms = tuple(
        SbomReport(name, source, "SPDX", EntryCount(), EntryCount(), FileAccount(100, count))
        for name, source, count in reports
    )
    account = ContentAccount(MANIFEST, True, FileAccount(100, total), 0, 0, sboms=sboms)
    return replace(found, contents=(account,))


@pytest.mark.parametrize(
    "other", [("given.spdx.json", "given"), ("sbom", "given"), ("foreign", "signed")]
)
def test_files_that_only_another_sbom_accounts_for_do_not_count(other: tuple[str, str]) -> None:
    document = rule("{sbom: {signers: ci, percent-of-files: 95}}")
    mine = ("sbom", "signed", 10)
    assert outcome(document, compared(mine, (*other, 90), total=100)) == "refused"
    assert outcome(document, compared((*other, 100), total=100)) == "refused"
    enough = ("sbom", "signed", 95)
    assert outcome(document, compared(enough, (*other, 5), total=100)) == "allowed"


@pytest.mark.parametrize(
    ("condition", "anchor", "expected"),
    [
        ("size(signers) > 0", "scanner", "refused"),
        ("size(signers) > 0", "on-call", "refused"),
        ("size(signers) > 0", "release", "allowed"),
        ("statements.exists(s, s.kind == 'slsa-provenance')", "scanner", "refused"),
        ("statements.exists(s, s.kind == 'slsa-provenance')", "ci", "allowed"),
    ],
)
def test_an_anchor_for_something_else_meets_no_condition(
    condition: str, anchor: str, expected: str
) -> None:
    pytest.importorskip("cel_expr_python")
    said = Provenance("https://forge.example/runner", "https://forge.example/workflow/v1")
    found = with_statement(facts(endorsement(anchor)), "slsa-provenance", said, anchor)
    assert outcome(rule(f'{{expressions: [{{require: "{condition}"}}]}}'), found) == expected


def test_digits_of_another_script_are_no_version() -> None:
    for order in ("semantic", "numbers"):
        assert read_version("\u0661.0.0", order) is None

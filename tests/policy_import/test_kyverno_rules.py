"""Kyverno's verifyImages: attestors in sets, counted and nested, attestations with conditions."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from assay.model.finding import AssayError
from assay.model.verdict import Decision
from assay.policy_import.kubernetes.importer import IMPORTER
from assay.policy_import.kubernetes.names import kyverno_glob, names_of
from tests.policy_import.bench import SBOM, SCAN, Bench, KeyPair, bench, codes, details
from tests.support.certificates import NOW as CERTIFIED
from tests.support.certificates import Holder, make, root, usage
from tests.support.sigstore import IDENTITY, ISSUER

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"

ALLOWED, REFUSED, UNCHECKED = Decision.ALLOWED, Decision.REFUSED, Decision.UNCHECKED


def policy(
    entry: str, *, action: str = "Enforce", spec: str = "", rule: str = "", name: str = "ours"
) -> str:
    body = textwrap.indent(textwrap.dedent(entry).strip(), " " * 10)
    return (
        f"apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: {name}}}\nspec:\n"
        f"  validationFailureAction: {action}\n{textwrap.indent(spec, '  ')}  rules:\n"
        "    - name: signed\n      match: {any: [{resources: {kinds: [Pod]}}]}\n"
        f"{textwrap.indent(rule, ' ' * 6)}      verifyImages:\n        -\n"
        f"{body}\n"
    )


def attestors(*sets: str, references: str = "'*'") -> str:
    listed = "".join(textwrap.indent(each, "    ").replace("    ", "  - ", 1) for each in sets)
    return f"imageReferences: [{references}]\nattestors:\n{listed}"


def group(*entries: str, count: int = 0) -> str:
    head = f"count: {count}\n" if count else ""
    return f"{head}entries:\n" + "".join(
        "  - " + textwrap.indent(each, "    ").lstrip() for each in entries
    )


def keys(*pairs: KeyPair, ignore: bool = True, more: str = "") -> str:
    pem = textwrap.indent("".join(pair.pem for pair in pairs), "    ")
    log = "  rekor: {ignoreTlog: true}\n" if ignore else ""
    return f"keys:\n  publicKeys: |\n{pem}{log}{more}"


def nested(inner: str) -> str:
    return "attestor:\n" + textwrap.indent(inner, "  ")


def keyless(**members: str) -> str:
    return "keyless:\n" + "".join(f"  {name}: '{value}'\n" for name, value in members.items())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("kyverno")) as made:
        image = made.image()
        made.by_key("app", image, made.ours, annotations={"stage": "final", "team": "a"})
        made.by_key("app", image, made.theirs)
        made.by_key("app", image, made.ours, SBOM, {"name": "app", "count": 3})
        made.by_identity("app", image, IDENTITY, ISSUER, claims={2: "push", 5: "org/app"})
        predicate = {"scanner": {"uri": "pkg:x", "db": {"age": 2}}, "tags": ["a", "b"]}
        made.by_identity("app", image, IDENTITY, ISSUER, SCAN, predicate)
        made.image("unsigned")
        yield made


# sets


def test_without_a_count_every_entry_is_needed(found: Bench) -> None:
    ours, theirs, third = keys(found.ours), keys(found.theirs), keys(found.third)
    assert found.judge(policy(attestors(group(ours, theirs)))).decision is ALLOWED
    verdict = found.judge(policy(attestors(group(ours, third))))
    assert verdict.decision is REFUSED
    assert "ClusterPolicy/ours/signed[0] is not met" in details(verdict)


@pytest.mark.parametrize(("count", "decision"), [(1, ALLOWED), (2, ALLOWED), (3, REFUSED)])
def test_a_count(found: Bench, count: int, decision: Decision) -> None:
    entries = [keys(found.ours), keys(found.third), keys(found.theirs)]
    assert found.judge(policy(attestors(group(*entries, count=count)))).decision is decision


def test_each_key_of_an_entry_is_an_entry(found: Bench) -> None:
    both, other = keys(found.ours, found.theirs), keys(found.ours, found.third)
    assert found.judge(policy(attestors(group(both)))).decision is ALLOWED
    assert found.judge(policy(attestors(group(other)))).decision is REFUSED
    assert found.judge(policy(attestors(group(other, count=1)))).decision is ALLOWED


def test_the_same_key_twice_is_one_signer(found: Bench) -> None:
    twice = group(keys(found.ours), keys(found.ours), keys(found.third), count=2)
    assert found.judge(policy(attestors(twice))).decision is REFUSED


def test_all_sets_are_needed(found: Bench) -> None:
    ours, third = group(keys(found.ours)), group(keys(found.third))
    assert found.judge(policy(attestors(ours, ours))).decision is ALLOWED
    assert found.judge(policy(attestors(ours, third))).decision is REFUSED


def test_nested_sets(found: Bench) -> None:
    """Ours, and one of two others."""

    def asked(one: KeyPair, *others: KeyPair) -> str:
        inner = nested(group(*(keys(each) for each in others), count=1))
        return policy(attestors(group(keys(one), inner)))

    assert found.judge(asked(found.ours, found.third, found.theirs)).decision is ALLOWED
    assert found.judge(asked(found.third, found.ours, found.theirs)).decision is REFUSED
    assert found.judge(asked(found.ours, found.third, KeyPair())).decision is REFUSED


def test_an_unsigned_image(found: Bench) -> None:
    verdict = found.judge(policy(attestors(group(keys(found.ours)))), "unsigned")
    assert verdict.decision is REFUSED
    assert "no-signature" in codes(verdict)


def test_without_ignore_tlog_a_log_is_needed(found: Bench) -> None:
    asked = policy(attestors(group(keys(found.ours, ignore=False))))
    assert found.judge(asked).decision is UNCHECKED
    assert found.judge(asked, root=True).decision is REFUSED


# identities


@pytest.mark.parametrize(
    ("members", "decision"),
    [
        ({"issuer": ISSUER, "subject": IDENTITY}, ALLOWED),
        ({"issuer": ISSUER, "subject": "https://forge.test/org/*"}, ALLOWED),
        ({"issuer": "https://*.test", "subject": IDENTITY}, ALLOWED),
        ({"issuer": ISSUER, "subjectRegExp": "https://forge\\.test/.+"}, ALLOWED),
        ({"issuer": ISSUER, "subject": "https://forge.test/org/"}, REFUSED),
        ({"issuer": ISSUER, "subjectRegExp": "forge\\.test"}, REFUSED),
        ({"issuer": "https://other.test", "subject": "*"}, REFUSED),
        ({"issuer": ISSUER, "subject": "glob:**"}, REFUSED),
        ({"issuer": ISSUER}, UNCHECKED),
    ],
)
def test_identities(found: Bench, members: dict[str, str], decision: Decision) -> None:
    asked = policy(attestors(group(keyless(**members))))
    assert found.judge(asked, root=True).decision is decision


@pytest.mark.parametrize(
    ("name", "value", "decision"),
    [
        ("githubWorkflowTrigger", "push", ALLOWED),
        ("1.3.6.1.4.1.57264.1.5", "org/*", ALLOWED),
        ("githubWorkflowTrigger", "schedule", REFUSED),
        ("githubWorkflowName", "*", REFUSED),
        ("unheardOf", "a", UNCHECKED),
    ],
)
def test_extensions(found: Bench, name: str, value: str, decision: Decision) -> None:
    entry = (
        keyless(issuer=ISSUER, subject=IDENTITY) + f"  additionalExtensions: {{{name}: {value}}}\n"
    )
    entry = entry.replace(": *}", ": '*'}")
    assert found.judge(policy(attestors(group(entry))), root=True).decision is decision


def test_annotations(found: Bench) -> None:
    def asked(annotations: str) -> str:
        return policy(attestors(group(keys(found.ours) + f"annotations: {annotations}\n")))

    assert found.judge(asked("{stage: final}")).decision is ALLOWED
    assert found.judge(asked("{stage: final, team: a}")).decision is ALLOWED
    verdict = found.judge(asked("{stage: test}"))
    assert verdict.decision is REFUSED
    assert "annotation-missing" in codes(verdict)
    assert found.judge(asked("{other: a}")).decision is REFUSED


def test_certificates_of_an_authority_of_ones_own(found: Bench) -> None:
    ours, other = root("ours"), root("other")
    leaf = make("signer", ours, key_usage=usage("digital_signature"), eku=[CODE_SIGNING])
    twin = make("signer", ours, key_usage=usage("digital_signature"), eku=[CODE_SIGNING])
    image = found.image("certified")
    found.by_certificate("certified", image, leaf)

    def judged(*, log: str = "  rekor: {ignoreTlog: true}\n", **certificates: Holder) -> Decision:
        entry = "certificates:\n" + "".join(
            f"  {name}: |\n{textwrap.indent(holder.pem.decode(), '    ')}"
            for name, holder in certificates.items()
        )
        asked = policy(attestors(group(entry + log)))
        return found.judge(asked, "certified", at=CERTIFIED).decision

    assert judged(certChain=ours) is ALLOWED
    assert judged(certChain=other) is REFUSED
    assert judged(cert=leaf, certChain=ours) is ALLOWED
    assert judged(cert=leaf) is ALLOWED
    # of the same authority, and not the one
    assert judged(cert=twin, certChain=ours) is REFUSED
    # a log is asked for, which nobody can check
    assert judged(certChain=ours, log="") is UNCHECKED


# attestations


def attested(kind: str, *sets: str, conditions: str = "", more: str = "") -> str:
    listed = "".join(
        textwrap.indent(each, "      ").replace("      ", "    - ", 1) for each in sets
    )
    asked = f"  - type: {kind}\n" + (f"    attestors:\n{listed}" if sets else "")
    asked += textwrap.indent(conditions, "    ")
    return f"imageReferences: ['*']\n{more}attestations:\n{asked}"


def test_attestations(found: Bench) -> None:
    ours = group(keys(found.ours))
    assert found.judge(policy(attested(SBOM, ours))).decision is ALLOWED
    missing = found.judge(policy(attested(SCAN, ours)))
    assert missing.decision is REFUSED
    theirs = found.judge(policy(attested(SBOM, group(keys(found.theirs)))))
    assert theirs.decision is REFUSED
    # signed by anybody is not signed
    assert found.judge(policy(attested(SBOM))).decision is UNCHECKED


def condition(key: str, operator: str, value: Any) -> str:
    return (
        f"conditions:\n  - all:\n      - key: '{key}'\n        operator: {operator}\n"
        f"        value: {value}\n"
    )


@pytest.mark.parametrize(
    ("key", "operator", "value", "decision"),
    [
        ("{{ name }}", "Equals", "app", ALLOWED),
        ("{{name}}", "Equals", "a*", ALLOWED),
        ("{{ name }}", "Equals", "other", REFUSED),
        ("{{ name }}", "NotEquals", "other", ALLOWED),
        ("{{ missing }}", "NotEquals", "other", REFUSED),
        ("{{ name }}", "AnyIn", "[x, app]", ALLOWED),
        ("{{ name }}", "NotIn", "[x, app]", REFUSED),
        ("{{ count }}", "GreaterThan", 2, ALLOWED),
        ("{{ count }}", "LessThanOrEquals", 2, REFUSED),
        ("{{ count }}", "Equals", "'3'", REFUSED),
        ("{{ count }}", "Equals", 3, ALLOWED),
        ("{{ name }}", "GreaterThan", 2, REFUSED),
        # JMESPath that is more than a path
        ("{{ name || 'app' }}", "Equals", "app", UNCHECKED),
        ("{{ length(name) }}", "Equals", 3, UNCHECKED),
        ("{{ name }}", "Equals", "'{{ other }}'", UNCHECKED),
        ("{{ name }}", "DurationGreaterThan", "1h", UNCHECKED),
        ("{{ a }}-{{ b }}", "Equals", "x", UNCHECKED),
    ],
)
def test_conditions(found: Bench, key: str, operator: str, value: Any, decision: Decision) -> None:
    entry = attested(
        SBOM,
        group(keys(found.ours)),
        conditions=condition(key.replace("'", "''"), operator, value),
    )
    verdict = found.judge(policy(entry))
    assert verdict.decision is decision
    assert ("predicate-unmet" in codes(verdict)) is (decision is REFUSED)


@pytest.mark.parametrize(
    ("key", "operator", "value", "decision"),
    [
        ("{{ scanner.uri }}", "Equals", "pkg:*", ALLOWED),
        ("{{ scanner.db.age }}", "LessThan", 3, ALLOWED),
        ("{{ tags[1] }}", "Equals", "b", ALLOWED),
        ("{{ tags[2] }}", "Equals", "b", REFUSED),
        ("{{ tags }}", "AllIn", "[a, b, c]", ALLOWED),
        ("{{ tags }}", "AllIn", "[a]", REFUSED),
        ("{{ tags }}", "AnyIn", "[a]", ALLOWED),
        ("{{ tags }}", "AllNotIn", "[c]", ALLOWED),
        ('{{ scanner."uri" }}', "Equals", "pkg:x", ALLOWED),
    ],
)
def test_conditions_on_what_is_within(
    found: Bench, key: str, operator: str, value: Any, decision: Decision
) -> None:
    who = group(keyless(issuer=ISSUER, subject=IDENTITY))
    entry = attested(SCAN, who, conditions=condition(key, operator, value))
    assert found.judge(policy(entry), root=True).decision is decision


def test_one_attestation_that_says_otherwise_outweighs_another(found: Bench) -> None:
    image = found.image("mixed")
    entry = attested(
        SBOM, group(keys(found.ours)), conditions=condition("{{ result }}", "Equals", "good")
    )
    found.by_key("mixed", image, found.ours, SBOM, {"result": "good"})
    assert found.judge(policy(entry), "mixed").decision is ALLOWED
    # nobody whom the policy trusts
    found.by_key("mixed", image, found.theirs, SBOM, {"result": "bad"})
    assert found.judge(policy(entry), "mixed").decision is ALLOWED
    # about another image
    other = {**image, "digest": "sha256:" + "0" * 64}
    found.by_key("mixed", other, found.ours, SBOM, {"result": "bad"}, to=image)
    assert found.judge(policy(entry), "mixed").decision is ALLOWED
    found.by_key("mixed", image, found.ours, SBOM, {"result": "bad"})
    verdict = found.judge(policy(entry), "mixed")
    assert verdict.decision is REFUSED
    assert "predicate-unmet" in codes(verdict)


def test_a_signature_and_an_attestation_are_both_needed(found: Bench) -> None:
    both = attested(SBOM, group(keys(found.ours)), more=attestors(group(keys(found.third))) + "\n")
    both = both.replace("imageReferences: ['*']\n", "", 1)
    assert found.judge(policy(both)).decision is REFUSED


# which images, which rules


def test_an_image_that_no_rule_is_about_is_not_let_in(found: Bench) -> None:
    entry = attestors(group(keys(found.ours)), references="'ghcr.io/*'")
    verdict = found.judge(policy(entry))
    assert verdict.decision is REFUSED
    assert "Kyverno would let it in unchecked; Assay does not" in details(verdict)
    skipped = attestors(group(keys(found.ours))) + "\nskipImageReferences: ['*/app:*']"
    assert "policy-no-match" in codes(found.judge(policy(skipped)))


@pytest.mark.parametrize(
    ("pattern", "image", "matches"),
    [
        ("ghcr.io/ours/*", "docker://ghcr.io/ours/team/app:1", True),
        ("ghcr.io/ours/app", "docker://ghcr.io/ours/app:1", False),
        ("ghcr.io/ours/app:?", "docker://ghcr.io/ours/app:1", True),
        ("ghcr.io/ours/app:?", "docker://ghcr.io/ours/app:12", False),
        ("docker.io/nginx:*", "docker://docker.io/nginx", True),
        ("docker.io/library/nginx:latest", "docker://docker.io/nginx", True),
        ("ghcr.io/*", "docker://evil.test/ghcr.io/x:1", False),
        ("*", "oci:somewhere", False),
        ("ghcr.io/[ab]*", "docker://ghcr.io/a:1", False),
    ],
)
def test_patterns(pattern: str, image: str, matches: bool) -> None:
    assert kyverno_glob(pattern).matches(names_of(image)) is matches or (
        image.startswith("oci:") and not matches
    )


def test_audit_only_warns(found: Bench) -> None:
    asked = policy(attestors(group(keys(found.third))), action="Audit")
    verdict = found.judge(asked)
    assert verdict.decision is UNCHECKED
    assert "no-anchor" in codes(verdict)
    # an entry has the last word
    entry = "failureAction: Enforce\n" + attestors(group(keys(found.third)))
    assert found.judge(policy(entry, action="Audit")).decision is REFUSED
    # nothing said means Audit
    default = asked.replace("  validationFailureAction: Audit\n", "")
    assert found.judge(default).decision is UNCHECKED
    assert found.judge(policy(attestors(group(keys(found.ours))), action="Audit")).exit_status == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rule": "exclude: {any: [{resources: {kinds: [Pod]}}]}\n"}, "object in a cluster"),
        ({"rule": "preconditions: {all: [{key: a, operator: Equals, value: b}]}\n"}, "cluster"),
        ({"rule": "context: [{name: a, configMap: {name: b}}]\n"}, "cluster"),
        ({"spec": "validationFailureActionOverrides: [{action: Audit}]\n"}, "namespace"),
        ({"spec": "applyRules: One\n"}, "first rule"),
    ],
)
def test_what_narrows_down_objects_is_never_passed_over(
    found: Bench, change: dict[str, str], reason: str
) -> None:
    asked = policy(attestors(group(keys(found.ours))), **change)
    lost = [each for each in IMPORTER.read(asked.encode()).meanings() if each.lost]
    assert [each for each in lost if reason in each.text and each.line]
    assert found.judge(asked).decision is UNCHECKED
    assert found.judge(asked, allow_partial=True).decision is ALLOWED


def test_a_match_by_namespace_is_never_passed_over(found: Bench) -> None:
    asked = policy(attestors(group(keys(found.ours))))
    asked = asked.replace("{kinds: [Pod]}", "{kinds: [Pod], namespaces: [prod]}")
    assert found.judge(asked).decision is UNCHECKED


def test_partial_leaves_out_only_what_cannot_be_checked(found: Bench) -> None:
    kms = "keys: {kms: 'awskms:///a'}\n"
    third = policy(attestors(group(keys(found.third), kms)))
    assert found.judge(third, allow_partial=True).decision is REFUSED
    ours = policy(attestors(group(keys(found.ours), kms)))
    assert found.judge(ours).decision is UNCHECKED
    verdict = found.judge(ours, allow_partial=True)
    assert verdict.decision is ALLOWED
    assert "policy-not-carried" in codes(verdict)
    # an alternative is never made easier, and nothing left is nothing checked
    alone = policy(attestors(group(kms)))
    assert found.judge(alone, allow_partial=True).decision is UNCHECKED
    either = policy(attestors(group(keys(found.third), kms, count=1)))
    assert found.judge(either, allow_partial=True).decision is REFUSED
    two = policy(attestors(group(keys(found.ours), kms, kms, count=2)))
    assert found.judge(two, allow_partial=True).decision is UNCHECKED


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("keys: {secret: {name: a, namespace: b}}\n", "secret"),
        ("keys: {publicKeys: 'k8s://a/b'}\n", "elsewhere"),
        ("keys: {publicKeys: '{{ keys.data.a }}'}\n", "elsewhere"),
    ],
)
def test_what_cannot_be_carried_over_is_listed(entry: str, reason: str) -> None:
    asked = policy(attestors(group(entry)))
    lost = [each for each in IMPORTER.read(asked.encode()).meanings() if each.lost]
    assert [each for each in lost if reason in each.text and each.line > 9]


def test_other_rules_and_settings_are_listed_aside() -> None:
    asked = policy(attestors(group(keyless(subject="a", issuer="b"))) + "\nmutateDigest: true")
    asked += "    - name: other\n      match: {}\n      validate: {message: x}\n"
    meanings = IMPORTER.read(asked.encode()).meanings()
    aside = [each.text for each in meanings if each.aside]
    assert any("not about signatures" in text for text in aside)
    assert any(each.where.endswith("mutateDigest") for each in meanings if each.aside)
    assert not any(each.lost for each in meanings)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (attestors(group("keys: {publicKeys: x}\n")), "no public key"),
        (attestors(group("keys: {}\n")), "exactly one of publicKeys"),
        (attestors(group("{}\n")), "exactly one of keys"),
        (attestors("count: 2\n" + group("keyless: {subject: a}\n")), "count is 2"),
        (attestors("entries: []\n"), "entries is not a list with something"),
        ("attestors: []\n", "imageReferences is missing"),
        ("imageReferences: []\n", "imageReferences is missing"),
        ("imageReferences: ['*']\ntype: Unheard\n", "none of Cosign"),
        ("imageReferences: ['*']\nunheard: 1\n", "unheard is not known"),
        (
            "imageReferences: ['*']\nkey: x\nattestors: [{entries: [{keyless: {subject: a}}]}]",
            "go with",
        ),
        (attested(SBOM, conditions="conditions: [{}]\n"), "neither any nor all"),
        ("imageReferences: ['*']\nattestations: [{}]\n", "exactly one of type"),
    ],
)
def test_a_policy_that_is_not_as_its_schema_says_is_refused(entry: str, says: str) -> None:
    with pytest.raises(AssayError) as caught:
        IMPORTER.read(policy(entry).encode())
    assert re.search(says, caught.value.finding.detail)
    assert caught.value.finding.detail.startswith("line ")


def test_sets_that_are_nested_without_end_are_refused() -> None:
    inner = group(keyless(subject="a"))
    for _ in range(30):
        inner = group(nested(inner))
    with pytest.raises(AssayError):
        IMPORTER.read(policy(attestors(inner)).encode())


def test_an_entry_without_attestors_asks_for_nothing(found: Bench) -> None:
    verdict = found.judge(policy("imageReferences: ['*']\n"))
    assert verdict.decision is UNCHECKED
    assert "policy-accepts-anything" in codes(verdict)


def test_several_kinds_in_one_file(found: Bench) -> None:
    from tests.policy_import.test_cluster_image_policy import key
    from tests.policy_import.test_cluster_image_policy import policy as sigstore

    ours = policy(attestors(group(keys(found.ours))))
    assert found.judge(f"{ours}---\n{sigstore(key(found.theirs.pem))}").decision is ALLOWED
    assert found.judge(f"{ours}---\n{sigstore(key(found.third.pem))}").decision is REFUSED

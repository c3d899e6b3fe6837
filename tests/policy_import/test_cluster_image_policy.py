"""ClusterImagePolicy: what it asks for is asked for, and what cannot be is told."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.cli.main import cli
from assay.model.finding import AssayError, UsageError
from assay.model.verdict import Answer, Decision
from assay.policy_import.kubernetes.go_regexp import read_regexp
from assay.policy_import.kubernetes.importer import IMPORTER
from assay.policy_import.kubernetes.names import names_of, sigstore_glob
from assay.policy_import.load import load_policy
from fuzz.fuzz_kubernetes_policy import one_input, seeds
from tests.policy_import.bench import SBOM, SCAN, Bench, bench, codes, details
from tests.support.sigstore import IDENTITY, ISSUER


def policy(authorities: str, *, glob: str = "**", more: str = "", name: str = "ours") -> str:
    head = (
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\n"
        f"metadata:\n  name: {name}\nspec:\n  images:\n    - glob: '{glob}'\n"
    )
    body = textwrap.indent(textwrap.dedent(authorities).strip(), "    ")
    return f"{head}{textwrap.indent(textwrap.dedent(more), '  ')}  authorities:\n{body}\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("cip")) as made:
        image = made.image()
        made.by_key("app", image, made.ours, annotations={"stage": "final"})
        made.by_key("app", image, made.ours, SBOM, {"name": "app"})
        made.by_identity("app", image, IDENTITY, ISSUER)
        made.by_identity("app", image, IDENTITY, ISSUER, SCAN, {"scanner": {"uri": "x"}})
        made.image("unsigned")
        yield made


def key(pem: str, more: str = "") -> str:
    return "- key:\n    data: |\n" + textwrap.indent(pem, " " * 6) + textwrap.indent(more, "  ")


def keyless(more: str = "", **identity: str) -> str:
    members = "".join(f"\n        {name}: '{value}'" for name, value in identity.items())
    return f"- keyless:\n    identities:\n      -{members[8:]}\n" + textwrap.indent(more, "  ")


# keys


def test_a_key(found: Bench) -> None:
    assert found.judge(policy(key(found.ours.pem))).decision is Decision.ALLOWED
    other = found.judge(policy(key(found.theirs.pem)))
    assert other.decision is Decision.REFUSED
    assert {"not-vouched", "wrong-key"} <= codes(other)
    assert codes(found.judge(policy(key(found.ours.pem)), "unsigned")) >= {"no-signature"}


def test_of_authorities_one_is_enough_and_of_policies_all_are_needed(found: Bench) -> None:
    ours, theirs = key(found.ours.pem), key(found.theirs.pem)
    assert found.judge(policy(f"{ours}\n{theirs}")).decision is Decision.ALLOWED
    both = f"{policy(ours)}---\n{policy(theirs, name='theirs')}"
    verdict = found.judge(both)
    assert verdict.decision is Decision.REFUSED
    assert "ClusterImagePolicy/theirs is not met" in details(verdict)
    assert "ClusterImagePolicy/ours is not met" not in details(verdict)
    # one that is about other images asks for nothing here
    elsewhere = policy(theirs, name="theirs", glob="elsewhere.test/**")
    assert found.judge(f"{policy(ours)}---\n{elsewhere}").decision is Decision.ALLOWED


def test_a_key_with_a_log_takes_an_entry_of_the_log(found: Bench) -> None:
    asked = policy(key(found.ours.pem, "ctlog:\n  url: https://rekor.sigstore.test\n"))
    assert found.judge(asked, root=True).decision is Decision.REFUSED
    # and without the log's key nobody can say
    verdict = found.judge(asked)
    assert verdict.decision is Decision.UNCHECKED
    assert "--trusted-root" in details(verdict)
    unknown = policy(key(found.ours.pem, "ctlog:\n  url: https://other.test\n"))
    assert "knows no log at https://other.test" in details(found.judge(unknown, root=True))


def test_every_platform_has_to_meet_a_policy(found: Bench) -> None:
    registry = found.registry
    asked = policy(key(found.ours.pem))
    for name in ("whole", "parts"):
        images = [
            registry.push_image(name, "", [{"name": f"{name} {kind}".encode()}], kind)
            for kind in ("amd64", "arm64")
        ]
        index = registry.push_index(name, "1", images)
        if name == "whole":
            found.by_key(name, index, found.ours)
            assert found.judge(asked, name).decision is Decision.ALLOWED
            continue
        found.by_key(name, images[0], found.ours)
        partly = found.judge(asked, name)
        assert partly.decision is Decision.REFUSED
        assert "for linux/arm64" in details(partly)
        found.by_key(name, images[1], found.ours)
        assert found.judge(asked, name).decision is Decision.ALLOWED


# identities


@pytest.mark.parametrize(
    ("identity", "decision"),
    [
        ({"issuer": ISSUER, "subject": IDENTITY}, Decision.ALLOWED),
        ({"issuer": ISSUER, "subjectRegExp": "^https://forge\\.test/org/.*"}, Decision.ALLOWED),
        ({"issuerRegExp": "https://.*", "subjectRegExp": ".*"}, Decision.ALLOWED),
        ({"issuer": ISSUER, "subject": IDENTITY + "x"}, Decision.REFUSED),
        ({"issuer": "https://other.test", "subject": IDENTITY}, Decision.REFUSED),
        # an unanchored expression, which would match in the middle of any other name
        ({"issuer": ISSUER, "subjectRegExp": "https://forge\\.test/org/"}, Decision.REFUSED),
        ({"issuer": ISSUER, "subjectRegExp": "release"}, Decision.REFUSED),
        # an exact name is no pattern
        ({"issuer": ISSUER, "subject": "glob:**"}, Decision.REFUSED),
        ({"issuer": ISSUER, "subject": "regex:.*"}, Decision.REFUSED),
    ],
)
def test_identities_are_matched_in_full(
    found: Bench, identity: dict[str, str], decision: Decision
) -> None:
    assert found.judge(policy(keyless(**identity)), root=True).decision is decision


def test_an_identity_that_is_not_asked_for_is_told(found: Bench) -> None:
    asked = policy(keyless(issuer=ISSUER, subject="someone@else.test"))
    assert "wrong-identity" in codes(found.judge(asked, root=True))


def test_without_a_trusted_root_nobody_can_say(found: Bench) -> None:
    asked = policy(keyless(issuer=ISSUER, subject=IDENTITY))
    verdict = found.judge(asked)
    assert verdict.decision is Decision.UNCHECKED
    assert codes(verdict) == {"policy-not-carried"}


def test_the_certificate_of_an_authority_in_the_policy(found: Bench) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    instance = found.instance
    chain = b"".join(
        each.public_bytes(Encoding.PEM) for each in (instance.issuing, instance.ca)
    ).decode()
    other = type(instance)("other.test").ca.public_bytes(Encoding.PEM).decode()
    for text, decision in ((chain, Decision.ALLOWED), (other, Decision.REFUSED)):
        authority = "    ca-cert:\n      data: |\n" + textwrap.indent(text, " " * 8)
        asked = policy(keyless(issuer=ISSUER, subject=IDENTITY) + authority)
        assert found.judge(asked, root=True).decision is decision


# attestations


def test_an_attestation_is_not_replaced_by_a_signature(found: Bench) -> None:
    def asked(kind: str) -> str:
        more = f"attestations:\n  - name: a\n    predicateType: {kind}\n"
        return policy(key(found.ours.pem, more))

    assert found.judge(asked(SBOM)).decision is Decision.ALLOWED
    assert found.judge(asked("spdxjson")).decision is Decision.ALLOWED
    missing = found.judge(asked(SCAN))
    assert missing.decision is Decision.REFUSED
    assert "not-vouched" in codes(missing)
    scanned = keyless(
        f"attestations:\n  - name: a\n    predicateType: {SCAN}\n", issuer=ISSUER, subject=IDENTITY
    )
    assert found.judge(policy(scanned), root=True).decision is Decision.ALLOWED


def test_all_attestations_of_an_authority_are_needed(found: Bench) -> None:
    more = f"attestations:\n  - {{name: a, predicateType: '{SBOM}'}}\n"
    more += f"  - {{name: b, predicateType: '{SCAN}'}}\n"
    assert found.judge(policy(key(found.ours.pem, more))).decision is Decision.REFUSED


def test_a_policy_on_an_attestation_is_never_taken_for_met(found: Bench, tmp_path: Path) -> None:
    more = (
        f"attestations:\n  - name: a\n    predicateType: {SBOM}\n"
        "    policy:\n      type: cue\n      data: 'predicateType: \"x\"'\n"
    )
    asked = policy(key(found.ours.pem, more))
    verdict = found.judge(asked)
    assert verdict.decision is Decision.UNCHECKED
    assert "CUE" in details(verdict)
    # an alternative that can be checked decides
    assert found.judge(policy(key(found.ours.pem, more) + key(found.ours.pem))).exit_status == 0
    path = tmp_path / "policy.yaml"
    path.write_text(asked)
    for options, status in (((), 1), (("--allow-partial",), 0)):
        done = CliRunner().invoke(cli, ["policy", "import", str(path), *options])
        assert done.exit_code == status
        assert re.search(r"line \d+.*NOT CARRIED OVER.*CUE", done.output)


# static, modes, no match


def test_what_lets_anything_in_vouches_for_nothing(found: Bench) -> None:
    asked = policy("- static:\n    action: pass\n")
    for name in ("app", "unsigned"):
        verdict = found.judge(asked, name)
        assert verdict.decision is Decision.UNCHECKED
        assert "policy-accepts-anything" in codes(verdict)
    accepted = found.judge(asked, "unsigned", rule=BuiltInRule(self_consistent=True))
    assert accepted.decision is Decision.ALLOWED
    # beside a key, a signature still counts where there is one
    either = policy("- static:\n    action: pass\n" + key(found.ours.pem))
    assert found.judge(either).decision is Decision.ALLOWED
    assert found.judge(either, "unsigned").decision is Decision.UNCHECKED


def test_static_fail(found: Bench) -> None:
    verdict = found.judge(policy("- static:\n    action: fail\n    message: not here\n"))
    assert verdict.decision is Decision.REFUSED
    assert "not here" in details(verdict)
    either = policy("- static:\n    action: fail\n" + key(found.ours.pem))
    assert found.judge(either).decision is Decision.ALLOWED


def test_mode_warn_refuses_nothing_and_vouches_for_nothing(found: Bench) -> None:
    asked = policy(key(found.theirs.pem), more="mode: warn\n")
    verdict = found.judge(asked)
    assert verdict.decision is Decision.UNCHECKED
    assert "no-anchor" in codes(verdict)
    assert verdict.authentic is Answer.UNKNOWN
    warned = found.judge(asked, rule=BuiltInRule(self_consistent=True))
    assert warned.decision is Decision.ALLOWED
    assert "ClusterImagePolicy/ours is not met" in details(warned)
    assert found.judge(policy(key(found.ours.pem), more="mode: warn\n")).exit_status == 0
    # it takes nothing away from a policy that is enforced
    both = f"{asked}---\n{policy(key(found.ours.pem), name='enforced')}"
    assert found.judge(both).decision is Decision.ALLOWED


def test_an_image_in_no_policy_is_not_let_in(found: Bench) -> None:
    verdict = found.judge(policy(key(found.ours.pem), glob="elsewhere.test/**"))
    assert verdict.decision is Decision.REFUSED
    assert "policy-no-match" in codes(verdict)


@pytest.mark.parametrize(
    ("glob", "image", "matches"),
    [
        ("ghcr.io/ours/*", "docker://ghcr.io/ours/app:1", True),
        ("ghcr.io/ours/*", "docker://ghcr.io/ours/team/app:1", False),
        ("ghcr.io/ours/**", "docker://ghcr.io/ours/team/app:1", True),
        ("ghcr.io/ours/app", "docker://ghcr.io/ours/app:1", False),
        ("ghcr.io/ours/app:**", "docker://ghcr.io/ours/app:1", True),
        ("ghcr.io/ours/app*", "docker://ghcr.io/ours/application:1", True),
        ("ghcr.io/ours/app@sha256:*", f"docker://ghcr.io/ours/app@sha256:{'a' * 64}", True),
        ("ghcr.io/ours/app:1*", f"docker://ghcr.io/ours/app:1@sha256:{'a' * 64}", True),
        ("**", "docker://ghcr.io/ours/app", True),
        ("**", "oci:somewhere", False),
        ("*", "docker://docker.io/busybox", True),
        ("*", "docker://ghcr.io/ours/app", False),
        ("*/*", "docker://docker.io/user/app", True),
        ("*/*", "docker://ghcr.io/ours", False),
        ("index.docker.io/library/*", "docker://docker.io/library/busybox:1", True),
        ("docker.io/library/*", "docker://docker.io/busybox:1", True),
        ("ghcr.io/*", "docker://evil.test/ghcr.io/x:1", False),
        ("ghcrXio/ours/**", "docker://ghcr.io/ours/app:1", False),
        ("ghcr.io/ours/**", "docker://ghcrXio.test/ours/app:1", False),
    ],
)
def test_globs(glob: str, image: str, matches: bool) -> None:
    assert sigstore_glob(glob).matches(names_of(image)) is matches


# what is no policy, and what is listed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (policy("- {}"), "exactly one of key, keyless, static"),
        (policy("- {name: a, unknown: 1}"), "line 9: .*unknown is not known here"),
        (policy("[]").replace("  authorities:\n    []\n", ""), "authorities is missing"),
        (policy("- static: {action: maybe}"), "none of pass, fail"),
        (policy("- static: {}"), "action"),
        (policy("- {static: {action: pass}, ctlog: {url: 'x'}}"), "does not go with static"),
        (policy("- keyless: {identities: []}"), "identities is not a list with something"),
        (policy("- keyless: {identities: [{subject: a}]}"), "exactly one of issuer"),
        (policy("- keyless: {identities: [{issuer: a}]}"), "exactly one of subject"),
        (policy("- keyless: {identities: [{issuer: a, subjectRegExp: '('}]}"), "cannot be used"),
        (policy("- key: {data: nonsense}"), "no public key in PEM"),
        (policy("- key: {data: x, kms: z}"), "exactly one of"),
        (policy("- key: {data: ''}"), "data is not a string"),
        (policy("- static: {action: pass}", glob="a b"), "glob holds letters"),
        (policy("- static: {action: pass}", more="mode: audit\n"), "none of enforce, warn"),
        (policy("- static: {action: pass}").replace("v1beta1", "v2"), "apiVersion"),
        (
            policy("- static: {action: pass}") + "---\n" + policy("- static: {action: fail}"),
            "twice",
        ),
        (policy("- static: {action: pass}").replace("spec:", "Spec:"), "Spec is not known here"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "no object in it is a policy"),
        ("apiVersion: v1\nkind: 3\nmetadata: {name: a}\n", "kind is not a string"),
    ],
)
def test_a_policy_that_is_not_as_its_schema_says_is_refused(text: str, says: str) -> None:
    with pytest.raises(AssayError) as caught:
        IMPORTER.read(text.encode())
    assert re.search(says, caught.value.finding.detail)


def test_a_policy_without_authorities_is_refused_and_lets_nothing_in() -> None:
    for empty in ("[]", "null", "~"):
        text = policy("- static: {action: pass}")
        text = text[: text.index("  authorities")] + f"  authorities: {empty}\n"
        with pytest.raises(AssayError):
            IMPORTER.read(text.encode())


def test_a_doubled_key_is_told_with_its_line(tmp_path: Path) -> None:
    text = policy("- static: {action: fail}") + "  authorities:\n    - static: {action: pass}\n"
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_policy(str(tmp_path / "policy.yaml"))
    assert "line 10, column 3: the key 'authorities' stands there twice" in str(caught.value)


@pytest.mark.parametrize(
    ("authority", "reason"),
    [
        ("- key: {secretRef: {name: a}}", "secret"),
        ("- key: {kms: 'awskms:///a'}", "key service"),
        ("- {keyless: {trustRootRef: r, identities: [{issuer: a, subject: b}]}}", "TrustRoot 'r'"),
        (
            "- {keyless: {ca-cert: {secretRef: {name: a}}, identities: [{issuer: a, subject: b}]}}",
            "cluster",
        ),
    ],
)
def test_what_cannot_be_carried_over_is_listed(authority: str, reason: str) -> None:
    lost = [each for each in IMPORTER.read(policy(authority).encode()).meanings() if each.lost]
    assert len(lost) == 1
    assert reason in lost[0].text
    assert lost[0].line == 9
    applied = IMPORTER.read(policy(authority).encode()).apply("docker://r.test/app:1")
    assert applied.demands


def test_matching_by_labels_of_a_cluster_is_listed() -> None:
    more = "match:\n  - {resource: pods, version: v1, selector: {matchLabels: {a: b}}}\n"
    text = policy("- static: {action: fail}", more=more)
    assert any(
        each.lost and "labels" in each.text for each in IMPORTER.read(text.encode()).meanings()
    )
    plain = policy("- static: {action: fail}", more="match:\n  - {resource: pods, version: v1}\n")
    meanings = IMPORTER.read(plain.encode()).meanings()
    assert not any(each.lost for each in meanings)
    assert any(each.aside and "pods" in each.text for each in meanings)


def test_json_and_lists_are_read_alike(found: Bench) -> None:
    import json

    from assay.strict_yaml import parse

    text = policy(key(found.ours.pem))
    value = parse(text.encode(), "").plain()
    listed = {"apiVersion": "v1", "kind": "List", "items": [value], "metadata": {}}
    for each in (value, listed):
        for indent in (None, 2):
            assert found.judge(json.dumps(each, indent=indent)).decision is Decision.ALLOWED


def test_a_trust_root_with_keys_in_it(found: Bench) -> None:
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    instance = found.instance

    def pem(private: object) -> str:
        encoded = private.public_key().public_bytes(  # type: ignore[attr-defined]
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(encoded).decode()

    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (instance.issuing, instance.ca))
    log = "{baseURL: 'https://rekor.sigstore.test', hashAlgorithm: sha-256, publicKey: '%s'}"
    root = (
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata: {name: own}\n"
        "spec:\n  sigstoreKeys:\n    certificateAuthorities:\n"
        "      - subject: {organization: o, commonName: c}\n        uri: https://f.test\n"
        f"        certChain: {base64.b64encode(chain).decode()}\n"
        f"    tLogs: [{log % pem(instance.rekor_key)}]\n"
        f"    ctLogs: [{log % pem(instance.ct_key)}]\n"
    )
    asked = keyless("ctlog: {trustRootRef: own}\n", issuer=ISSUER, subject=IDENTITY)
    asked = asked.replace("keyless:\n", "keyless:\n    trustRootRef: own\n")
    assert found.judge(f"{root}---\n{policy(asked)}").decision is Decision.ALLOWED
    wrong = root.replace(pem(instance.rekor_key), pem(instance.ct_key))
    assert found.judge(f"{wrong}---\n{policy(asked)}").decision is Decision.REFUSED
    remote = (
        "apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata: {name: own}\n"
        "spec:\n  remote: {root: e30=, mirror: 'https://t.test'}\n"
    )
    assert "TUF" in details(found.judge(f"{remote}---\n{policy(asked)}"))


@pytest.mark.parametrize(
    "text",
    [
        "(?i)a",
        "a|b",
        "^a$",
        "[a-z]+@x\\.test",
        "(?P<n>a)",
        "a{1,3}",
        "[^/]*",
        "\\d+",
        "(?:a)?",
        "é",
    ],
)
def test_expressions_that_mean_the_same_in_go(text: str) -> None:
    assert read_regexp(text)


@pytest.mark.parametrize(
    "text",
    [
        "[[:alpha:]]",
        "[a[b]",
        "[a--b]",
        "[a&&b]",
        "\\pL",
        "a\\z",
        "\\Qa\\E",
        "(?=a)",
        "(?<!a)",
        "(?U)a",
        "a(?i)b",
        "\\1",
        "(",
        "",
    ],
)
def test_expressions_that_do_not_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_regexp(text)


def test_digits_are_ascii_as_in_go() -> None:
    assert not read_regexp("\\d").matches("٣")
    assert read_regexp("(?i)ABC").matches("abc")


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    one_input(data)
    for seed in seeds():
        one_input(seed[: len(seed) // 2] + data)

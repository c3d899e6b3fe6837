"""Signatures that notation makes, in a real registry and by its own trust policies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.policy_import.load import load_policy
from assay.trust.anchors import Trust
from tests.support.certificates import Holder, key_of, make, root, usage
from tests.support.notary import CODE_SIGNING
from tests.support.peers import docker_registry, make_layout, push, run
from tests.support.revocation import (
    Good,
    Revoked,
    Service,
    Unknown,
    answer,
    now,
    pointing,
    responder_of,
    serving,
)

for tool in ("docker-registry", "skopeo", "umoci", "notation"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)


def _run(*command: object, folder: Path) -> str:
    return run(
        *command, folder=folder, environment={"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Test keys of notation, and a layout with one image."""
    folder = tmp_path_factory.mktemp("notation")
    for name in ("ours", "theirs"):
        _run("notation", "cert", "generate-test", name, folder=folder)
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


def sign(folder: Path, image: str, form: str, *more: str, key: str = "ours") -> None:
    _run(
        "notation", "sign", "--key", key, "--signature-format", form, "--insecure-registry",
        *more, image, folder=folder,
    )  # fmt: skip


def check(folder: Path, name: str, key: str = "ours") -> Verdict:
    trust = Trust().add_ca(folder / "notation" / "localkeys" / f"{key}.crt")
    [verdict] = verify(name, VerifyOptions(trust=trust))
    return verdict


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_what_notation_signs(folder: Path, address: str, form: str) -> None:
    image = push(folder, address, form)
    name = f"docker://{address}/{form}:1"
    assert check(folder, name).exit_status == 1
    sign(folder, image, form, "--expiry", "24h", "--user-metadata", "team=a")
    verdict = check(folder, name)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0
    assert verdict.vouchers[0].signer is not None
    assert verdict.vouchers[0].signer.identity == "CN=ours,O=Notary,L=Seattle,ST=WA,C=US"
    assert check(folder, name, "theirs").exit_status == 1


def test_signatures_of_several_signers_and_forms(folder: Path, address: str) -> None:
    image = push(folder, address, "mixed")
    for form in ("jws", "cose"):
        sign(folder, image, form, key="theirs")
    sign(folder, image, "cose")
    verdict = check(folder, f"docker://{address}/mixed:1")
    assert verdict.exit_status == 0, verdict.findings


# the same trust policy for notation and for Assay

SUBJECT = "x509.subject: C=US, ST=WA, L=Seattle, O=Notary, CN="


def configure(folder: Path, address: str, name: str, **more: object) -> None:
    """Write a trust policy for one repository into notation's configuration directory."""
    policy = {
        "name": "it",
        "registryScopes": [f"{address}/{name}"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:ours"],
        "trustedIdentities": ["*"],
    } | more
    document = {"version": "1.0", "trustPolicies": [policy]}
    for old in (folder / "notation").glob("trustpolicy*.json"):
        old.unlink()
    (folder / "notation" / "trustpolicy.json").write_text(json.dumps(document))


def both_say(folder: Path, image: str) -> tuple[bool, bool]:
    """Whether notation and Assay allow an image, by the policy in the configuration."""
    done = subprocess.run(
        ["notation", "verify", "--insecure-registry", image],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)},
        timeout=60,
    )
    trust = Trust().add_notation_config(folder / "notation")
    [verdict] = verify(f"docker://{image}", VerifyOptions(trust=trust))
    policy = load_policy(str(folder / "notation" / "trustpolicy.json"))
    [other] = verify(f"docker://{image}", VerifyOptions(trust=Trust(), policy=policy))
    vouched = "ca" in {each.kind for each in verdict.vouchers}
    assert vouched is ("ca" in {each.kind for each in other.vouchers})
    assert verdict.decision is other.decision
    return done.returncode == 0, vouched


def trusted_key(folder: Path, **places: object) -> tuple[Holder, Holder]:
    """A key of notation whose certificate names places that tell of revocation, and its
    authority."""
    dates = {"start": now() - timedelta(days=1), "end": now() + timedelta(days=1)}
    top = root("Named Root", key=key_of("p256", 7), **dates)
    leaf = make(
        "Named",
        top,
        key_usage=usage("digital_signature"),
        eku=[CODE_SIGNING],
        extensions=pointing(**places),  # type: ignore[arg-type]
        **dates,  # type: ignore[arg-type]
    )
    store = folder / "notation" / "truststore" / "x509" / "ca" / "named"
    store.mkdir(parents=True, exist_ok=True)
    (store / "root.crt").write_bytes(top.pem)
    keys = folder / "notation" / "localkeys"
    (keys / "named.crt").write_bytes(leaf.pem + top.pem)
    (keys / "named.key").write_bytes(leaf.key_pem)
    known = folder / "notation" / "signingkeys.json"
    document = json.loads(known.read_text())
    document["keys"] = [each for each in document["keys"] if each["name"] != "named"]
    document["keys"].append(
        {"name": "named", "keyPath": f"{keys}/named.key", "certPath": f"{keys}/named.crt"}
    )
    known.write_text(json.dumps(document))
    return leaf, top


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ({}, True),
        ({"trustStores": ["ca:theirs"]}, False),
        ({"trustStores": ["ca:theirs", "ca:ours"]}, True),
        ({"trustedIdentities": [SUBJECT + "ours"]}, True),
        ({"trustedIdentities": [SUBJECT + "theirs"]}, False),
        ({"trustedIdentities": ["x509.subject: C=US, ST=WA, O=Notary"]}, True),
        ({"trustedIdentities": ["x509.subject: C=US, S=WA, O=Notary"]}, True),
        ({"trustedIdentities": ["x509.subject: C=US, ST=WA, O=notary"]}, False),
        ({"signatureVerification": {"level": "permissive"}}, True),
        (
            {
                "signatureVerification": {
                    "level": "permissive",
                    "override": {"authenticTimestamp": "enforce", "revocation": "skip"},
                }
            },
            True,
        ),
    ],
)
def test_a_trust_policy_means_the_same(
    folder: Path, address: str, policy: dict[str, object], allowed: bool
) -> None:
    image = push(folder, address, "policy")
    if not (folder / "signed").exists():
        sign(folder, image, "jws")
        (folder / "signed").touch()
    configure(folder, address, "policy", **policy)
    assert both_say(folder, image) == (allowed, allowed)


def test_an_expired_signature_under_a_strict_and_a_permissive_policy(
    folder: Path, address: str
) -> None:
    image = push(folder, address, "expiring")
    sign(folder, image, "cose", "--expiry", "1m")
    for level in ("strict", "permissive"):
        configure(folder, address, "expiring", signatureVerification={"level": level})
        trust = Trust().add_notation_config(folder / "notation")
        later = datetime.now(UTC) + timedelta(minutes=2)
        [verdict] = verify(f"docker://{image}", VerifyOptions(trust=trust, at=later))
        assert "signature-expired" in {finding.code for finding in verdict.findings}
        assert bool("ca" in {each.kind for each in verdict.vouchers}) == (level == "permissive")


# revocation, asked by both


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ("good", True),
        ("good by a responder", True),
        ("revoked", False),
        ("unknown", False),
        ("nothing", False),
        ("another key", False),
        ("old", False),
    ],
)
def test_responders_are_believed_alike(
    folder: Path, address: str, service: Service, said: str, allowed: bool
) -> None:
    name = "ocsp-" + said.replace(" ", "-")
    image = push(folder, address, name)
    leaf, top = trusted_key(folder, responder=f"{service.url}/{name}")
    dates = {"start": now() - timedelta(days=1), "end": now() + timedelta(days=1)}
    answers = {
        "good": lambda: answer(leaf, top, status=Good, at=now()),
        "good by a responder": lambda: answer(leaf, top, responder_of(top, **dates), at=now()),
        "revoked": lambda: answer(leaf, top, status=Revoked, at=now() - timedelta(hours=1)),
        "unknown": lambda: answer(leaf, top, status=Unknown, at=now()),
        "another key": lambda: answer(leaf, top, root("Named Root", **dates), at=now()),
        "old": lambda: answer(
            leaf, top, at=now() - timedelta(hours=3), until=now() - timedelta(hours=1)
        ),
    }
    if said in answers:
        service.bodies[f"/{name}"] = lambda _: answers[said]()
        # notation asks with GET: the question is in the path
        service.otherwise = lambda _: answers[said]()
    sign(folder, image, "jws", key="named")
    configure(folder, address, name, trustStores=["ca:named"])
    assert both_say(folder, image) == (allowed, allowed)
    level = {"level": "strict", "override": {"revocation": "skip"}}
    configure(folder, address, name, trustStores=["ca:named"], signatureVerification=level)
    assert both_say(folder, image) == (True, True)


@pytest.mark.parametrize(
    ("said", "allowed"), [("empty", True), ("revoked", False), ("nothing", False), ("old", False)]
)
def test_lists_are_believed_alike(
    folder: Path, address: str, service: Service, said: str, allowed: bool
) -> None:
    name = f"crl-{said}"
    image = push(folder, address, name)
    leaf, top = trusted_key(folder, lists=[f"{service.url}/{name}.crl"])
    revoked = (leaf.made.serial_number, now() - timedelta(hours=1), None)
    start = now() - timedelta(hours=1)
    if said == "empty":
        service.list(f"/{name}.crl", top, at=start)
    elif said == "revoked":
        service.list(f"/{name}.crl", top, revoked, at=start)
    elif said == "old":
        service.list(f"/{name}.crl", top, at=start, end=start + timedelta(minutes=1))
    sign(folder, image, "cose", key="named")
    configure(folder, address, name, trustStores=["ca:named"])
    assert both_say(folder, image) == (allowed, allowed)


@pytest.mark.parametrize("kind", ["ClusterPolicy", "ImageValidatingPolicy"])
def test_policies_of_kyverno_for_signatures_of_notation(
    folder: Path, address: str, kind: str
) -> None:
    image = push(folder, address, f"kyverno-{kind.lower()}")
    sign(folder, image, "cose")
    for name, status in (("ours", 0), ("theirs", 1)):
        pem = (folder / "notation" / "localkeys" / f"{name}.crt").read_text()
        (folder / "kyverno.yaml").write_text(_of_kyverno(kind, textwrap.indent(pem, " " * 18)))
        policy = load_policy(str(folder / "kyverno.yaml"))
        [verdict] = verify(f"docker://{image}", VerifyOptions(trust=Trust(), policy=policy))
        assert verdict.exit_status == status, verdict.findings


def _of_kyverno(kind: str, pem: str) -> str:
    if kind == "ClusterPolicy":
        return (
            "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: notary}\nspec:\n"
            "  validationFailureAction: Enforce\n  rules:\n    - name: signed\n      match: {}\n"
            "      verifyImages:\n        - type: Notary\n          imageReferences: ['*']\n"
            f"          attestors:\n            - entries:\n              - certificates:\n"
            f"                  cert: |\n{textwrap.indent(pem, '  ')}"
        )
    call = "verifyImageSignatures(image, [attestors.one])"
    return (
        "apiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\n"
        "metadata: {name: notary}\nspec:\n  attestors:\n    - name: one\n      notary:\n"
        f"        certs:\n          value: |\n{pem}  validations:\n"
        f"    - expression: images.containers.map(image, {call}).all(e, e > 0)\n"
    )

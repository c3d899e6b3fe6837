"""Signatures and attestations of images in a real registry: cosign and skopeo accept what we make,
and no more than that."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.pipeline import VerifyOptions, verify
from assay.produce.keys import pkcs8
from assay.produce.keys.kinds import generate
from assay.produce.signing_key import SigningKey
from assay.signing import Signed, attest, find_subject, sign
from assay.sources.model import OpenOptions
from tests.signatures.support import says_yes, trust_in
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci", "cosign"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

OPTIONS = OpenOptions()
PROVENANCE = b'{"buildDefinition": {"buildType": "a:b"}, "runDetails": {"builder": {"id": "c:d"}}}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with one image, and a trusted root with nothing in it: cosign asks nobody."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "root.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, SigningKey]:
    made = {kind: generate(kind) for kind in ("ecdsa-p256", "ed25519", "rsa-3072")}
    made["other"] = generate("ecdsa-p256")
    for name, key in made.items():
        (folder / f"{name}.pub").write_bytes(pkcs8.FORM.write_public(key))
    return made


def _cosign_says_yes(folder: Path, verb: str, image: str, key: str, *more: str) -> bool:
    return says_yes(
        "cosign", verb, "--key", f"{key}.pub", "--trusted-root", "root.json",
        "--insecure-ignore-tlog", "--allow-http-registry", *more, image, cwd=folder,
    )  # fmt: skip


def _we_say_yes(folder: Path, address: str, name: str, key: str) -> bool:
    trust = trust_in(folder / f"{key}.pub")
    [verdict] = verify(f"docker://{address}/{name}:1", VerifyOptions(trust=trust))
    return verdict.exit_status == 0


def _attach(made: Signed) -> None:
    made.attach(OPTIONS)


@pytest.mark.parametrize("form", ["sigstore", "simple-signing"])
@pytest.mark.parametrize("kind", ["ecdsa-p256", "ed25519", "rsa-3072"])
def test_cosign_verifies_our_signature(
    folder: Path, address: str, keys: dict[str, SigningKey], form: str, kind: str
) -> None:
    name = f"signed-{form}-{kind}"
    image = push(folder, address, name)
    old = ("--new-bundle-format=false",) if form == "simple-signing" else ()
    assert not _cosign_says_yes(folder, "verify", image, kind, *old)
    subject = find_subject(f"docker://{address}/{name}:1", OPTIONS)
    _attach(sign(subject, keys[kind], form, annotations={"build": "1432"}))
    assert _cosign_says_yes(folder, "verify", image, kind, *old, "-a", "build=1432")
    assert not _cosign_says_yes(folder, "verify", image, kind, *old, "-a", "build=1433")
    assert not _cosign_says_yes(folder, "verify", image, "other", *old)
    assert _we_say_yes(folder, address, name, kind)
    assert not _we_say_yes(folder, address, name, "other")


@pytest.mark.parametrize("form", ["sigstore", "dsse"])
def test_cosign_verifies_our_attestation(
    folder: Path, address: str, keys: dict[str, SigningKey], form: str
) -> None:
    name = f"attested-{form}"
    image = push(folder, address, name)
    subject = find_subject(f"docker://{address}/{name}:1", OPTIONS)
    _attach(attest(subject, keys["ecdsa-p256"], "slsaprovenance1", PROVENANCE, form))
    more = ["--type", "slsaprovenance1"]
    if form == "dsse":
        more.append("--new-bundle-format=false")
    assert _cosign_says_yes(folder, "verify-attestation", image, "ecdsa-p256", *more)
    assert not _cosign_says_yes(folder, "verify-attestation", image, "other", *more)
    assert _we_say_yes(folder, address, name, "ecdsa-p256")


def test_signatures_stand_beside_those_of_cosign(
    folder: Path, address: str, keys: dict[str, SigningKey]
) -> None:
    """What others attached stays, in both layouts; and signing again adds nothing."""
    password = {"COSIGN_PASSWORD": ""}
    run("cosign", "generate-key-pair", "--output-key-prefix", "its", folder=folder,
        environment=password)  # fmt: skip
    image = push(folder, address, "both")
    run(
        "cosign", "sign", "--key", "its.key", "--trusted-root", "root.json", "-y",
        "--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false",
        "--allow-http-registry", image, folder=folder, environment=password,
    )  # fmt: skip
    subject = find_subject(f"docker://{address}/both:1", OPTIONS)
    for form in ("simple-signing", "sigstore"):
        _attach(sign(subject, keys["ed25519"], form))
    old = "--new-bundle-format=false"
    assert _cosign_says_yes(folder, "verify", image, "its", old)
    assert _cosign_says_yes(folder, "verify", image, "ed25519", old)
    assert _cosign_says_yes(folder, "verify", image, "ed25519")
    made = sign(subject, keys["ed25519"], "simple-signing")
    assert made.attach(OPTIONS) == made.attach(OPTIONS)


def test_skopeo_verifies_our_signature(
    folder: Path, address: str, keys: dict[str, SigningKey]
) -> None:
    """A policy for containers that asks for signatures of this kind, by this key."""
    push(folder, address, "policy")
    (folder / "registries").mkdir(exist_ok=True)
    (folder / "registries" / "default.yaml").write_text(
        "default-docker:\n  use-sigstore-attachments: true\n"
    )

    def accepts(key: str) -> bool:
        rule = {
            "type": "sigstoreSigned",
            "keyPath": str(folder / f"{key}.pub"),
            "signedIdentity": {"type": "matchRepository"},
        }
        (folder / "policy.json").write_text(json.dumps({"default": [rule]}))
        shutil.rmtree(folder / "copy", ignore_errors=True)
        done = subprocess.run(
            ["skopeo", "--policy", "policy.json", "--registries.d", "registries", "copy",
             "--src-tls-verify=false", f"docker://{address}/policy:1", "dir:copy"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "sigstore disabled" in done.stderr:
            pytest.skip("this skopeo was built without such signatures (Debian's is)")
        return done.returncode == 0

    subject = find_subject(f"docker://{address}/policy:1", OPTIONS)
    _attach(sign(subject, keys["ecdsa-p256"], "simple-signing"))
    assert accepts("ecdsa-p256")
    assert not accepts("other")


def test_cosign_verifies_what_we_sign_in_a_layout(
    folder: Path, address: str, keys: dict[str, SigningKey]
) -> None:
    """The layout is copied to a registry with everything that refers to the image."""
    if shutil.which("oras") is None:
        pytest.skip("oras is not installed")
    shutil.copytree(folder / "image", folder / "local")
    subject = find_subject("oci:" + str(folder / "local"), OPTIONS)
    _attach(sign(subject, keys["ecdsa-p256"]))
    run(
        "oras", "copy", "-r", "--from-oci-layout", "--to-plain-http", f"local@{subject.digest}",
        f"{address}/copied:1", folder=folder,
    )  # fmt: skip
    image = f"{address}/copied@{subject.digest}"
    assert _cosign_says_yes(folder, "verify", image, "ecdsa-p256")


def test_cosign_finds_our_signature_in_another_repository(
    folder: Path, address: str, keys: dict[str, SigningKey]
) -> None:
    image = push(folder, address, "apart")
    subject = find_subject(f"docker://{address}/apart:1", OPTIONS)
    sign(subject, keys["ecdsa-p256"], "simple-signing").attach(OPTIONS, f"{address}/signatures")
    words = (
        "cosign", "verify", "--key", "ecdsa-p256.pub", "--trusted-root", "root.json",
        "--insecure-ignore-tlog", "--allow-http-registry", "--new-bundle-format=false",
    )  # fmt: skip
    run(*words, image, folder=folder, environment={"COSIGN_REPOSITORY": f"{address}/signatures"})
    assert not says_yes(*words, image, cwd=folder)
    assert not _we_say_yes(folder, address, "apart", "ecdsa-p256")
    elsewhere = OpenOptions(signature_repositories=(f"{address}/signatures",))
    trust = trust_in(folder / "ecdsa-p256.pub")
    request = VerifyOptions(trust=trust, open=elsewhere)
    [verdict] = verify(f"docker://{address}/apart:1", request)
    assert verdict.exit_status == 0, verdict.findings

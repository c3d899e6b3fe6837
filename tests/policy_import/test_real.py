"""Images that cosign signs and attests in a real registry, by policies of policy-controller and
Kyverno: let in, and refused for the wrong key, without the attestation, for another name."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import cli
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci", "cosign"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

NEW = ("--signing-config", "config.json")
OLD = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
WAYS = pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])


class Cosign:
    """cosign with two key pairs, and nobody that it would ask."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        for name in ("ours", "theirs"):
            self.run("generate-key-pair", "--output-key-prefix", name)
        (folder / "root.json").write_text(
            '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
        )
        config = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "rekorTlogConfig": {},
            "tsaConfig": {},
        }
        (folder / "config.json").write_text(json.dumps(config))
        make_layout(folder)

    def run(self, *words: str) -> None:
        run("cosign", *words, folder=self.folder, environment={"COSIGN_PASSWORD": ""})

    def sign(self, image: str, *more: str, key: str = "ours") -> None:
        self.run(
            "sign", "--key", f"{key}.key", "--trusted-root", "root.json", "--allow-http-registry",
            "-y", *more, image,
        )  # fmt: skip

    def attest(self, image: str, kind: str, predicate: str, *more: str) -> None:
        (self.folder / "predicate.json").write_text(predicate)
        self.run(
            "attest", "--key", "ours.key", "--trusted-root", "root.json", "--type", kind,
            "--predicate", "predicate.json", "--allow-http-registry", "-y", *more, image,
        )  # fmt: skip

    def pem(self, who: str, spaces: int) -> str:
        return textwrap.indent((self.folder / f"{who}.pub").read_text(), " " * spaces)

    def sigstore(self, who: str, *kinds: str, glob: str = "") -> Path:
        """A ClusterImagePolicy that asks for a signature, or attestations."""
        asked = "".join(
            f"        - {{name: a{n}, predicateType: {k}}}\n" for n, k in enumerate(kinds)
        )
        return self._write(
            "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\n"
            f"metadata: {{name: {who}}}\nspec:\n  images: [{{glob: '{glob or self.address}/**'}}]\n"
            f"  authorities:\n    - key:\n        data: |\n{self.pem(who, 10)}"
            + (f"      attestations:\n{asked}" if asked else "")
        )

    def kyverno(self, who: str, *, kind: str = "", value: str = "", annotations: str = "") -> Path:
        """A ClusterPolicy that asks for the same."""
        entry = (
            f"- entries:\n    - keys:\n        publicKeys: |\n{self.pem(who, 10)}"
            "        rekor: {ignoreTlog: true}\n"
            + (f"      annotations: {annotations}\n" if annotations else "")
        )
        asked = "attestors:\n" + textwrap.indent(entry, "  ")
        if kind:
            asked = f"attestations:\n  - type: {kind}\n    attestors:\n"
            asked += textwrap.indent(entry, " " * 6)
            asked += "    conditions:\n      - all:\n          - key: '{{ Data }}'\n"
            asked += f"            operator: Equals\n            value: '{value}'\n"
        return self._write(
            f"apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {{name: {who}}}\nspec:\n"
            "  validationFailureAction: Enforce\n  rules:\n    - name: signed\n"
            "      match: {any: [{resources: {kinds: [Pod]}}]}\n      verifyImages:\n"
            f"        - imageReferences: ['{self.address}/*']\n{textwrap.indent(asked, ' ' * 10)}"
        )

    def _write(self, text: str) -> Path:
        path = self.folder / "policy.yaml"
        path.write_text(text)
        return path

    def verify(self, name: str, policy: Path) -> Result:
        image = f"docker://{self.address}/{name}:1"
        return CliRunner().invoke(cli, ["verify", image, "--policy", str(policy)])


@pytest.fixture(scope="module")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cosign]:
    folder = tmp_path_factory.mktemp("policies")
    with docker_registry(folder / "registry") as (address, _):
        yield Cosign(folder, address)


@WAYS
def test_signed_images(cosign: Cosign, way: tuple[str, ...]) -> None:
    name = f"signed{len(way)}"
    image = push(cosign.folder, cosign.address, name)
    for policy in (cosign.sigstore, cosign.kyverno):
        done = cosign.verify(name, policy("ours"))
        assert done.exit_code == 1
        assert "no-signature" in done.output
    cosign.sign(image, *way, "-a", "stage=final")
    for policy in (cosign.sigstore, cosign.kyverno):
        allowed = cosign.verify(name, policy("ours"))
        assert allowed.exit_code == 0, allowed.output
        wrong = cosign.verify(name, policy("theirs"))
        assert wrong.exit_code == 1
        assert "wrong-key" in wrong.output
    assert cosign.verify(name, cosign.sigstore("ours", glob="ghcr.io")).exit_code == 1
    for value, status in (("final", 0), ("test", 1)):
        policy = cosign.kyverno("ours", annotations=f"{{stage: {value}}}")
        assert cosign.verify(name, policy).exit_code == status


@WAYS
def test_attested_images(cosign: Cosign, way: tuple[str, ...]) -> None:
    name = f"attested{len(way)}"
    image = push(cosign.folder, cosign.address, name)
    cosign.sign(image, *way)
    custom = "https://cosign.sigstore.dev/attestation/v1"
    for policy in (cosign.sigstore("ours", custom), cosign.kyverno("ours", kind=custom)):
        assert cosign.verify(name, policy).exit_code == 1
    cosign.attest(image, "custom", "checked", *way)
    assert cosign.verify(name, cosign.sigstore("ours", custom)).exit_code == 0
    assert cosign.verify(name, cosign.sigstore("ours", "custom")).exit_code == 0
    assert cosign.verify(name, cosign.sigstore("ours", "custom", "spdxjson")).exit_code == 1
    assert cosign.verify(name, cosign.sigstore("theirs", custom)).exit_code == 1
    for value, status in (("checked", 0), ("unchecked", 1)):
        policy = cosign.kyverno("ours", kind=custom, value=value)
        done = cosign.verify(name, policy)
        assert done.exit_code == status, done.output


def test_an_attestation_does_not_stand_in_for_a_signature(cosign: Cosign) -> None:
    image = push(cosign.folder, cosign.address, "only-attested")
    cosign.attest(image, "custom", "checked", *NEW)
    for policy in (cosign.sigstore, cosign.kyverno):
        assert cosign.verify("only-attested", policy("ours")).exit_code == 1


def test_signatures_in_a_repository_of_their_own(cosign: Cosign) -> None:
    image = push(cosign.folder, cosign.address, "apart")
    place = f"{cosign.address}/signatures"
    run(
        "cosign", "sign", "--key", "ours.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *OLD, image, folder=cosign.folder,
        environment={"COSIGN_PASSWORD": "", "COSIGN_REPOSITORY": place},
    )  # fmt: skip
    for policy in (cosign.sigstore, cosign.kyverno):
        assert cosign.verify("apart", policy("ours")).exit_code == 1
    path = cosign.sigstore("ours")
    path.write_text(path.read_text() + f"      source: [{{oci: '{place}'}}]\n")
    done = cosign.verify("apart", path)
    assert done.exit_code == 0, done.output
    path = cosign.kyverno("ours")
    path.write_text(path.read_text() + f"          repository: '{place}'\n")
    assert cosign.verify("apart", path).exit_code == 0


def test_the_name_that_an_image_was_signed_for(cosign: Cosign) -> None:
    image = push(cosign.folder, cosign.address, "named")
    cosign.sign(image, *OLD)
    name = f"{cosign.address}/named"
    for wanted, status in ((name, 0), (f"{cosign.address}/other", 1), (f"{name}:1", 1)):
        words = ["verify", f"docker://{name}:1", "--key", str(cosign.folder / "ours.pub")]
        done = CliRunner().invoke(cli, [*words, "--docker-reference", wanted])
        assert done.exit_code == status, done.output
        assert ("signed-for-another-name" in done.output) is (status == 1)
    # a bundle names no image
    image = push(cosign.folder, cosign.address, "nameless")
    cosign.sign(image, *NEW)
    words = ["verify", f"docker://{cosign.address}/nameless:1", "--key"]
    words += [str(cosign.folder / "ours.pub"), "--docker-reference"]
    assert CliRunner().invoke(cli, [*words, f"{cosign.address}/nameless"]).exit_code == 1
    assert CliRunner().invoke(cli, [*words, "not a name"]).exit_code == 2

"""What skopeo signs is verified, wherever it keeps it; and what it refuses is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.model.verdict import Decision, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.policy_import.load import load_policy
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.signatures.openpgp.support import Gnupg, gnupg
from tests.support.checking import codes_of
from tests.support.peers import docker_registry

for tool in ("docker-registry", "skopeo", "umoci", "gpg"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

SIGNER, OTHER = "Publisher <publisher@example.test>", "Other <other@example.test>"


class Bench:
    """An image, signers, a registry with lookaside storage beside it, and skopeo over them."""

    def __init__(self, folder: Path, gpg: Gnupg, address: str) -> None:
        self.folder, self.gpg, self.address = folder, gpg, address
        self.lookaside = folder / "lookaside"
        self.keys: dict[str, Path] = {}

    def run(self, *command: object, code: int = 0) -> str:
        done = subprocess.run(
            [*map(str, command)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | {"GNUPGHOME": str(self.gpg.home), "COSIGN_PASSWORD": ""},
            timeout=60,
        )
        assert (done.returncode != 0) == bool(code), done.stderr
        return done.stdout

    def skopeo(self, *words: object, policy: Path | None = None, code: int = 0) -> str:
        how = ("--policy", policy) if policy else ("--insecure-policy",)
        return self.run(
            "skopeo", *how, "--registries.d", self.folder / "registries.d", *words, code=code
        )

    def policy(self, name: str, *required: dict[str, Any]) -> Path:
        path = self.folder / f"{name}.json"
        docker = {self.address: list(required)}
        path.write_text(
            json.dumps({"default": [{"type": "reject"}], "transports": {"docker": docker}})
        )
        return path

    def signed_by(self, who: str, **identity: str) -> dict[str, Any]:
        named = {"signedIdentity": identity} if identity else {}
        path = str(self.keys[who])
        return {"type": "signedBy", "keyType": "GPGKeys", "keyPath": path, **named}

    def verify(self, name: str, policy: Path, **options: Any) -> Verdict:
        opened = OpenOptions(**({"registries_d": str(self.folder / "registries.d")} | options))
        request = VerifyOptions(Trust(), policy=load_policy(str(policy)), open=opened)
        [verdict] = verify(name, request)
        return verdict

    def both(self, name: str, policy: Path) -> bool:
        """Whether the image is let in, as skopeo says and as we say."""
        ours = self.verify(name, policy).decision is Decision.ALLOWED
        into = self.folder / "copied"
        shutil.rmtree(into, ignore_errors=True)
        words = ["copy", "-q", "--src-tls-verify=false", "--remove-signatures", name, f"dir:{into}"]
        self.skopeo(*words, policy=policy, code=0 if ours else 1)
        return ours


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("simple")
    with gnupg() as gpg, docker_registry(folder / "registry") as (address, _):
        bench = Bench(folder, gpg, address)
        (folder / "registries.d").mkdir()
        (folder / "registries.d" / "default.yaml").write_text(
            f"default-docker:\n  lookaside: file://{bench.lookaside}\n"
            f"  lookaside-staging: file://{bench.lookaside}\n  use-sigstore-attachments: true\n"
        )
        for who in (SIGNER, OTHER):
            gpg.make(who, "rsa2048")
            bench.keys[who] = folder / f"{who.partition(' ')[0]}.gpg"
            bench.keys[who].write_bytes(gpg.export(who))
        bench.run("umoci", "init", "--layout", "image")
        bench.run("umoci", "new", "--image", "image:a")
        (folder / "content").mkdir()
        (folder / "content" / "data").write_bytes(os.urandom(10_000))
        bench.run("umoci", "insert", "--rootless", "--image", "image:a", "content", "/opt")
        push = ("copy", "-q", "--dest-tls-verify=false", "oci:image:a")
        bench.skopeo(*push, "--sign-by", SIGNER, f"docker://{address}/app:1")
        bench.skopeo(*push, f"docker://{address}/app:2")
        bench.skopeo(*push, f"docker://{address}/unsigned:1")
        yield bench


def test_openpgp_signatures_in_lookaside_storage(bench: Bench) -> None:
    ours = bench.policy("ours", bench.signed_by(SIGNER))
    assert bench.both(f"docker://{bench.address}/app:1", ours)
    assert not bench.both(f"docker://{bench.address}/unsigned:1", ours)
    theirs = bench.policy("theirs", bench.signed_by(OTHER))
    assert not bench.both(f"docker://{bench.address}/app:1", theirs)
    everyone = bench.policy("everyone", bench.signed_by(SIGNER), bench.signed_by(OTHER))
    assert not bench.both(f"docker://{bench.address}/app:1", everyone)


def test_the_signature_of_one_tag_is_not_that_of_another(bench: Bench) -> None:
    ours = bench.policy("ours", bench.signed_by(SIGNER))
    assert not bench.both(f"docker://{bench.address}/app:2", ours)
    verdict = bench.verify(f"docker://{bench.address}/app:2", ours)
    assert "signed-for-another-name" in codes_of(verdict)
    anything = bench.policy("repository", bench.signed_by(SIGNER, type="matchRepository"))
    assert bench.both(f"docker://{bench.address}/app:2", anything)


def test_by_digest_any_tag_of_the_repository_is_right(bench: Bench) -> None:
    ours = bench.policy("ours", bench.signed_by(SIGNER))
    digest = verify(f"docker://{bench.address}/app:1", VerifyOptions(Trust()))[0].resolved
    assert bench.both(digest, ours)
    exact = bench.policy("exact", bench.signed_by(SIGNER, type="matchExact"))
    assert not bench.both(digest, exact)


def test_a_mirror_under_another_name(bench: Bench) -> None:
    address = bench.address
    shutil.copytree(
        next(bench.lookaside.glob("app@*")),
        bench.lookaside / next(bench.lookaside.glob("app@*")).name.replace("app@", "mirror/app@"),
        dirs_exist_ok=True,
    )
    bench.skopeo(
        "copy",
        "-q",
        "--dest-tls-verify=false",
        "oci:image:a",
        f"docker://{address}/mirror/app:1",
    )
    name = f"docker://{address}/mirror/app:1"
    assert not bench.both(name, bench.policy("ours", bench.signed_by(SIGNER)))
    remap = {"type": "remapIdentity", "prefix": f"{address}/mirror", "signedPrefix": address}
    assert bench.both(name, bench.policy("remap", bench.signed_by(SIGNER, **remap)))


def test_sigstore_signatures_in_the_registry(bench: Bench) -> None:
    """By cosign, as Debian's skopeo neither makes nor checks any."""
    if shutil.which("cosign") is None:
        pytest.skip("cosign is not installed")
    name = f"{bench.address}/attached:1"
    bench.skopeo("copy", "-q", "--dest-tls-verify=false", "oci:image:a", f"docker://{name}")
    bench.run("cosign", "generate-key-pair", "--output-key-prefix", "sig")
    bench.run(
        *("cosign", "sign", "--yes", "--key", "sig.key", "--allow-http-registry"),
        *("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false", name),
    )
    required = {
        "type": "sigstoreSigned",
        "keyPath": str(bench.folder / "sig.pub"),
        "signedIdentity": {"type": "matchRepository"},
    }
    name = f"docker://{name}"

    def allowed(*required: dict[str, Any]) -> bool:
        verdict = bench.verify(name, bench.policy("attached", *required))
        return verdict.decision is Decision.ALLOWED

    assert allowed(required)
    other = {"type": "exactRepository", "dockerRepository": f"{bench.address}/other"}
    assert not allowed(required | {"signedIdentity": other})
    assert not allowed(required | {"rekorPublicKeyPath": str(bench.folder / "sig.pub")})
    assert not allowed(required, bench.signed_by(SIGNER, type="matchRepository"))


def test_the_most_specific_scope_alone_counts(bench: Bench) -> None:
    path = bench.folder / "scopes.json"
    address = bench.address
    docker = {
        "": [{"type": "insecureAcceptAnything"}],
        address: [{"type": "reject"}],
        f"{address}/app": [bench.signed_by(SIGNER)],
        f"{address}/app:2": [{"type": "reject"}],
    }
    path.write_text(json.dumps({"default": [{"type": "reject"}], "transports": {"docker": docker}}))
    assert bench.both(f"docker://{address}/app:1", path)
    assert not bench.both(f"docker://{address}/app:2", path)
    assert not bench.both(f"docker://{address}/unsigned:1", path)


def test_signatures_in_a_directory(bench: Bench) -> None:
    into = bench.folder / "directory"
    name = f"{bench.address}/app:1"
    bench.skopeo("copy", "-q", "--src-tls-verify=false", f"docker://{name}", f"dir:{into}")
    assert (into / "signature-1").exists()
    request = VerifyOptions(Trust().add_key(bench.keys[SIGNER]))
    [verdict] = verify(f"dir:{into}", request)
    assert verdict.decision is Decision.ALLOWED
    labels = [c.labels for c in verdict.components if "docker-reference" in c.labels]
    (label,) = labels
    assert label["docker-reference"] == name
    assert label.keys() == {"docker-reference", "annotation:creator", "annotation:timestamp"}
    ours = bench.policy("ours", bench.signed_by(SIGNER))
    # a directory has no name, by which a signature could be right
    unnamed = bench.verify(f"dir:{into}", ours, lookaside=())
    assert unnamed.decision is not Decision.ALLOWED
    assert (
        bench.verify(f"dir:{into}", ours, known_as=f"docker://{name}").decision is Decision.ALLOWED
    )


def test_a_signature_given_by_name(bench: Bench) -> None:
    signature = bench.folder / "alone.signature"
    manifest = bench.folder / "manifest"
    raw = bench.skopeo(
        "inspect", "--raw", "--tls-verify=false", f"docker://{bench.address}/unsigned:1"
    )
    manifest.write_text(raw)
    bench.run(
        "skopeo",
        "standalone-sign",
        manifest,
        "registry.test/anything:1",
        bench.gpg.fingerprints(OTHER)[0],
        "-o",
        signature,
    )
    name = f"docker://{bench.address}/unsigned:1"
    for who, allowed in ((OTHER, Decision.ALLOWED), (SIGNER, Decision.REFUSED)):
        trust = Trust().add_key(bench.keys[who])
        [verdict] = verify(name, VerifyOptions(trust, signatures=[str(signature)]))
        assert verdict.decision is allowed

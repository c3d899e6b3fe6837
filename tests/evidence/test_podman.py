"""podman pulls what Assay signs by a policy that asks for signatures, and refuses it with another
key; what podman signs when it pushes, Assay verifies."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.model.verdict import Decision
from tests.cli.support import assay_here
from tests.evidence.test_simple_signing_real import SIGNER, Bench, bench
from tests.support.checking import codes_of

__all__ = ["bench"]

if shutil.which("podman") is None:
    pytest.skip("podman is not installed", allow_module_level=True)


class Podman:
    """podman with a storage of its own, and the places of signatures that the bench has."""

    def __init__(self, folder: Path, bench: Bench) -> None:
        self.folder, self.bench = folder, bench
        settings = folder / "home" / ".config" / "containers"
        settings.mkdir(parents=True)
        shutil.copytree(bench.folder / "registries.d", settings / "registries.d")

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        storage = ("--root", self.folder / "storage", "--runroot", self.folder / "run")
        return subprocess.run(
            ["podman", *map(str, storage), "--storage-driver", "vfs", *map(str, words)],
            cwd=self.bench.folder,
            env=os.environ
            | {"HOME": str(self.folder / "home"), "GNUPGHOME": str(self.bench.gpg.home)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def pulls(self, name: str, policy: Path) -> bool:
        """Whether podman lets an image in; that it refuses is for its signatures alone."""
        done = self.run("pull", "-q", "--tls-verify=false", "--signature-policy", policy, name)
        if done.returncode:
            if "sigstore disabled" in done.stderr:
                pytest.skip("this podman was built without signatures of Sigstore (Debian)")
            told = done.stderr.lower()
            assert "signature" in told or "signed" in told or "cryptograph" in told, done.stderr
        return done.returncode == 0


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory, bench: Bench) -> Iterator[Podman]:
    found = Podman(tmp_path_factory.mktemp("podman"), bench)
    done = found.run("pull", "-q", "oci:image:a")
    if done.returncode:
        pytest.skip(f"podman does not run here: {done.stderr[-200:]}")
    yield found
    found.run("rmi", "--all", "--force")


def _keys(folder: Path) -> None:
    for name in ("ours", "theirs"):
        done = assay_here("key", "generate", "--no-passphrase", f"{name}.key", cwd=folder)
        assert done.returncode == 0, done.stderr


def test_podman_pulls_what_we_sign(podman: Podman, tmp_path: Path) -> None:
    bench = podman.bench
    name = f"{bench.address}/ours:1"
    bench.skopeo("copy", "-q", "--dest-tls-verify=false", "oci:image:a", f"docker://{name}")
    _keys(tmp_path)
    ours, theirs = (
        bench.policy(
            f"podman-{who}",
            {
                "type": "sigstoreSigned",
                "keyPath": str(tmp_path / f"{who}.pub"),
                "signedIdentity": {"type": "matchRepository"},
            },
        )
        for who in ("ours", "theirs")
    )
    assert not podman.pulls(name, ours)
    done = assay_here(
        "sign", "--format", "simple-signing", "--key", "ours.key", f"docker://{name}", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for policy, right in ((ours, True), (theirs, False)):
        assert podman.pulls(name, policy) is right
        verdict = bench.verify(f"docker://{name}", policy)
        assert (verdict.decision is Decision.ALLOWED) is right


def test_we_verify_what_podman_signs(podman: Podman) -> None:
    bench = podman.bench
    name = f"{bench.address}/theirs:1"
    images = podman.run("images", "-q", "--no-trunc").stdout.split()
    done = podman.run(
        "push", "-q", "--tls-verify=false", "--sign-by", SIGNER, images[0], f"docker://{name}"
    )
    assert done.returncode == 0, done.stderr
    ours = bench.policy("podman", bench.signed_by(SIGNER))
    verdict = bench.verify(f"docker://{name}", ours)
    assert verdict.decision is Decision.ALLOWED, verdict.findings
    assert podman.pulls(name, ours)
    other = bench.policy("podman-other", bench.signed_by("Other <other@example.test>"))
    refused = bench.verify(f"docker://{name}", other)
    assert refused.decision is not Decision.ALLOWED
    assert "wrong-key" in codes_of(refused)
    assert not podman.pulls(name, other)

"""A bundle of an image that cosign signed, in a real registry that is gone afterwards."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.support import assay_here
from tests.support.offline import no_sockets
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci", "cosign"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

NOBODY = {
    "root.json": {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
    "config.json": {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogConfig": {},
        "tsaConfig": {},
    },
}
"""A trusted root and a signing configuration with which cosign asks nobody."""

WAYS = {
    "bundle": ("--signing-config", "config.json"),
    "legacy": ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"),
}


def test_what_cosign_signed_without_the_registry(tmp_path: Path) -> None:
    def cosign(*arguments: str) -> None:
        run("cosign", *arguments, folder=tmp_path, environment={"COSIGN_PASSWORD": ""})

    cosign("generate-key-pair")
    for name, value in NOBODY.items():
        (tmp_path / name).write_text(json.dumps(value))
    make_layout(tmp_path)
    with docker_registry(tmp_path / "registry") as (address, _):
        for kind, way in WAYS.items():
            image = push(tmp_path, address, kind)
            cosign(
                "sign", "--key", "cosign.key", "--trusted-root", "root.json",
                "--allow-http-registry", "-y", *way, image,
            )  # fmt: skip
            done = assay_here(
                "bundle", f"docker://{address}/{kind}:1", "-o", f"{kind}.bundle",
                "--with-content", cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert "1 artifact attached to it" in done.stdout
    for kind in WAYS:
        with no_sockets():
            done = assay_here(
                "verify", "--bundle", f"{kind}.bundle", "--key", "cosign.pub", cwd=tmp_path
            )
            assert done.returncode == 0, done.stdout
            assert "100 %" in done.stdout
            # the image is elsewhere: here the layout that it was pushed from
            done = assay_here(
                "verify", "oci:image:a", "--bundle", f"{kind}.bundle", "--key", "cosign.pub",
                cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout
        digest = hashlib.sha256((tmp_path / f"{kind}.bundle").read_bytes()).hexdigest()
        assert len(digest) == 64

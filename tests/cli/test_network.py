"""The command line over the network: options, exit statuses, and no secret in any output."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.registry import PASSWORD, USER, Registry, running

Assay = Callable[..., "subprocess.CompletedProcess[str]"]

ENCODED = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture
def assay(tmp_path: Path) -> Assay:
    """Runs the command in an environment with an empty home."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
        and name not in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR")
    } | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "assay", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def guarded() -> Iterator[Registry]:
    with running("bearer") as started:
        yield started


def _login(folder: Path, registry: Registry, encoded: str = ENCODED) -> str:
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {registry.host: {"auth": encoded}}}))
    return str(path)


def test_an_image_in_a_registry(assay: Assay, guarded: Registry, tmp_path: Path) -> None:
    digest = guarded.push_image("team/app", "1.0")["digest"]
    name = f"docker://{guarded.host}/team/app"
    auth_file = _login(tmp_path, guarded)
    done = assay(
        "verify", f"{name}:1.0", f"{name}@{digest}", "--digest", digest, "--auth-file", auth_file,
        "--timeout", "20", "-vv",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"@{digest}" in done.stdout
    for secret in (PASSWORD, ENCODED, *guarded.tokens):
        assert secret not in done.stdout + done.stderr
    assert assay("inspect", f"{name}:1.0", "--auth-file", auth_file).returncode == 0


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_refused_login_shows_no_secret(
    assay: Assay, guarded: Registry, tmp_path: Path, format_: str
) -> None:
    guarded.push_image("team/app", "1.0")
    encoded = base64.b64encode(b"alice:s3same-open").decode()
    auth_file = _login(tmp_path, guarded, encoded)
    done = assay(
        "verify", f"docker://{guarded.host}/team/app:1.0", "--auth-file", auth_file, "-vv",
        "--format", format_,
    )  # fmt: skip
    assert done.returncode == 3
    assert "denied" in done.stdout
    for secret in ("s3same-open", encoded):
        assert secret not in done.stdout + done.stderr


def test_offline(assay: Assay, guarded: Registry) -> None:
    done = assay("verify", f"docker://{guarded.host}/team/app:1.0", "--offline", "--format", "json")
    assert done.returncode == 3
    assert '"offline"' in done.stdout
    assert guarded.requests == []


def test_wrong_usage(assay: Assay, guarded: Registry, tmp_path: Path) -> None:
    name = f"docker://{guarded.host}/team/app:1.0"
    for arguments in (
        ["docker://app"],
        ["http://registry.example/file"],
        ["https://alice:s3same-open@registry.example/file"],
        [name, "--timeout", "0"],
        [name, "--auth-file", str(tmp_path / "missing")],
        [name, "--tls-ca", str(tmp_path / "missing")],
        [name, "--tls-key", str(tmp_path / "missing")],
        [name, "--tls-cert", str(tmp_path / "missing")],
    ):
        done = assay("verify", *arguments)
        assert done.returncode == 2, (arguments, done)
        assert "Traceback" not in done.stderr
        assert "s3same-open" not in done.stdout + done.stderr


def test_a_private_authority(assay: Assay, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("client")
    with running(context=authority.server_context()) as registry:
        digest = registry.push_image("team/app", "1.0")["digest"]
        name = f"{registry.host}/team/app:1.0"
        assert assay("verify", name, "--digest", digest).returncode == 3
        done = assay(
            "verify", name, "--digest", digest, "--tls-ca", str(authority.certificate),
            "--tls-cert", str(certificate), "--tls-key", str(key),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

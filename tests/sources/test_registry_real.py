"""The real thing: Debian's docker-registry, filled by skopeo, from an image made by umoci."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assay.sources.model import OpenOptions
from assay.sources.registry.reference import parse_reference
from assay.sources.registry.source import open_repository
from tests.support.authority import Authority
from tests.support.checking import check, codes_of, text_of
from tests.support.registry import PASSWORD, USER

BCRYPT = "$2y$05$abcdefghijklmnopqrstuuSnF5tLPqPFqc0z9CY0HcSLFbSRlL67u"
"""PASSWORD, as a registry keeps it."""

for tool in ("docker-registry", "skopeo", "umoci"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)


def _run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout with ``one``, an image of two layers, and ``many``, an index of two images."""
    folder = tmp_path_factory.mktemp("layout")
    image = folder / "image"
    _run("umoci", "init", "--layout", image)
    for architecture in ("amd64", "arm64"):
        name = f"{image}:{architecture}"
        _run("umoci", "new", "--image", name)
        _run("umoci", "config", "--image", name, "--os", "linux", "--architecture", architecture)
        for number in range(2):
            content = folder / f"{architecture}{number}"
            content.mkdir()
            (content / "data").write_bytes(os.urandom(200_000) + bytes(number))
            _run("umoci", "insert", "--rootless", "--image", name, content, f"/opt/{number}")
    index_path = image / "index.json"
    index = json.loads(index_path.read_bytes())
    entries: list[dict[str, Any]] = []
    for entry in index["manifests"]:
        name = entry["annotations"]["org.opencontainers.image.ref.name"]
        plain = {key: entry[key] for key in ("mediaType", "digest", "size")}
        entries.append(plain | {"platform": {"os": "linux", "architecture": name}})
    many = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": entries,
        }
    ).encode()
    digest = hashlib.sha256(many).hexdigest()
    (image / "blobs" / "sha256" / digest).write_bytes(many)
    index["manifests"].append(
        {
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": f"sha256:{digest}",
            "size": len(many),
            "annotations": {"org.opencontainers.image.ref.name": "many"},
        }
    )
    index_path.write_text(json.dumps(index))
    return image


@contextmanager
def _serving(
    folder: Path, *, password: bool = False, authority: Authority | None = None
) -> Iterator[tuple[str, Path]]:
    """A registry on a free port of loopback; its address and its log."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"accesslog": {"disabled": False}, "level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    if password:
        (folder / "htpasswd").write_text(f"{USER}:{BCRYPT}\n")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    if authority is not None:
        certificate, key = authority.issue("registry")
        config["http"]["tls"] = {"certificate": str(certificate), "key": str(key)}
    path = folder / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(path)], stdout=output, stderr=output
        )
    try:
        _wait_for(address, process, log)
        yield address, log
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.rpartition(":")
    for _ in range(400):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.025)
    raise AssertionError(f"the registry did not start: {log.read_text()}")


def _push(layout: Path, address: str, *more: str) -> tuple[str, str]:
    """Push both images; the digest of the single one, and of the index."""
    index = json.loads((layout / "index.json").read_bytes())
    digests = {
        entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
        for entry in index["manifests"]
    }
    for name, tag in (("amd64", "one"), ("many", "many")):
        _run(
            "skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests", *more,
            f"oci:{layout}:{name}", f"docker://{address}/team/app:{tag}",
        )  # fmt: skip
    return digests["amd64"], digests["many"]


def _requests(log: Path) -> list[str]:
    """``METHOD path`` of every request in the access log."""
    return re.findall(r'"((?:GET|HEAD|POST|PUT|PATCH) \S+) HTTP', log.read_text())


def test_tag_digest_and_index_against_skopeo(layout: Path, tmp_path: Path) -> None:
    with _serving(tmp_path) as (address, _):
        one, many = _push(layout, address, "--dest-tls-verify=false")
        for name, digest in (
            (f"docker://{address}/team/app:one", one),
            (f"{address}/team/app:one", one),
            (f"docker://{address}/team/app@{one}", one),
            (f"docker://{address}/team/app:many", many),
        ):
            verdict = check(name, digest)
            assert codes_of(verdict) == set()
            assert verdict.exit_status == 0
            assert verdict.coverage.fraction == 1
            assert verdict.resolved == f"docker://{address}/team/app@{digest}"
        raw = subprocess.run(
            [
                "skopeo",
                "inspect",
                "--raw",
                "--tls-verify=false",
                f"docker://{address}/team/app:many",
            ],
            capture_output=True,
            check=True,
        ).stdout
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == many
        repository = open_repository(parse_reference(f"{address}/team/app"), OpenOptions())
        assert sorted(repository.tags()) == ["many", "one"]
        verdict = check(f"docker://{address}/team/app:one", many)
        assert verdict.exit_status == 1
        assert codes_of(check(f"docker://{address}/team/app:none")) == {"not-found"}
        assert codes_of(check(f"docker://{address}/other:none")) == {"not-found"}


def test_no_more_requests_than_needed(layout: Path, tmp_path: Path) -> None:
    with _serving(tmp_path / "registry") as (address, log):
        one, _ = _push(layout, address, "--dest-tls-verify=false")
        before = len(_requests(log))
        assert check(f"docker://{address}/team/app:one", one).exit_status == 0
        ours = _requests(log)[before:]
        before = len(_requests(log))
        _run(
            "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
            f"docker://{address}/team/app:one", f"dir:{tmp_path / 'copy'}",
        )  # fmt: skip
        theirs = _requests(log)[before:]
    ours = [request for request in ours if not request.endswith("/v2/")]
    theirs = [request for request in theirs if not request.endswith("/v2/")]
    assert len([request for request in ours if "/manifests/" in request]) == 1
    # beside one request for each part: one more where a layer is larger than its beginning
    assert len(ours) <= len(theirs) + 2


def test_a_blob_damaged_in_the_storage_of_the_registry(layout: Path, tmp_path: Path) -> None:
    with _serving(tmp_path) as (address, _):
        one, _ = _push(layout, address, "--dest-tls-verify=false")
        manifest = json.loads((layout / "blobs" / "sha256" / one[7:]).read_bytes())
        hexadecimal = manifest["layers"][1]["digest"][7:]
        [blob] = tmp_path.glob(f"data/**/{hexadecimal}/data")
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.write_bytes(data)
        verdict = check(f"docker://{address}/team/app:one", one)
        assert "digest-mismatch" in codes_of(verdict)
        assert verdict.exit_status == 1
        blob.write_bytes(data[: len(data) // 2])
        verdict = check(f"docker://{address}/team/app:one", one)
        assert "size-mismatch" in codes_of(verdict)
        assert verdict.exit_status == 1


def test_a_password_over_tls_of_a_private_authority(
    layout: Path, tmp_path: Path, home: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    shutil.copy(authority.certificate, certificates / "ca.crt")
    with _serving(tmp_path / "registry", password=True, authority=authority) as (address, _):
        one, _ = _push(
            layout, address, f"--dest-creds={USER}:{PASSWORD}", f"--dest-cert-dir={certificates}"
        )
        name = f"docker://{address}/team/app:one"
        assert codes_of(check(name, one)) == {"tls-failed"}
        trusting = {"ca_file": str(authority.certificate)}
        verdict = check(name, one, **trusting)
        assert codes_of(verdict) == {"denied"}
        assert verdict.exit_status == 3
        auth_file = home / "auth.json"
        _run(
            "skopeo", "login", f"--authfile={auth_file}", f"--cert-dir={certificates}",
            f"--username={USER}", f"--password={PASSWORD}", address,
        )  # fmt: skip
        verdict = check(name, one, auth_file=str(auth_file), **trusting)
        assert verdict.exit_status == 0
        encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        for secret in (PASSWORD, encoded):
            assert secret not in text_of(verdict)
        # and with everything where tools look by themselves
        folder = home / ".config" / "containers"
        shutil.copytree(certificates, folder / "certs.d" / address)
        shutil.copy(auth_file, folder / "auth.json")
        assert check(name, one).exit_status == 0

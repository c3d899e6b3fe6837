"""Peer programs that tests start and stop."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def docker_registry(
    folder: Path, storage: dict[str, object] | None = None
) -> Iterator[tuple[str, Path]]:
    """Debian's docker-registry on loopback, with its data in ``folder``: its address, its log.
    ``storage`` is more to configure."""
    folder.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{free_port()}"
    config = folder / "config.yml"
    config.write_text(
        json.dumps(
            {
                "version": "0.1",
                "storage": {"filesystem": {"rootdirectory": str(folder / "data")}}
                | (storage or {}),
                "http": {"addr": address},
            }
        )
    )
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=output, stderr=output
        )
    try:
        host, _, port = address.partition(":")
        for _ in range(400):
            assert process.poll() is None, log.read_text()
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                time.sleep(0.025)
        yield address, log
    finally:
        process.terminate()
        process.wait()


def run(*command: object, folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a peer in ``folder``; what it prints. It has to succeed."""
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | (environment or {}),
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_layout(folder: Path) -> None:
    """The OCI layout ``image`` with one image of one layer, ``a``, by umoci."""
    run("umoci", "init", "--layout", "image", folder=folder)
    run("umoci", "new", "--image", "image:a", folder=folder)
    (folder / "content").mkdir()
    (folder / "content" / "data").write_bytes(os.urandom(10_000))
    run("umoci", "insert", "--rootless", "--image", "image:a", "content", "/opt", folder=folder)


def push(folder: Path, address: str, name: str) -> str:
    """Push that image with skopeo; its name with its digest."""
    run(
        "skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false",
        "oci:image:a", f"docker://{address}/{name}:1", folder=folder,
    )  # fmt: skip
    index = json.loads((folder / "image" / "index.json").read_bytes())
    digest: str = index["manifests"][0]["digest"]
    return f"{address}/{name}@{digest}"

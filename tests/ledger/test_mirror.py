"""Copies of entries in a Rekor log: logged, proved, and judged before they are believed."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import Done, assay_here
from tests.support.sigstore_modern import ModernInstance

Change = Callable[[dict[str, Any]], dict[str, Any]]


class Rekor:
    """A log that answers; ``change`` turns a right answer into the one that is sent."""

    def __init__(self) -> None:
        self.instance = ModernInstance()
        self.asked: list[dict[str, Any]] = []
        self.status = 201
        self.change: Change = lambda entry: entry
        self.url = ""

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(question)
        request = question["hashedRekordRequestV002"]
        body = {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {
                "hashedRekordV002": {
                    "data": {"algorithm": "SHA2_256", "digest": request["digest"]},
                    "signature": request["signature"],
                }
            },
        }
        return self.change(self.instance.entry(body, version=2))


@contextmanager
def serving(rekor: Rekor) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v2/log/entries"
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            data = json.dumps(rekor.answer(question)).encode()
            self.send_response(rekor.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    rekor.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def rekor() -> Iterator[Rekor]:
    found = Rekor()
    with serving(found):
        yield found


@pytest.fixture
def folder(tmp_path: Path, rekor: Rekor) -> Path:
    """A folder with a ledger of two entries, a key for copies, and the log's trusted root."""
    (tmp_path / "disk.img").write_bytes(b"content")
    (tmp_path / "root.json").write_text(json.dumps(rekor.instance.trusted_root()))
    run(tmp_path, "key", "generate", "l.key", "--kind", "ed25519", "--no-passphrase")
    run(tmp_path, "key", "generate", "mirror.key", "--no-passphrase")
    public = run(tmp_path, "key", "export-public", "mirror.key").stdout
    (tmp_path / "mirror.pub").write_text(public)
    run(tmp_path, "ledger", "init", "v.db", "--key", "l.key", "--origin", "v.example")
    for _ in range(2):
        run(
            tmp_path, "verify", "disk.img", "--self-consistent", "--ledger", "v.db",
            "--ledger-key", "l.key",
        )  # fmt: skip
    return tmp_path


def run(folder: Path, *words: str, status: int = 0) -> Done:
    done = assay_here(*words, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def mirrored(
    folder: Path, rekor: Rekor, *more: str, status: int = 0, key: str = "mirror.key"
) -> str:
    done = run(
        folder, "ledger", "mirror", "v.db", "copies", "--rekor", rekor.url, "--key", key,
        "--trusted-root", "root.json", *more, status=status,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_entries_are_logged_once_and_can_be_verified(folder: Path, rekor: Rekor) -> None:
    assert "2 entries logged" in mirrored(folder, rekor)
    assert "0 entries logged" in mirrored(folder, rekor)
    assert len(rekor.asked) == 2
    trusted = ["--key", "mirror.pub", "--trusted-root", "root.json"]
    for number in range(2):
        run(folder, "verify", f"copies/{number}.entry", *trusted)
    entry = folder / "copies" / "0.entry"
    entry.write_bytes(entry.read_bytes() + b" ")
    run(folder, "verify", "copies/0.entry", *trusted, status=1)


def test_no_more_than_a_digest_leaves(folder: Path, rekor: Rekor) -> None:
    mirrored(folder, rekor)
    assert "disk.img" not in json.dumps(rekor.asked)
    assert all(
        len(base64.b64decode(asked["hashedRekordRequestV002"]["digest"])) == 32
        for asked in rekor.asked
    )


def _another_entry(entry: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    body["spec"]["hashedRekordV002"]["data"]["digest"] = base64.b64encode(bytes(32)).decode()
    other = base64.b64encode(json.dumps(body).encode()).decode()
    return entry | {"canonicalizedBody": other}


def _without_proof(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "inclusionProof"}


def _another_log(entry: dict[str, Any]) -> dict[str, Any]:
    other = ModernInstance()
    body = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    return other.entry(body, version=2)


@pytest.mark.parametrize(
    "change",
    [_another_entry, _without_proof, _another_log, lambda _: {}],
    ids=["another entry", "without a proof", "another log", "nothing"],
)
def test_lying_log(folder: Path, rekor: Rekor, change: Change) -> None:
    rekor.change = change
    mirrored(folder, rekor, status=3)
    assert not list((folder / "copies").glob("*.sigstore.json"))
    rekor.change = lambda entry: entry
    assert "2 entries logged" in mirrored(folder, rekor)


def test_a_log_that_refuses(folder: Path, rekor: Rekor) -> None:
    rekor.status = 400
    mirrored(folder, rekor, status=3)


def test_keys_that_no_such_log_takes_and_no_network(folder: Path, rekor: Rekor) -> None:
    assert "P-256" in mirrored(folder, rekor, key="l.key", status=2)
    assert "offline" in mirrored(folder, rekor, "--offline", status=3)
    assert rekor.asked == []

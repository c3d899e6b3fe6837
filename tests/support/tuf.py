"""A TUF repository in memory, its publisher, and whoever tampers with it.

    repository = Repository({"trusted_root.json": b"..."})
    with serving(repository) as address: ...

Metadata and targets are files by path, made anew by `publish`; an attacker changes ``files``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("tuf")

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

ROLES = (Root.type, Timestamp.type, Snapshot.type, Targets.type)


def _later(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


@dataclass
class Repository:
    """``files`` is what is served; ``signers`` are the keys of each role."""

    targets: dict[str, bytes]
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    failing: int = 0
    """The status that every request is answered with, if any."""
    endless: str = ""
    """A path whose file never ends."""

    def __post_init__(self) -> None:
        self.signers = {role: CryptoSigner.generate_ecdsa() for role in ROLES}
        self.root = Root(expires=_later(365), consistent_snapshot=True)
        for role, signer in self.signers.items():
            self.root.add_key(signer.public_key, role)
        self.timestamp = Timestamp(expires=_later(7))
        self.snapshot = Snapshot(expires=_later(30))
        self.listed = Targets(expires=_later(90))
        self.publish_root()
        self.publish(first=True)

    @property
    def first_root(self) -> bytes:
        return self.files["1.root.json"]

    def sign(self, signed: Signed, *signers: CryptoSigner) -> bytes:
        metadata: Metadata[Signed] = Metadata(signed)
        for signer in signers or (self.signers[signed.type],):
            metadata.sign(signer, append=True)
        data: bytes = metadata.to_bytes()
        return data

    def publish_root(self, *signers: CryptoSigner) -> None:
        self.files[f"{self.root.version}.root.json"] = self.sign(self.root, *signers)

    def rotate_root(self) -> None:
        """A new root key, vouched for by the one before."""
        before, fresh = self.signers[Root.type], CryptoSigner.generate_ecdsa()
        self.root.revoke_key(before.public_key.keyid, Root.type)
        self.root.add_key(fresh.public_key, Root.type)
        self.root.version += 1
        self.signers[Root.type] = fresh
        self.publish_root(before, fresh)

    def publish(self, *, first: bool = False) -> None:
        """Sign targets, snapshot and timestamp of the next version."""
        if not first:
            self.listed.version += 1
        self.listed.targets = {
            path: TargetFile.from_data(path, data, ["sha256"])
            for path, data in self.targets.items()
        }
        for path, data in self.targets.items():
            self.files[f"targets/{sha256(data).hexdigest()}.{path}"] = data
        listed = self.sign(self.listed)
        self.files[f"{self.listed.version}.targets.json"] = listed
        self.snapshot.meta["targets.json"] = MetaFile(
            self.listed.version, None, {"sha256": sha256(listed).hexdigest()}
        )
        self.publish_snapshot(first=first)

    def publish_snapshot(self, *, first: bool = False) -> None:
        """Sign the snapshot as it is, and a timestamp for it."""
        if not first:
            self.snapshot.version += 1
            self.timestamp.version += 1
        snapshot = self.sign(self.snapshot)
        self.files[f"{self.snapshot.version}.snapshot.json"] = snapshot
        self.timestamp.snapshot_meta = MetaFile(
            self.snapshot.version, None, {"sha256": sha256(snapshot).hexdigest()}
        )
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        self.files["timestamp.json"] = self.sign(self.timestamp)


@contextmanager
def serving(repository: Repository) -> Iterator[str]:
    """The address of the repository on a server of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(repository))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(repository: Repository) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            repository.requests.append(path)
            if repository.failing:
                self.answer(repository.failing, b"")
            elif path and path == repository.endless:
                self.send_response(200)
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(b" " * 65536)
                except OSError:
                    self.close_connection = True
            elif path in repository.files:
                self.answer(200, repository.files[path])
            else:
                self.answer(404, b"")

        def answer(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler

"""An OCI registry in memory, on loopback, that can also misbehave on demand.

Push from Python or over HTTP, point Assay at ``registry.host``, look at ``registry.requests``
afterwards. Each misbehaviour is a field of `Faults`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import ssl
import tarfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.pushing import Writing, form_of

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

USER, PASSWORD = "alice", "correct-horse-battery"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def layer_of(files: dict[str, bytes]) -> tuple[bytes, bytes]:
    """A layer as tar, and as tar in gzip."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue(), gzip.compress(buffer.getvalue(), 1, mtime=0)


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Faults:
    """What goes wrong. Everything is off at first."""

    wrong_digest_header: bool = False
    wrong_blob_digest_header: bool = False
    truncated_blobs: int | None = None
    """Blobs end, in good order, after this many bytes."""
    cut_after: int | None = None
    """Connections are cut after this many bytes of a blob ..."""
    cuts: int = 0
    """... this many times."""
    endless_blobs: bool = False
    endless_blob: str = ""
    """The digest of the one blob that never ends."""
    endless_manifests: bool = False
    redirect_loop: bool = False
    redirect_blobs_to: str = ""
    always_401: bool = False
    too_many_requests: int = 0
    """This many answers are 429 ..."""
    retry_after: str = "1"
    """... with this Retry-After."""
    unavailable: int = 0
    """This many answers are 503, with ``retry_after``."""
    tag_moves: bool = False
    """Each request for a tag gets the next of the manifests pushed under it."""
    no_referrers_api: bool = False
    empty_referrers: bool = False
    referrers_status: int = 0
    """Referrers are refused with this status."""
    content_type: str | None = None
    trickle: float = 0
    """Blobs come a byte at a time, with this many seconds in between."""
    trickle_headers: float = 0
    token_answer: bytes | None = None
    token_realm: str = ""
    page_size: int = 0
    next_page: str = ""
    """The target of every Link to a next page."""
    ignore_ranges: bool = False
    blob_changes: bool = False
    """From the second request on, a blob has another ETag and other bytes."""
    wrong_range: bool = False
    expire_tokens_after: int = 0
    """A token is good for this many requests."""

    # of writing
    write_status: int = 0
    """Everything that writes is answered with this status ..."""
    write_code: str = "UNSUPPORTED"
    """... and this error code."""
    no_subject_header: bool = False
    wrong_subject: str = ""
    wrong_upload_digest: bool = False
    """The answer to what was written names the digest of something else ..."""
    wrong_upload_location_only: bool = False
    """... in its Location alone."""
    no_upload_location: bool = False
    upload_elsewhere: str = ""
    """Uploads are to go to this origin."""
    cut_uploads: int = 0
    """The connection is cut in the middle of so many uploads."""
    ignore_conditions: bool = False
    """If-Match and If-None-Match mean nothing."""
    immutable_tags: bool = False
    """A tag that is there stays as it is."""
    before_put: list[Callable[[str], None]] = field(default_factory=list)
    """Each is called once, with the reference, before a manifest is taken."""


@dataclass
class Registry:
    """A running registry. ``authentication`` is ``anonymous``, ``basic`` or ``bearer``."""

    authentication: str = "anonymous"
    anonymous_tokens: bool = False
    host: str = ""
    scheme: str = "http"
    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    """What each token is for."""
    uploads: int = 0
    used_uploads: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    def count(self, pattern: str) -> int:
        """How many requests, written ``METHOD path``, match a pattern."""
        return sum(
            1 for request in self.requests if re.search(pattern, f"{request.method} {request.path}")
        )

    # pushing

    def push_blob(self, data: bytes, media_type: str = OCI_LAYER) -> dict[str, Any]:
        digest = digest_of(data)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def push_manifest(
        self, repository: str, manifest: dict[str, Any] | bytes, tag: str = "", media_type: str = ""
    ) -> dict[str, Any]:
        data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        if not media_type:
            media_type = manifest["mediaType"] if isinstance(manifest, dict) else OCI_MANIFEST
        digest = digest_of(data)
        self.manifests[repository, digest] = (media_type, data)
        if tag:
            self.tags.setdefault((repository, tag), []).append(digest)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def push_image(
        self,
        repository: str,
        tag: str = "",
        layers: list[dict[str, bytes]] | None = None,
        architecture: str = "amd64",
        **more: Any,
    ) -> dict[str, Any]:
        """Push an image; returns the descriptor of its manifest, with its platform."""
        described, diff_ids = [], []
        for files in layers or [{"etc/hostname": b"assay"}]:
            tar, compressed = layer_of(files)
            described.append(self.push_blob(compressed))
            diff_ids.append(digest_of(tar))
        config = {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.push_blob(json.dumps(config).encode(), OCI_CONFIG),
            "layers": described,
            **more,
        }
        descriptor = self.push_manifest(repository, manifest, tag)
        return descriptor | {"platform": {"os": "linux", "architecture": architecture}}

    def push_index(
        self, repository: str, tag: str, descriptors: list[dict[str, Any]]
    ) -> dict[str, Any]:
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
        return self.push_manifest(repository, index, tag)

    def referrers_of(self, repository: str, digest: str) -> list[dict[str, Any]]:
        found = []
        for (where, name), (media_type, data) in self.manifests.items():
            value = json.loads(data)
            if where == repository and value.get("subject", {}).get("digest") == digest:
                found.append(
                    {
                        "mediaType": media_type,
                        "digest": name,
                        "size": len(data),
                        "artifactType": value.get("artifactType", ""),
                    }
                )
        return found


@contextmanager
def running(
    authentication: str = "anonymous",
    *,
    context: ssl.SSLContext | None = None,
    anonymous_tokens: bool = False,
) -> Iterator[Registry]:
    """A registry that serves until the block ends."""
    registry = Registry(authentication, anonymous_tokens)
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        registry.scheme = "https"
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _GoneError(Exception):
    """The answer has been given, in one way or another."""


class _Handler(Writing, BaseHTTPRequestHandler):
    registry: Registry
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True  # an answer in two writes would wait for the first to arrive

    def log_message(self, *_: Any) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            if (
                self.registry.scheme == "http" and self.rfile.peek(1)[:1] == b"\x16"  # type: ignore[attr-defined]
            ):
                self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nthis is no TLS server")
                self.close_connection = True
                return
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def _serve(self) -> None:
        registry, faults = self.registry, self.registry.faults
        length = int(self.headers.get("Content-Length") or 0)
        registry.requests.append(Request(self.command, self.path, dict(self.headers.items())))
        split = urllib.parse.urlsplit(self.path)
        if self.command == "PUT" and "/blobs/uploads/" in self.path and faults.cut_uploads:
            faults.cut_uploads -= 1
            registry.used_uploads.add(split.path.rpartition("/")[2])
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        self.body = self.rfile.read(length)
        self.form = form_of(self.body)
        self.query = urllib.parse.parse_qs(split.query)
        try:
            if faults.trickle_headers:
                self._trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000, faults.trickle_headers)
            if faults.too_many_requests > 0:
                faults.too_many_requests -= 1
                self._answer(429, b"", {"Retry-After": faults.retry_after})
            if faults.unavailable > 0:
                faults.unavailable -= 1
                self._answer(503, b"", {"Retry-After": faults.retry_after})
            if split.path == "/token":
                self._token()
            if split.path == "/endless":
                self._answer(302, b"", {"Location": "/endless"})
            self._authenticate()
            if split.path in ("/v2/", "/v2"):
                self._answer(200, b"{}", {})
            if self.command in ("POST", "PUT"):
                self.write(self.command, split.path)
                self._error(404, "NAME_UNKNOWN")
            if match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", split.path):
                self._manifest(match[1], match[2])
            if match := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", split.path):
                self._blob(match[2])
            if match := re.fullmatch(r"/v2/(.+)/referrers/([^/]+)", split.path):
                self._referrers(match[1], match[2])
            if match := re.fullmatch(r"/v2/(.+)/tags/list", split.path):
                self._tags(match[1])
            if match := re.fullmatch(r"/files/(.+)", split.path):
                self._blob(urllib.parse.unquote(match[1]))
            self._error(404, "NAME_UNKNOWN")
        except _GoneError:
            return

    # answers

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        raise _GoneError

    def _error(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": "\x1b[31mno"}]}).encode()
        self._answer(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _trickle(self, data: bytes, seconds: float) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(seconds)
        self.close_connection = True
        raise _GoneError

    def _endless(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    # authentication

    def _authenticate(self) -> None:
        registry = self.registry
        given = self.headers.get("Authorization", "")
        if registry.faults.always_401:
            self._challenge()
        if registry.authentication == "basic":
            if given != f"Basic {_basic(USER, PASSWORD)}":
                self._challenge()
        elif registry.authentication == "bearer":
            token = given.removeprefix("Bearer ")
            if token not in registry.tokens:
                self._challenge()
            if self.command in ("POST", "PUT") and "push" not in registry.scopes[token]:
                self._challenge()
            registry.tokens[token] += 1
            good_for = registry.faults.expire_tokens_after
            if good_for and registry.tokens[token] > good_for:
                self._challenge()

    def _challenge(self) -> None:
        registry = self.registry
        realm = registry.faults.token_realm or f"{registry.url}/token"
        if registry.authentication == "bearer":
            challenge = (
                f'Bearer realm="{realm}",service="registry.example",'
                'scope="repository:everything:pull,push,delete"'
            )
        else:
            challenge = 'Basic realm="registry.example"'
        self._error(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})

    def _token(self) -> None:
        registry = self.registry
        if registry.faults.token_answer is not None:
            self._answer(200, registry.faults.token_answer, {"Content-Type": "application/json"})
        if self.command == "POST":
            allowed = self.form.get("refresh_token") == [PASSWORD]
        else:
            given = self.headers.get("Authorization", "")
            allowed = given == f"Basic {_basic(USER, PASSWORD)}" or (
                registry.anonymous_tokens and not given
            )
        if not allowed:
            self._error(401, "UNAUTHORIZED")
        token = f"token-{len(registry.tokens)}"
        registry.tokens[token] = 0
        registry.scopes[token] = "".join(
            [*self.query.get("scope", []), *self.form.get("scope", [])]
        )
        self._answer(200, json.dumps({"token": token}).encode(), {})

    # content

    def _manifest(self, repository: str, reference: str) -> None:
        registry, faults = self.registry, self.registry.faults
        if faults.endless_manifests:
            self._endless(OCI_MANIFEST)
        digest = reference
        if ":" not in reference:
            pushed = registry.tags.get((repository, reference))
            if not pushed:
                self._error(404, "MANIFEST_UNKNOWN")
                return
            digest = pushed.pop(0) if faults.tag_moves and len(pushed) > 1 else pushed[-1]
        found = registry.manifests.get((repository, digest))
        if found is None:
            self._error(404, "MANIFEST_UNKNOWN")
            return
        media_type, data = found
        said = digest_of(b"something else") if faults.wrong_digest_header else digest_of(data)
        headers = {"Docker-Content-Digest": said, "ETag": f'"{digest}"'}
        if faults.content_type != "":
            headers["Content-Type"] = faults.content_type or media_type
        self._answer(200, data, headers)

    def _blob(self, name: str) -> None:
        registry, faults = self.registry, self.registry.faults
        if faults.redirect_loop:
            self._answer(307, b"", {"Location": self.path})
        if faults.redirect_blobs_to:
            self._answer(307, b"", {"Location": faults.redirect_blobs_to + f"/files/{name}"})
        if faults.endless_blobs or name == faults.endless_blob:
            self._endless("application/octet-stream")
        if name not in registry.blobs:
            self._error(404, "BLOB_UNKNOWN")
        data = registry.blobs[name]
        tag = hashlib.sha256(data).hexdigest()[:16]
        if faults.blob_changes and registry.count(rf"GET .*{re.escape(name)}$") > 1:
            data, tag = bytes(len(data)), "changed"
        if faults.truncated_blobs is not None:
            data = data[: faults.truncated_blobs]
        start, end, status = 0, len(data), 200
        headers = {"ETag": f'"{tag}"', "Content-Type": "application/octet-stream"}
        if faults.wrong_blob_digest_header:
            headers["Docker-Content-Digest"] = digest_of(b"something else")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range", headers["ETag"])
        if wanted and not faults.ignore_ranges and condition == headers["ETag"]:
            start = int(wanted[1])
            end = min(int(wanted[2]) + 1 if wanted[2] else end, end)
            if start >= len(data):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            said = start + 1 if faults.wrong_range and start else start
            status, headers["Content-Range"] = 206, f"bytes {said}-{end - 1}/{len(data)}"
        self._send(status, data[start:end], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        faults = self.registry.faults
        if faults.cut_after is not None and faults.cuts and len(body) > faults.cut_after:
            faults.cuts -= 1
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: faults.cut_after])
            self.wfile.flush()
            self.close_connection = True
            raise _GoneError
        if faults.trickle:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._trickle(body, faults.trickle)
        self._answer(status, body, headers)

    # lists

    def _page(self, entries: list[Any], wrap: Any, content_type: str) -> None:
        faults = self.registry.faults
        at = int(self.query.get("at", ["0"])[0])
        size = faults.page_size or max(len(entries), 1)
        headers = {"Content-Type": content_type}
        if at + size < len(entries) or faults.next_page:
            path = urllib.parse.urlsplit(self.path).path
            target = faults.next_page or f"{path}?at={at + size}"
            headers["Link"] = f'<{target}>; rel="next"'
        self._answer(200, json.dumps(wrap(entries[at : at + size])).encode(), headers)

    def _referrers(self, repository: str, digest: str) -> None:
        if self.registry.faults.no_referrers_api:
            self._error(404, "NOT_FOUND")
        if status := self.registry.faults.referrers_status:
            self._error(status, "DENIED")
        empty = self.registry.faults.empty_referrers
        self._page(
            [] if empty else self.registry.referrers_of(repository, digest),
            lambda some: {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": some},
            OCI_INDEX,
        )

    def _tags(self, repository: str) -> None:
        names = sorted(tag for where, tag in self.registry.tags if where == repository)
        self._page(names, lambda some: {"name": repository, "tags": some}, "application/json")


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()

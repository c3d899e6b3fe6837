"""Lookaside storage on a web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.model.verdict import Answer
from tests.evidence.test_simple_signing import DIGEST, attachment, image_in, judged, payload
from tests.support.checking import codes_of

PLACE = f"/signatures/app@sha256={DIGEST.partition(':')[2]}"


@contextmanager
def _serving(files: dict[str, bytes], status: int = 404) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            self.send_response(200 if found is not None else status)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/signatures"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("slash", ["", "/"])
def test_signatures_on_a_web_server(tmp_path: Path, slash: str) -> None:
    other = attachment(payload("sha256:" + "0" * 64))
    files = {f"{PLACE}/signature-1": other, f"{PLACE}/signature-2": attachment(payload())}
    name = image_in(tmp_path / "image")
    with _serving(files) as base:
        known = "docker://registry.test/app:1"
        verdict = judged(tmp_path, name, lookaside=(base + slash,), known_as=known)
        assert verdict.authentic is Answer.YES
        known = "docker://registry.test/other:1"
        verdict = judged(tmp_path, name, lookaside=(base + slash,), known_as=known)
        assert "no-signature" in codes_of(verdict)


@pytest.mark.parametrize("status", [403, 500])
def test_a_server_that_refuses_is_not_one_without_signatures(tmp_path: Path, status: int) -> None:
    name = image_in(tmp_path / "image")
    with _serving({}, status) as base:
        verdict = judged(tmp_path, name, lookaside=(base,), known_as="docker://registry.test/app:1")
    assert verdict.authentic is not Answer.YES
    assert any(f.question.value == "checked" for f in verdict.findings)


def test_a_signature_of_any_size_is_not_read(tmp_path: Path) -> None:
    name = image_in(tmp_path / "image")
    with _serving({f"{PLACE}/signature-1": bytes(2 << 20)}) as base:
        verdict = judged(tmp_path, name, lookaside=(base,), known_as="docker://registry.test/app:1")
    assert verdict.authentic is not Answer.YES

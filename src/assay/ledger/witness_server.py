"""A witness on a port: the ``add-checkpoint`` call of C2SP tlog-witness over HTTP.

Plain HTTP: whoever asks is known by the signature of the log alone. To be reached from elsewhere it
belongs behind a server that speaks TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from assay.ledger.witness import Reply, Witness
from assay.model.finding import UsageError
from assay.transparency.add_checkpoint import SIZE

_PATIENCE = 30
"""Seconds that a request may take to arrive."""


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness; ``said`` is called with a line for each request that was answered."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], witness: Witness, said: Callable[[str], object]
    ) -> None:
        self.witness = witness
        self.said = said
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise UsageError(f"--listen {address[0]}:{address[1]}: {error}") from error

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "assay-witness"
    sys_version = ""
    timeout = _PATIENCE
    server: WitnessServer

    def do_POST(self) -> None:
        self._reply(self._answer())

    def do_GET(self) -> None:
        self._reply(Reply(405 if self._is_ours() else 404, b"POST to add-checkpoint\n"))

    def _is_ours(self) -> bool:
        return urlsplit(self.path).path.rstrip("/").endswith("/add-checkpoint")

    def _answer(self) -> Reply:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or len(length) > 9 or int(length) > SIZE:
            self.close_connection = True
            return Reply(413 if length.isdigit() else 411, b"a body of a known, small size\n")
        body = self.rfile.read(int(length))
        if not self._is_ours():
            return Reply(404, b"POST to add-checkpoint\n")
        try:
            return self.server.witness.add_checkpoint(body)
        except UsageError as error:
            self.server.said(f"error: {error}")
            return Reply(500, b"the state cannot be read or written\n")

    def _reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - not our name
        self.server.said(format % arguments)

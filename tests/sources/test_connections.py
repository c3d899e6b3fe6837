"""Connections to servers: kept where that is safe, and answers that contradict themselves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from assay.model.finding import AssayError
from assay.sources.http.client import HttpClient, read_body
from assay.sources.http.url import Url

Say = Callable[[bytes], None]


class Server:
    """Answers each request on a connection with the next of ``answers``, byte by byte as they are.
    After one that ends with ``CLOSE`` the connection is closed."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection):
            while self.answers:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    request += piece
                self.requests.append(request)
                answer = self.answers.pop(0)
                connection.sendall(answer.removesuffix(CLOSE))
                if answer.endswith(CLOSE):
                    return
            connection.recv(1)

    def close(self) -> None:
        self._listening.close()

    def get(self, client: HttpClient, path: str = "/") -> bytes:
        return read_body(client.request(Url("http", "127.0.0.1", self.port, path)), 1000)


CLOSE = b"<close>"


def said(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *(headers or (f"Content-Length: {len(body)}",)), "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*answers: bytes) -> Server:
        started.append(Server(*answers))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(timeout=5, attempts=1)


def test_a_connection_serves_several_requests(
    serve: Callable[..., Server], client: HttpClient
) -> None:
    chunks = said(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "Transfer-Encoding: chunked")
    server = serve(said(b"one"), chunks, said(b""), said(b"four"))
    assert [server.get(client) for _ in range(4)] == [b"one", b"abc", b"", b"four"]
    assert server.connections == 1
    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1")
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "first",
    [
        said(b"one") + CLOSE,
        said(b"one", "Content-Length: 3", "Connection: close"),
        said(b"one", "Connection: close") + CLOSE,
        # an answer to a question that nobody asked: the next one gets it not (desynchronisation)
        said(b"one") + said(b"smuggled"),
    ],
    ids=["closed", "to-be-closed", "until-the-end", "more-than-announced"],
)
def test_a_connection_that_cannot_be_relied_on_is_not_used_again(
    serve: Callable[..., Server], client: HttpClient, first: bytes
) -> None:
    server = serve(first, said(b"two"))
    assert server.get(client) == b"one"
    assert _eventually(lambda: server.get(client)) == b"two"
    assert server.connections == 2


def _eventually(get: Callable[[], bytes]) -> bytes:
    """The other side's end of a connection arrives a little later than its answer."""
    threading.Event().wait(0.1)
    return get()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said(b"one", "Content-Length: 3", "Content-Length: 4"), "response-malformed"),
        (said(b"one", "Content-Length: 4") + CLOSE, "transfer-incomplete"),
        (said(b"5\r\none\r\n", "Transfer-Encoding: chunked") + CLOSE, "transfer-incomplete"),
        (said(b"x\r\none\r\n", "Transfer-Encoding: chunked") + CLOSE, "transfer-incomplete"),
        (said(b"one", "Content-Length: -3"), "response-malformed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n" + CLOSE, "response-malformed"),
        (CLOSE, "unreachable"),
    ],
    ids=["two-lengths", "cut", "cut-in-a-chunk", "no-chunk", "negative", "no-http", "nothing"],
)
def test_an_answer_that_makes_no_sense(
    serve: Callable[..., Server], client: HttpClient, answer: bytes, code: str
) -> None:
    server = serve(answer)
    with pytest.raises(AssayError) as caught:
        server.get(client)
    assert caught.value.finding.code == code

"""Connections straight to servers, kept for the next request.

Over the standard library's HTTP alone: importing urllib3 takes longer than a whole verification,
and is left to those who go through a proxy (`proxied`).

A server that sends its headers too slowly is given up on. The socket's own time-out starts anew
with every byte, so it could keep us waiting for hours with one byte of a header every few seconds.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from assay.sources.http.tls import TlsIdentity
from assay.sources.http.url import Url

_KEPT = 8
"""Idle connections that are kept to one server."""


class Headers(Mapping[str, str]):
    """The fields of an answer, by name in any case. Several of one name are one, with commas
    between them (RFC 9110 section 5.3)."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        return list(self._values.get(name.lower(), []))


class Answer:
    """An answer whose headers have been read, with its connection."""

    def __init__(self, response: _Response, connection: _Connection, pool: Connections) -> None:
        self.status = response.status
        self.headers = Headers(response.getheaders())
        self._response = response
        self._connection: _Connection | None = connection
        self._pool = pool
        lengths = set(self.headers.getlist("Content-Length"))
        if len(lengths) > 1 and not response.chunked:
            connection.close()
            raise http.client.HTTPException("Content-Length contradicts itself")
        self._left = response.length
        """Bytes of the body to come; None where the end of the connection, or a chunk, is its end.
        """
        if self._left == 0:
            self._end()

    def read1(self, count: int, *, decode_content: bool = False) -> bytes:
        """At most ``count`` bytes of the body, as they arrive; nothing at its end. Raises whatever
        sockets and `http.client` do."""
        assert not decode_content
        response = self._response
        if self._connection is None or response.fp is None:
            return b""
        if response.chunked:
            piece = response.read1(count)
            if not piece:
                self._end()
            return piece
        wanted = count if self._left is None else min(count, self._left)
        piece = response.fp.read1(wanted)
        if not piece and wanted:
            if self._left:
                raise http.client.IncompleteRead(b"", self._left)
            self._end()
        if self._left is not None:
            self._left -= len(piece)
            if not self._left:
                self._end()
        return piece

    def _end(self) -> None:
        """The body is complete: the connection serves the next request, if the server likes."""
        connection, self._connection = self._connection, None
        if connection is not None:
            reusable = not (self._response.will_close or self._response.says_more())
            self._response.close()
            if reusable:
                self._pool.keep(connection)
            else:
                connection.close()

    def release_conn(self) -> None:
        """Nobody reads on."""
        self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._response.close()
            connection.close()


class Connections:
    """Connections to servers by origin and by how they are met. Safe to share between threads."""

    def __init__(self, timeout: float) -> None:
        """``timeout`` is how long a server may be silent, and take for its headers, in seconds."""
        self._timeout = timeout
        self._idle: dict[tuple[Any, ...], list[_Connection]] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: Url,
        body: bytes | None,
        headers: Mapping[str, str],
        identity: TlsIdentity,
        context: ssl.SSLContext | None,
    ) -> Answer:
        """Send a request; ``context`` is for https. Raises OSError and HTTPException."""
        key = (*url.origin, identity)
        connection = self._take(key) or _Connection(key, url, self._timeout, context)
        try:
            connection.request(method, url.target, body, dict(headers))
            return Answer(connection.answer(), connection, self)
        except BaseException:
            connection.close()
            raise

    def _take(self, key: tuple[Any, ...]) -> _Connection | None:
        while True:
            with self._lock:
                idle = self._idle.get(key)
                connection = idle.pop() if idle else None
            if connection is None or not connection.was_closed:
                return connection
            connection.close()

    def keep(self, connection: _Connection) -> None:
        with self._lock:
            idle = self._idle.setdefault(connection.key, [])
            if len(idle) < _KEPT:
                idle.append(connection)
                return
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(
        self, key: tuple[Any, ...], url: Url, timeout: float, context: ssl.SSLContext | None
    ) -> None:
        self.default_port = 443 if url.scheme == "https" else 80
        super().__init__(url.host, url.port, timeout=timeout)
        self.key = key
        self._seconds = timeout
        self._context = context
        self._tls_name = url.host.rstrip(".")
        self._secure = url.scheme == "https"

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port, self._seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            assert self._context is not None
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._tls_name)

    @property
    def was_closed(self) -> bool:
        """Whether the server has closed it meanwhile, or says something that nobody asked for."""
        if self.sock is None:
            return True
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self.sock], [], [], 0)[0])

    def response_class(  # type: ignore[override]
        self, sock: socket.socket, *arguments: Any, **more: Any
    ) -> _Response:
        return _Response(_Timed(sock, self._seconds), *arguments, **more)

    def answer(self) -> _Response:
        found = self.getresponse()
        assert isinstance(found, _Response)
        return found


class _Response(http.client.HTTPResponse):
    def __init__(self, timed: _Timed, *arguments: Any, **more: Any) -> None:
        super().__init__(timed, *arguments, **more)  # type: ignore[arg-type]
        self._timed = timed

    def begin(self, **more: Any) -> None:
        super().begin(**more)
        self._timed.headers_are_there()

    def says_more(self) -> bool:
        """Whether more arrived than was announced, which would answer somebody else's request."""
        self._timed.ended = True
        return self.fp is not None and bool(self.fp.peek(1))


class _Timed(io.RawIOBase):
    """What arrives on a socket, the headers of an answer within a certain time."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._seconds = seconds
        self._end: float | None = time.monotonic() + seconds
        self.ended = False
        """Whether nothing more is to be read from the socket."""

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(self)

    def headers_are_there(self) -> None:
        self._end = None
        self._sock.settimeout(self._seconds)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self.ended:
            return 0
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the headers did not arrive in time")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):
                self._raw.close()
        super().close()


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    """A connection. Names are ASCII here (`url`); as text they would be sent through the codec for
    others, whose tables take longer to load than a connection to open."""
    return socket.create_connection((host.encode("ascii"), port), timeout)  # type: ignore[arg-type]


def speaks_tls(url: Url, timeout: float) -> bool:
    """Whether what answers speaks TLS, or nothing answers. Nothing is believed or sent; a
    certificate that nobody vouches for is one all the same."""
    from assay.sources.http.faults import NOT_TLS, connection_fault

    # reading the authorities of the system takes long, and nothing is said that takes a certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _connected(url.host, url.port, timeout) as plain:
            context.wrap_socket(plain).close()
    except OSError as error:
        return connection_fault(error, url, None)[0].cause != NOT_TLS
    return True

"""Connections that give up on a server which sends its headers too slowly.

The socket's own time-out starts anew with every byte, so a server could keep us waiting for hours
with one byte of a header every few seconds.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Deadline:
    """Shuts a socket down when the time is over, which wakes whoever reads from it."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self.passed = False
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def _pass(self) -> None:
        self.passed = True
        with suppress(OSError):  # it may be closed already
            # not the method of a TLS socket, which takes its state away from under the reader
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


class _Punctual(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        assert self.sock is not None
        seconds = self.timeout if isinstance(self.timeout, int | float) else 60.0
        with _Deadline(self.sock, seconds) as deadline:
            try:
                response = super().getresponse()
            except Exception as error:
                if deadline.passed:
                    raise TimeoutError("the headers did not arrive in time") from error
                raise
        if deadline.passed:
            raise TimeoutError("the headers did not arrive in time")
        return response


class _PunctualTls(_Punctual, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Punctual


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PunctualTls


def prepare(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Make a manager use these connections."""
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager

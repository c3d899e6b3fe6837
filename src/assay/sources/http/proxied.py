"""Connections by way of a proxy, with urllib3. They give up on a server that sends its headers too
slowly, as those of `connections` do.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from assay.sources.http.proxies import Proxy
from assay.sources.http.url import Url


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


def manager_for(
    proxy: Proxy, context: ssl.SSLContext, proxy_context: ssl.SSLContext
) -> urllib3.ProxyManager:
    """A pool of connections through a proxy; ``proxy_context`` is for those to the proxy."""
    value = proxy.authorization.reveal().decode("ascii")
    manager = urllib3.ProxyManager(
        str(proxy.url),
        16,
        maxsize=8,
        proxy_headers={"Proxy-Authorization": value} if value else None,
        ssl_context=context,
        proxy_ssl_context=proxy_context,
    )
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager


def send(
    manager: urllib3.ProxyManager,
    method: str,
    url: Url,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout: float,
) -> urllib3.BaseHTTPResponse:
    """Send a request. Raises what urllib3, sockets and `http.client` do."""
    return manager.urlopen(
        method,
        str(url),
        body=body,
        headers=headers,
        redirect=False,
        retries=False,
        preload_content=False,
        decode_content=False,
        timeout=urllib3.Timeout(connect=timeout, read=timeout),
    )

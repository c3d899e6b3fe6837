"""Requests to the places that a certificate names.

The places come from certificates, so they are treated with care: only http and https, only the
host that is named (no redirect leads to another), no address of this link, where machines get
their secrets from, and every size and time bounded. A host that did not answer is not asked again
for a while, so that one outage is waited for once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from assay import limits
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding, UsageError

if TYPE_CHECKING:
    from assay.sources.http.client import HttpClient
    from assay.sources.http.url import Url


OUTAGES = frozenset(
    code.name
    for code in (
        codes.OFFLINE,
        codes.RATE_LIMITED,
        codes.SERVER_ERROR,
        codes.TIMEOUT,
        codes.TLS_FAILED,
        codes.TRANSFER_INCOMPLETE,
        codes.UNREACHABLE,
    )
)
"""What says that nobody was reached; all else is what somebody there said."""


class Fetcher:
    """Makes the requests; with ``offline`` it makes none. ``seconds`` bounds each."""

    def __init__(self, *, offline: bool) -> None:
        self._offline = offline
        self._clients: dict[float, HttpClient] = {}
        self._silent: dict[tuple[str, int], tuple[float, str]] = {}
        self._lock = threading.Lock()

    def fetch(
        self, address: str, most: int, seconds: float, body: bytes | None = None, type_: str = ""
    ) -> bytes:
        """What is at an address: POST where there is a ``body`` (of the media type ``type_``), else
        GET. Raises AssayError when it cannot be had, saying why in one sentence."""
        url = _place(address)
        if self._offline:
            detail = f"{url.shown} was not asked, as no connection may be made (--offline)"
            raise AssayError(Finding.of(codes.OFFLINE, detail=detail))
        with self._lock:
            since, why = self._silent.get((url.host, url.port), (0.0, ""))
        if why and time.monotonic() - since < limits.REVOCATION_MEMORY_SECONDS:
            raise _failure(f"{url.shown} was not asked: {why}")
        try:
            return self._request(url, most, seconds, body, type_)
        except UsageError as error:  # a proxy in the environment, say
            raise _failure(f"{url.shown}: {error}") from error
        except AssayError as error:
            if error.finding.code in (codes.UNREACHABLE.name, codes.TIMEOUT.name):
                with self._lock:
                    silent = (time.monotonic(), "the host did not answer before")
                    self._silent[url.host, url.port] = silent
            raise

    def _request(
        self, url: Url, most: int, seconds: float, body: bytes | None, type_: str
    ) -> bytes:
        from assay.sources.http.client import read_body, refused

        headers = {"Content-Type": type_} if body is not None else {}
        begun = time.monotonic()
        response = self._client(seconds).request(
            url,
            headers,
            method="GET" if body is None else "POST",
            body=body,
            stay=True,
            seconds=seconds,
        )
        if response.status != 200:
            response.discard()
            raise refused(response.status, response.url)
        return read_body(response, most, max(0.1, seconds - (time.monotonic() - begun)))

    def _client(self, seconds: float) -> HttpClient:
        from assay.sources.http.client import HttpClient

        with self._lock:
            if seconds not in self._clients:
                # signed answers need no TLS, and lists for TLS could not be had by it; connecting
                # and waiting for headers have a time-out each, so each gets half of the time
                self._clients[seconds] = HttpClient(
                    plain_http=True, timeout=seconds / 2, attempts=1
                )
            return self._clients[seconds]


def _place(address: str) -> Url:
    from assay.sources.http.url import is_local_only, is_loopback, parse_url

    try:
        url = parse_url(address)
    except ValueError as error:
        detail = f"an address that cannot be asked: {error}"
        raise AssayError(Finding.of(codes.REDIRECT_REFUSED, detail=detail)) from error
    if is_local_only(url.host) and not is_loopback(url.host):
        detail = f"{url.shown} is not asked, since it is on this machine's own link"
        raise AssayError(Finding.of(codes.REDIRECT_REFUSED, detail=detail))
    return url


def _failure(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.UNREACHABLE, detail=detail))

"""Requests over HTTP with bounded redirects, retries and waits.

Rules that keep the user safe, each named after what it stops:

1. credentials and the client certificate go to the origin that they are for, and to no other,
   whatever redirects say (credential theft by redirect);
2. no redirect leads from https to http (downgrade);
3. no redirect leads from elsewhere to this machine or to the link it is on, where services trust
   whoever can reach them (request forgery);
4. every wait, size and count is bounded (exhaustion).
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay import limits
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.secret import Secret
from assay.sources.http import retry
from assay.sources.http.connections import Connections, speaks_tls
from assay.sources.http.faults import InterruptedTransferError, connection_fault, malformed, refused
from assay.sources.http.proxies import Proxy, proxy_for
from assay.sources.http.response import RawAnswer, Response
from assay.sources.http.tls import TlsIdentity, context_for
from assay.sources.http.url import Url, is_local_only, is_loopback, join_url
from assay.sources.model import OpenOptions
from assay.version import __version__

if TYPE_CHECKING:
    import urllib3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpClient:
    """Makes requests, and keeps connections for the next one. Safe to share between threads."""

    def __init__(
        self,
        *,
        plain_http: bool = False,
        timeout: float = 30.0,
        attempts: int = limits.HTTP_ATTEMPTS,
    ) -> None:
        self._plain_http = plain_http
        self._timeout = timeout
        self._attempts = attempts
        self._connections = Connections(timeout)
        self._managers: dict[tuple[Proxy, TlsIdentity], urllib3.ProxyManager] = {}
        self._contexts: dict[TlsIdentity, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def allows_plain(self, host: str) -> bool:
        """Whether a host may be spoken to without TLS."""
        return self._plain_http or is_loopback(host)

    def request(
        self,
        url: Url,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        authorization: Secret | None = None,
        identity: TlsIdentity | None = None,
        once: bool = False,
        stay: bool = False,
        seconds: float | None = None,
    ) -> Response:
        """Send a request, follow redirects, and return the final answer, whatever its status
        unless it is 429, or 5xx other than 501. With ``stay`` redirects to other hosts are
        refused, and none is followed once ``seconds`` are over.

        With ``once`` a request whose connection breaks is not sent again as it is: it may have
        been received in part. Raises AssayError when there is no such answer (with ``once``
        InterruptedTransferError, where another attempt from the start may help), UsageError when
        a file of ``identity`` or a proxy in the environment cannot be used.
        """
        identity = identity or TlsIdentity()
        end = None if seconds is None else time.monotonic() + seconds
        if url.scheme == "http" and not self.allows_plain(url.host):
            raise UsageError(
                f"{url.shown}: plain HTTP is for this machine only; use https (--plain-http says"
                " that the way to this host is known to be safe)"
            )
        home = url
        for _ in range(limits.HTTP_REDIRECTS + 1):
            at_home = url.origin == home.origin
            sent = dict(headers or {})
            if authorization is not None and at_home:
                sent["Authorization"] = authorization.reveal().decode("ascii")
            met_with = identity if at_home else identity.without_certificate()
            response = self._answer(method, url, sent, body, met_with, once)
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return response
            response.discard()
            if body is not None:
                raise _redirect_refused(
                    url, "a request with a body is redirected, and it is not sent elsewhere"
                )
            url = self._follow(url, response.headers["Location"])
            if stay and url.host != home.host:
                raise _redirect_refused(home, f"to another host, {url.host}")
            if end is not None and time.monotonic() > end:
                detail = f"{home.shown}: no answer after {seconds} seconds"
                raise AssayError(Finding.of(codes.TIMEOUT, detail=detail))
        raise _redirect_refused(home, f"more than {limits.HTTP_REDIRECTS} redirects")

    def fetch(
        self, url: Url, limit: int, headers: Mapping[str, str] | None = None
    ) -> tuple[Response, bytes]:
        """GET a small document. Raises AssayError for any status but 200."""
        response = self.request(url, headers)
        if response.status != 200:
            response.discard()
            raise refused(response.status, response.url)
        return response, read_body(response, limit)

    def _follow(self, url: Url, location: str) -> Url:
        try:
            # header text is latin-1 by the protocol; servers put UTF-8 into it all the same
            target = join_url(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
        except ValueError as error:
            raise _redirect_refused(url, f"the target is {error}") from error
        if target.scheme == "http":
            if url.scheme == "https":
                raise _redirect_refused(url, f"from https to {target.shown}")
            if not self.allows_plain(target.host):
                raise _redirect_refused(url, f"to {target.shown}, without TLS")
        if is_local_only(target.host) and not is_local_only(url.host):
            raise _redirect_refused(url, f"to {target.shown}, which is local to this machine")
        return target

    def _answer(
        self,
        method: str,
        url: Url,
        headers: Mapping[str, str],
        body: bytes | None,
        identity: TlsIdentity,
        once: bool,
    ) -> Response:
        """One hop, tried again while that makes sense."""
        for attempt in range(self._attempts):
            last = attempt == self._attempts - 1
            try:
                response = self._send(method, url, headers, body, identity)
            except InterruptedTransferError as error:
                if once:
                    raise
                if last:
                    raise AssayError(error.finding) from error
                retry.wait(retry.backoff(attempt))
                continue
            if not retry.is_retried(response.status, method):
                # 501 says that the server does not know what was asked, and not that it failed
                if response.status >= 500 and response.status != 501:
                    response.discard()
                    raise refused(response.status, url)
                return response
            asked = retry.retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
            response.discard()
            if last or (asked is not None and asked > limits.RETRY_AFTER_SECONDS):
                note = f"asks to wait {asked:.0f} seconds" if asked is not None else ""
                raise refused(response.status, url, note)
            retry.wait(retry.backoff(attempt) if asked is None else asked)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _send(
        self,
        method: str,
        url: Url,
        headers: Mapping[str, str],
        body: bytes | None,
        identity: TlsIdentity,
    ) -> Response:
        proxy = proxy_for(url, os.environ)
        sent = {
            # what arrives has to be the stored bytes
            "Accept-Encoding": "identity",
            "User-Agent": f"assay/{__version__}",
            **headers,
        }
        raw: RawAnswer
        try:
            if proxy is None:
                # files that cannot be used are told, also where they turn out not to be needed
                secure = url.scheme == "https" or identity != TlsIdentity()
                context = self._context(identity) if secure else None
                raw = self._connections.request(method, url, body, sent, identity, context)
            else:
                from assay.sources.http import proxied

                manager = self._manager(proxy, identity)
                raw = proxied.send(manager, method, url, body, sent, self._timeout)
        except UsageError:
            raise
        except Exception as error:
            # urllib3, http.client, ssl and the resolver's encoding have no other common ancestor
            finding, again = connection_fault(error, url, proxy)
            if again:
                raise InterruptedTransferError(finding) from error
            raise AssayError(finding) from error
        return Response(url, raw, self._timeout)

    def speaks_tls(self, url: Url) -> bool:
        """Whether what answers at this place of this machine speaks TLS, or nothing answers."""
        return speaks_tls(url, self._timeout)

    def _context(self, identity: TlsIdentity) -> ssl.SSLContext:
        with self._lock:
            context = self._contexts.get(identity)
            if context is None:
                context = self._contexts[identity] = context_for(identity)
            return context

    def _manager(self, proxy: Proxy, identity: TlsIdentity) -> urllib3.ProxyManager:
        from assay.sources.http.proxied import manager_for

        with self._lock:
            found = self._managers.get((proxy, identity))
        if found is not None:
            return found
        contexts = self._context(identity), self._context(identity.without_certificate())
        with self._lock:
            return self._managers.setdefault((proxy, identity), manager_for(proxy, *contexts))


def _redirect_refused(url: Url, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.REDIRECT_REFUSED, detail=f"{url.shown}: {detail}"))


def read_body(response: Response, limit: int, seconds: float | None = None) -> bytes:
    """All of a small body, in ``seconds`` at most; a broken transfer is an AssayError too."""
    try:
        return response.read(limit, seconds)
    except InterruptedTransferError as error:
        raise AssayError(
            Finding.of(
                codes.TRANSFER_INCOMPLETE,
                detail=f"{response.url.shown}: the answer breaks off ({error.finding.detail})",
            )
        ) from error


_CLIENTS: dict[OpenOptions, HttpClient] = {}
_CLIENTS_LOCK = threading.Lock()


def client_for(options: OpenOptions) -> HttpClient:
    """The client for these options: the images of one call share its connections.

    Raises AssayError (offline) when the options forbid the network; nothing is opened then.
    """
    refuse_offline(options)
    key = OpenOptions(plain_http=options.plain_http, timeout=options.timeout)
    with _CLIENTS_LOCK:
        if key not in _CLIENTS:
            _CLIENTS[key] = HttpClient(plain_http=options.plain_http, timeout=options.timeout)
        return _CLIENTS[key]


def refuse_offline(options: OpenOptions, what: str = "") -> None:
    """Raise AssayError (offline) when the options forbid the network."""
    if options.offline:
        raise AssayError(Finding.of(codes.OFFLINE, detail=what))


def identity_from(options: OpenOptions) -> TlsIdentity:
    """What --tls-ca, --tls-cert and --tls-key give. Raises UsageError for a key without a
    certificate."""
    if options.client_key and not options.client_certificate:
        raise UsageError("--tls-key is given without --tls-cert")
    return TlsIdentity(
        (options.ca_file,) if options.ca_file else (),
        options.client_certificate,
        options.client_key,
    )


__all__ = [
    "HttpClient",
    "Response",
    "client_for",
    "identity_from",
    "malformed",
    "read_body",
    "refuse_offline",
    "refused",
]

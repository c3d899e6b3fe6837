"""Requests to one registry: its address, how it is met, and the answers to its challenges."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from assay import limits
from assay.model.secret import Secret
from assay.sources.credentials import CredentialFiles
from assay.sources.http.client import HttpClient
from assay.sources.http.response import Response
from assay.sources.http.tls import TlsIdentity
from assay.sources.http.url import Url, is_loopback, join_url, parse_url
from assay.sources.registry.errors import error_code
from assay.sources.registry.tokens import PULL, Authenticator


class CompanionTags:
    """Which tags of a repository are made from a digest (signatures, fallbacks), once it paid to
    list them. ``asked`` counts the images whose tags were asked for one by one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: set[str] = set()
        self.known: frozenset[str] | None = None
        self.endless = False
        self._since = time.monotonic()

    def grow_old(self) -> None:
        """Forget what is no longer to be relied on: signatures are added all the time."""
        if time.monotonic() - self._since > limits.REGISTRY_MEMORY_SECONDS:
            self.asked.clear()
            self.known, self.endless = None, False
            self._since = time.monotonic()


class RegistryConnection:
    """One registry, met in the same way for all images in it. Safe to share between threads."""

    def __init__(
        self,
        http: HttpClient,
        registry: str,
        files: CredentialFiles,
        identity: TlsIdentity,
        *,
        plain_http: bool = False,
    ) -> None:
        self.registry = registry
        self._http = http
        self._identity = identity
        self._authenticator = Authenticator(http, registry, files, identity)
        self._base = parse_url(f"{'http' if plain_http else 'https'}://{registry}")
        self._certain = plain_http or not is_loopback(self._base.host)
        self._lock = threading.Lock()
        self.finding_out = threading.Lock()
        """Held by who asks first whether the registry has the referrers API."""
        self._has_referrers: tuple[bool, float] | None = None
        self.companions: dict[str, CompanionTags] = {}
        """By repository: what became known of tags that are made from digests."""

    @property
    def has_referrers(self) -> bool | None:
        """Whether the registry has the referrers API; None until somebody has asked, and again
        after a while: one answer may have been a mistake."""
        known = self._has_referrers
        if known is None or time.monotonic() - known[1] > limits.REGISTRY_MEMORY_SECONDS:
            return None
        return known[0]

    @has_referrers.setter
    def has_referrers(self, found: bool) -> None:
        self._has_referrers = (found, time.monotonic())

    def get(self, repository: str, path: str, headers: Mapping[str, str] | None = None) -> Response:
        """GET ``/v2/<repository>/<path>`` (or another path of this registry, if it begins with a
        slash). The answer has any status but 401, 403, 429, and 5xx other than 501.

        Raises AssayError for those, and where there is no answer.
        """
        return self.send("GET", repository, path, headers)

    def send(
        self,
        method: str,
        repository: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        actions: str = PULL,
        once: bool = False,
    ) -> Response:
        """The same for any method; ``actions`` is what it takes to be allowed to do, and ``once``
        as in `HttpClient.request`."""
        url = self._url(repository, path)
        sent = self._authenticator.header(repository, actions)

        def request(authorization: Secret | None) -> Response:
            return self._http.request(
                url,
                headers,
                method=method,
                body=body,
                authorization=authorization,
                identity=self._identity,
                once=once,
            )

        response = request(sent)
        if response.status == 401 and response.url.origin == url.origin:
            response.discard()
            response = request(self._authenticator.answer(repository, response, sent, actions))
        if response.status in (401, 403):
            note = error_code(response)
            raise self._authenticator.denied(
                repository, response.url, response.status, actions, note
            )
        return response

    def next_url(self, current: str, target: str) -> str:
        """The path that an answer to ``current`` leads on to: a next page, the place of an upload.

        Raises ValueError when it is elsewhere: our credentials are for this registry.
        """
        base = self._url("", current)
        following = join_url(base, target)
        if following.origin != base.origin:
            raise ValueError(f"it is on another host, {following.shown}")
        return following.target

    def _url(self, repository: str, path: str) -> Url:
        self._find_out()
        base = self._base
        target = path if path.startswith("/") else f"/v2/{repository}/{path}"
        return Url(base.scheme, base.host, base.port, target)

    def _find_out(self) -> None:
        """A registry on this machine may speak TLS or not: ask with TLS first, and go without
        only when what answers does not speak it at all."""
        with self._lock:
            if self._certain:
                return
            if not self._http.speaks_tls(self._base):
                self._base = parse_url(f"http://{self.registry}")
            self._certain = True

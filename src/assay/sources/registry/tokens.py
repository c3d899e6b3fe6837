"""How a registry is convinced: challenges answered, tokens fetched once and renewed once.

The token protocol of registries (distribution, "Token Authentication Specification" and its
OAuth 2 variant). We ask for what is to be done with the one repository (``pull``, or ``pull,push``
to write), whatever scope a challenge proposes: a registry must not make us fetch wider tokens for
it.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlencode

from assay import limits, strict_json
from assay.model.codes import network as codes
from assay.model.codes.attach import WRITE_DENIED
from assay.model.finding import AssayError, Finding
from assay.model.secret import Secret
from assay.sources.credentials import CredentialFiles, Credentials
from assay.sources.http.client import HttpClient, read_body
from assay.sources.http.faults import malformed
from assay.sources.http.headers import Challenge
from assay.sources.http.response import Response
from assay.sources.http.tls import TlsIdentity
from assay.sources.http.url import Url, join_url

PULL = "pull"
PUSH = "pull,push"

_TOKEN = re.compile(r"[\x21-\x7e]+\Z")


class Authenticator:
    """The credentials and tokens for one registry. Safe to share between threads."""

    def __init__(
        self, http: HttpClient, registry: str, files: CredentialFiles, identity: TlsIdentity
    ) -> None:
        self._http = http
        self._registry = registry
        self._files = files
        self._identity = identity
        self._challenge: Challenge | None = None
        self._realm_base: Url | None = None
        self._known: dict[tuple[str, str], Secret] = {}
        self._credentials: dict[str, Credentials | None] = {}
        self._lock = threading.RLock()

    def header(self, repository: str, actions: str = PULL) -> Secret | None:
        """What to send at once: None before the registry has asked for anything."""
        key = (repository, actions)
        with self._lock:
            if key not in self._known and self._challenge is not None:
                self._known[key] = self._fetch(repository, actions)
            return self._known.get(key)

    def answer(
        self, repository: str, refusal: Response, refused: Secret | None, actions: str = PULL
    ) -> Secret:
        """What to send after a 401. ``refused`` is what was sent before.

        Raises AssayError when there is nothing (better) to send.
        """
        key = (repository, actions)
        with self._lock:
            current = self._known.get(key)
            if current is not None and current != refused:
                return current  # another thread has renewed it meanwhile
            self._known.pop(key, None)
            self._credentials.pop(repository, None)  # someone may have logged in since
            self._challenge = _choose(refusal.challenges(), refusal.url)
            self._realm_base = refusal.url
            header = self._fetch(repository, actions)
            if header == refused:
                raise self.denied(repository, refusal.url, 401, actions)
            self._known[key] = header
            return header

    def denied(
        self, repository: str, url: Url, status: int, actions: str = PULL, note: str = ""
    ) -> AssayError:
        """The finding for a refusal, saying which credentials were used."""
        code = codes.DENIED if actions == PULL else WRITE_DENIED
        with self._lock:
            found = self._find(repository)
            self._credentials.pop(repository, None)  # someone may log in before the next attempt
        if found is not None:
            used = f"the credentials from {found.source} are not accepted"
        else:
            used = f"no credentials were found in {', '.join(self._files.places())}"
        after = f" ({note})" if note else ""
        return AssayError(
            Finding.of(code, detail=f"{url.shown}: the server answers {status}{after}; {used}")
        )

    def _find(self, repository: str) -> Credentials | None:
        with self._lock:
            if repository not in self._credentials:
                self._credentials[repository] = self._files.find(self._registry, repository)
            return self._credentials[repository]

    def _fetch(self, repository: str, actions: str) -> Secret:
        assert self._challenge is not None
        assert self._realm_base is not None
        credentials = self._find(repository)
        if self._challenge.scheme == "basic":
            if credentials is None or credentials.identity_token.reveal():
                raise self.denied(repository, self._realm_base, 401, actions)
            return credentials.basic
        return Secret(b"Bearer " + self._token(repository, actions, credentials))

    def _token(self, repository: str, actions: str, credentials: Credentials | None) -> bytes:
        assert self._challenge is not None
        assert self._realm_base is not None
        realm = self._realm(self._challenge.parameters.get("realm", ""), self._realm_base)
        asked = {"scope": f"repository:{repository}:{actions}"}
        if service := self._challenge.parameters.get("service"):
            asked["service"] = service
        identity = self._identity
        if realm.origin != self._realm_base.origin:
            identity = identity.without_certificate()
        if credentials is not None and credentials.identity_token.reveal():
            asked |= {
                "grant_type": "refresh_token",
                "client_id": "assay",
                "refresh_token": credentials.identity_token.reveal().decode(),
            }
            response = self._http.request(
                realm,
                {"Content-Type": "application/x-www-form-urlencoded"},
                method="POST",
                body=urlencode(asked).encode("ascii"),
                identity=identity,
            )
        else:
            joint = "&" if "?" in realm.target else "?"
            url = Url(realm.scheme, realm.host, realm.port, realm.target + joint + urlencode(asked))
            response = self._http.request(
                url,
                authorization=credentials.basic if credentials is not None else None,
                identity=identity,
            )
        if response.status in (401, 403) or (response.status == 400 and credentials is not None):
            response.discard()
            raise self.denied(repository, response.url, response.status, actions)
        if response.status != 200:
            response.discard()
            raise malformed(response.url, f"the token service answers {response.status}")
        return _token_in(read_body(response, limits.TOKEN_RESPONSE_SIZE), response.url)

    def _realm(self, text: str, base: Url) -> Url:
        if not text:
            raise malformed(base, "the challenge names no realm to fetch a token from")
        try:
            realm = join_url(base, text)
        except ValueError as error:
            raise malformed(base, f"the realm of the challenge is {error}") from error
        if realm.scheme != "https" and (
            base.scheme == "https" or not self._http.allows_plain(realm.host)
        ):
            raise malformed(
                base,
                "the realm of the challenge is without TLS; credentials are not sent there",
                expected="an https URL",
                actual=realm.shown,
            )
        return realm


def _choose(challenges: list[Challenge], url: Url) -> Challenge:
    """Bearer before Basic: it sends the password to the registry's token service only."""
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    offered = ", ".join(sorted({challenge.scheme for challenge in challenges})) or "nothing"
    raise malformed(
        url,
        "401 without a way to authenticate that is known",
        expected="a Bearer or Basic challenge",
        actual=offered,
    )


def _token_in(body: bytes, url: Url) -> bytes:
    try:
        answer: dict[str, Any] = strict_json.parse_object(body, "the token service's answer")
    except AssayError as error:
        raise malformed(url, f"the token service's answer: {error.finding.detail}") from None
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str) or not _TOKEN.match(token):
        raise malformed(url, "the token service's answer holds no usable token")
    return token.encode("ascii")

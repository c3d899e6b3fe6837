"""`https://` a file on a web server; `http://` on this machine, or with --plain-http.

Nothing beside the file is fetched unless it is named. A digest may follow the URL as a fragment,
``https://host/disk.img#sha256:...``, which servers never see; it pins the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct

from assay.model.codes import content as content_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.secret import Secret
from assay.sources.credentials import CredentialFiles
from assay.sources.http.blob import open_remote
from assay.sources.http.client import client_for, identity_from, refuse_offline
from assay.sources.http.faults import refused
from assay.sources.http.response import Response
from assay.sources.http.url import Url, parse_url
from assay.sources.model import OpenedImage, OpenOptions


class HttpSource(Struct, frozen=True):
    """Opens whole URLs; ``name`` is their scheme."""

    name: str

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        url, pinned = parse_name(rest)
        refuse_offline(options, f"{url.shown} is on the network")
        blob = open_remote(_Reader(url, options).fetch, url.shown)
        if blob is None:
            raise AssayError(
                Finding.of(
                    content_codes.NOT_FOUND, detail=f"{url.shown}: the server has no such file"
                )
            )
        return [
            OpenedImage(
                name=rest,
                resolved=f"{url.shown}#{pinned}" if pinned else url.shown,
                root=blob,
                root_key=f"url:{url.shown}",
                pinned=pinned,
                label=label_of(url),
            )
        ]


class _Reader:
    """Asks for one file, with a password once the server has asked for it (RFC 7617)."""

    def __init__(self, url: Url, options: OpenOptions) -> None:
        self._url = url
        self._client = client_for(options)
        self._identity = identity_from(options)
        self._files = CredentialFiles(options.auth_file, os.environ)
        self._authorization: Secret | None = None

    def fetch(self, headers: Mapping[str, str]) -> Response:
        """GET the file. Raises AssayError, also where access is denied."""
        response = self._request(headers)
        if response.status == 401 and self._authorization is None and self._at_home(response):
            response.discard()
            if any(challenge.scheme == "basic" for challenge in response.challenges()):
                self._authorization = self._basic()
                if self._authorization is not None:
                    response = self._request(headers)
        if response.status in (401, 403):
            response.discard()
            raise refused(response.status, response.url, self._note())
        return response

    def _request(self, headers: Mapping[str, str]) -> Response:
        return self._client.request(
            self._url, headers, authorization=self._authorization, identity=self._identity
        )

    def _at_home(self, response: Response) -> bool:
        return response.url.origin == self._url.origin

    def _basic(self) -> Secret | None:
        found = self._files.find(self._url.authority, self._url.target.partition("?")[0].strip("/"))
        return None if found is None or found.identity_token.reveal() else found.basic

    def _note(self) -> str:
        if self._authorization is not None:
            return "the credentials found for it are not accepted"
        return f"no credentials were found in {', '.join(self._files.places())}"


def parse_name(name: str) -> tuple[Url, Digest | None]:
    """The URL and the digest of ``URL[#algorithm:hex]``. Raises UsageError, which quotes nothing
    that may be secret."""
    try:
        url = parse_url(name)
    except ValueError as error:
        raise UsageError(f"the image name is {error}") from error
    fragment = name.partition("#")[2]
    if not fragment:
        return url, None
    try:
        return url, Digest.parse(fragment)
    except ValueError as error:
        raise UsageError(
            f"{url.shown}: what follows # is to be a digest, algorithm:hex: {error}"
        ) from error


def label_of(url: Url) -> str:
    """The file's name: the last part of the path, or the host where there is none."""
    path = url.target.partition("?")[0]
    name = unquote(path).rstrip("/").rpartition("/")[2]
    if not name.isprintable():
        name = path.rstrip("/").rpartition("/")[2]
    return name or url.host


HTTPS = HttpSource("https")
HTTP = HttpSource("http")

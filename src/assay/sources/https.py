"""`https://` a file on a web server; `http://` on this machine, or with --plain-http.

Nothing beside the file is fetched unless it is named. A digest may follow the URL as a fragment,
``https://host/disk.img#sha256:...``, which servers never see; it pins the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct

from assay.model.codes import content as content_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.sources.http.blob import open_remote
from assay.sources.http.client import client_for, identity_from, refuse_offline
from assay.sources.http.response import Response
from assay.sources.http.url import Url, parse_url
from assay.sources.model import OpenedImage, OpenOptions


class HttpSource(Struct, frozen=True):
    """Opens whole URLs; ``name`` is their scheme."""

    name: str

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        url, pinned = parse_name(rest)
        refuse_offline(options, f"{url.shown} is on the network")
        client = client_for(options)
        identity = identity_from(options)

        def fetch(headers: Mapping[str, str]) -> Response:
            return client.request(url, headers, identity=identity)

        blob = open_remote(fetch, url.shown)
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
    path = unquote(url.target.partition("?")[0])
    return path.rstrip("/").rpartition("/")[2] or url.host


HTTPS = HttpSource("https")
HTTP = HttpSource("http")

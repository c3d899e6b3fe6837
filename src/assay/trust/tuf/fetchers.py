"""How python-tuf gets at files: from the repository over our own HTTP, or from the copy alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from assay.model.finding import AssayError
from assay.sources.http.client import client_for, identity_from, read_body
from assay.sources.http.faults import refused
from assay.sources.http.url import parse_url
from assay.sources.model import OpenOptions


class Fetcher(FetcherInterface):
    """Remembers what it was last asked for, for who explains what went wrong. What our own code
    finds leaves as AssayError, unchanged."""

    def __init__(self) -> None:
        self.last_url = ""
        self.last = b""

    def get(self, url: str, limit: int) -> bytes:
        """The file at a URL, of at most ``limit`` bytes. Raises AssayError, DownloadHTTPError."""
        raise NotImplementedError

    def download_bytes(self, url: str, max_length: int) -> bytes:
        self.last_url, self.last = url, b""
        self.last = self.get(url, max_length)
        return self.last

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        yield io.BytesIO(self.download_bytes(url, max_length))

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError("every file has a limit")


class MirrorFetcher(Fetcher):
    """Over the network, as ``options`` say. ``reason`` is why the last file was refused."""

    def __init__(self, options: OpenOptions) -> None:
        super().__init__()
        self._client = client_for(options)
        self._identity = identity_from(options)
        self.reason: AssayError | None = None

    def get(self, url: str, limit: int) -> bytes:
        response = self._client.request(parse_url(url), identity=self._identity)
        if response.status != 200:
            response.discard()
            self.reason = refused(response.status, response.url)
            raise DownloadHTTPError(self.reason.finding.detail, response.status)
        return read_body(response, limit)


class CopyFetcher(Fetcher):
    """Answers from the copy, so that the same rules hold without a network: nothing is newer than
    what is there."""

    def __init__(self, metadata: Path, base: str) -> None:
        super().__init__()
        self._metadata = metadata
        self._base = base

    def get(self, url: str, limit: int) -> bytes:
        # roles that are asked for by version (consistent snapshots) are kept without it
        name = re.sub(r"\A\d+\.", "", url.removeprefix(self._base))
        if url.startswith(self._base) and name != "root.json":
            try:
                return (self._metadata / quote(name, safe="%")).read_bytes()
            except OSError:
                pass
        raise DownloadHTTPError(f"the copy has no {name}", 404)

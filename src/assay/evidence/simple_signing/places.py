"""Where signatures of this kind are kept: numbered files in a directory with the image, or in
lookaside storage, ``BASE/REPOSITORY@ALGORITHM=HEX/signature-N`` (containers-registries.d(5))."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

from assay import limits
from assay.model.codes import attached as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.sources.blobs import read_document
from assay.sources.folder import Folder
from assay.sources.model import OpenOptions

Numbered = Callable[[int], bytes | None]
"""Gives the signature of a number, from 1; None where there is none. Raises AssayError."""


@runtime_checkable
class SignatureFolder(Protocol):
    """A store that is a directory with signatures beside the image's other files."""

    @property
    def folder(self) -> Folder: ...


def all_of(numbered: Numbered) -> Iterator[tuple[str, bytes | AssayError]]:
    """Every signature of a place, until a number is missing; an error ends it as well."""
    for number in range(1, limits.ATTACHED + 2):
        name = f"signature-{number}"
        if number > limits.ATTACHED:
            yield name, AssayError(Finding.of(codes.ATTACHED_TOO_MANY))
            return
        try:
            data = numbered(number)
        except AssayError as error:
            yield name, error
            return
        if data is None:
            return
        yield name, data


def in_folder(folder: Folder, *parts: str) -> Numbered:
    """The signatures of a directory."""

    def read(number: int) -> bytes | None:
        blob = folder.file(*parts, f"signature-{number}")
        return None if blob is None else read_document(blob, limits.SIGNATURE_SIZE, "signature")

    return read


def lookaside(base: str, repository: str, digest: Digest, options: OpenOptions) -> Numbered:
    """The signatures of an image in lookaside storage. ``base`` is a directory, a ``file:`` or an
    ``http(s):`` URL; ``repository`` is without the registry. Raises UsageError."""
    place = f"{repository}@{digest.algorithm}={digest.hex}"
    scheme, colon, rest = base.partition("://")
    if colon and scheme in ("http", "https"):
        return _served(f"{base.rstrip('/')}/{place}", options)
    if colon and scheme != "file":
        raise UsageError(f"--lookaside {base}: a directory, file:, http: or https: is expected")
    path = Path(unquote(rest) if colon else base)
    if not path.is_dir():
        raise UsageError(f"--lookaside {base}: no such directory")
    return in_folder(Folder(path), *place.split("/"))


def may_be_there(base: str) -> bool:
    """Whether lookaside storage that configuration names may have something in it: a directory that
    is not there is one that nobody has signed into yet."""
    scheme, colon, rest = base.partition("://")
    if not colon:
        raise UsageError(f"lookaside {base}: file:, http: or https: is expected")
    return scheme != "file" or Path(unquote(rest)).is_dir()


def _served(address: str, options: OpenOptions) -> Numbered:
    from assay.sources.http.client import client_for, identity_from, read_body, refuse_offline
    from assay.sources.http.faults import refused
    from assay.sources.http.url import parse_url

    def read(number: int) -> bytes | None:
        refuse_offline(options, f"signatures at {address} are on the network")
        try:
            url = parse_url(f"{address}/signature-{number}")
        except ValueError as error:
            raise UsageError(f"--lookaside: the URL is {error}") from error
        response = client_for(options).request(url, {}, identity=identity_from(options))
        if response.status in (404, 410):
            response.discard()
            return None
        if response.status != 200:
            response.discard()
            raise refused(response.status, response.url)
        return read_body(response, limits.SIGNATURE_SIZE)

    return read

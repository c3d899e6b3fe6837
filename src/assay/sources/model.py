"""What opening an image by name gives."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from assay.model.digest import Digest
from assay.model.finding import Finding
from assay.model.reading import Blob, BlobStore
from assay.model.selection import Selection


class OpenOptions(Struct, frozen=True):
    """How images may be reached. See the command line's options of the same names. ``lookaside``
    are the places with signatures of images in registries, ``registries_d`` a directory with
    configuration that names such places, ``signature_repositories`` other
    repositories that hold them; ``known_as`` is the name that an image
    is used by, where that is not the one it is opened by; ``keep_facts`` lets what is measured of
    blobs in registries be kept, and serve the next time (`assay.kept`)."""

    offline: bool = False
    platform: str = ""
    plain_http: bool = False
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    auth_file: str = ""
    timeout: float = 30.0
    lookaside: tuple[str, ...] = ()
    signature_repositories: tuple[str, ...] = ()
    registries_d: str = ""
    known_as: str = ""
    keep_facts: bool = False


class Listing(Struct, frozen=True):
    """A document beside an image that names it, such as a layout's index.json. ``claims`` are
    what it says of the image's first document: the field, the digest, the size."""

    name: str
    data: bytes
    claims: tuple[tuple[str, Digest, int], ...]


class OpenedImage(Struct):
    """An image that was found: where its first bytes are, and where its other blobs may be.

    ``name`` is the name as given, ``resolved`` one that cannot move any more (with a digest or
    the path). ``root`` is the first document or the file itself; ``root_key`` its blob key.
    ``media_type`` is what the transport says of the root (a hint, not believed). ``pinned`` is
    a digest that the name itself carried: an anchor, since the user typed it. ``label`` is the
    base name for matching checksum lines and finding sidecar files beside ``folder``.
    ``forced_type`` is the format that a transport stands for, and ``selection`` which image is
    meant of those in it. ``listing`` is the document that names the image.
    """

    name: str
    resolved: str
    root: Blob
    root_key: str
    store: BlobStore | None = None
    media_type: str = ""
    pinned: Digest | None = None
    label: str = ""
    folder: str = ""
    findings: list[Finding] = []
    forced_type: str = ""
    selection: Selection = Selection()
    listing: Listing | None = None


class Source(Protocol):
    """Knows one transport."""

    @property
    def name(self) -> str: ...

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        """Open what follows the transport's prefix in an image name; several images where the
        name stands for several. Raises AssayError when it cannot be had, UsageError when the
        name makes no sense."""
        ...

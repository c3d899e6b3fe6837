"""What a format or an evidence reader reports about bytes, and how it reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct, field

from assay.model.claim import Claim
from assay.model.component import Component, Extent
from assay.model.finding import Finding
from assay.model.measurement import Request
from assay.model.selection import Selection
from assay.model.signature import PreparedSignature
from assay.model.statement import FoundStatement
from assay.model.verdict import NotChecked


class Blob(Protocol):
    """A stretch of stored bytes.

    ``size`` is None while unknown (a pipe). All methods raise AssayError when the bytes can not
    be had (unreachable, unreadable, changed under our hands).
    """

    @property
    def size(self) -> int | None: ...

    @property
    def seekable(self) -> bool:
        """Whether `read_at` works anywhere, as often as wanted."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end."""
        ...

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        """All bytes from the start, in pieces of at most ``chunk_size``. A piece is only valid
        until the next one is asked for."""
        ...


class BlobStore(Protocol):
    """Where the other blobs of an image are found: a registry, an OCI layout, a docker archive.

    One that answers without a network may say so with an attribute ``near``, which is True.
    """

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """The blob stored under this name (a digest ``algorithm:hex``, or a path in stores that
        know paths), or None when the store does not hold it. Raises AssayError when the store
        cannot tell. ``size`` and ``media_type`` are what the referring document claims; a store
        may need them to ask for the blob, and believes neither."""
        ...


@runtime_checkable
class Catalogue(Protocol):
    """A `BlobStore` that can also list what it holds at its top, beside the image that is read
    from it: other images, signatures, artifacts that refer to an image."""

    def entries(self) -> Sequence[dict[str, Any]]:
        """The descriptors, as they stand in the store's index. Nothing in them is believed."""
        ...


@runtime_checkable
class PlacedStore(Protocol):
    """A `BlobStore` whose blobs lie within a component that is there already (an archive)."""

    def extent(self, name: str) -> Extent | None:
        """Where the bytes of the blob of this name are; None for one with bytes of its own."""
        ...


class Options(Struct, frozen=True):
    """What the user asked of the formats. ``platform`` is ``os/architecture[/variant]`` or empty
    for all; ``files`` asks for a digest of every file in a layer; ``forced_type`` is a format's
    name, empty to detect; ``selection`` is which image of an archive is meant. ``boot_phases`` are
    paths of phases that PCR 11 is computed after, beside the usual ones. ``kernel`` is the
    release of the kernel that is to load the modules, empty where that is not known. ``closely``
    asks for what takes decompressing to know: the keys in a kernel, the parts of a RAM disk."""

    platform: str = ""
    files: bool = False
    forced_type: str = ""
    selection: Selection = Selection()
    boot_phases: tuple[tuple[str, ...], ...] = ()
    kernel: str = ""
    closely: bool = False


class Site(Struct, frozen=True):
    """Where a format reads: the component, the blob or view with its bytes, and what is near.

    ``component`` is the id and the extent of the bytes to read; formats name their children
    below ``prefix`` (empty at the top).
    """

    component: Component
    blob: Blob
    store: BlobStore | None
    options: Options
    prefix: str = ""
    media_type: str = ""

    def child(self, name: str) -> str:
        """The id for a child component called ``name``."""
        return f"{self.prefix}/{name}" if self.prefix else name


class Reading(Struct):
    """What was read. A reader fills one of these and trusts nothing in it.

    ``blobs`` maps blob keys (of `Stored` extents) to their bytes; ``targets`` are the components
    that stand for the image as a whole; ``roots`` are those, beside the first component, that a
    digest given by the user may be of (an image within an archive); ``requests`` asks for
    measurements beyond those that claims need; ``statements`` are documents among the components
    whose content rules may ask about; ``explore`` names components (with a view of their
    bytes) in which further formats may be looked for; ``connect`` are called with all that was
    read, once everything within the image was, to relate parts that formats cannot see from where
    they are, and may raise AssayError; ``store`` is one that was found within the
    bytes (an archive's). ``untrusted_labels``, ``untrusted_annotations`` and
    ``untrusted_platforms`` are what images say of themselves, by the component (a configuration, a
    manifest) that says it.
    """

    components: list[Component] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    signatures: list[PreparedSignature] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blobs: dict[str, Blob] = field(default_factory=dict)
    requests: list[tuple[str, Request]] = field(default_factory=list)
    statements: list[FoundStatement] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)
    explore: list[tuple[str, Blob]] = field(default_factory=list)
    connect: list[Callable[[Reading], None]] = field(default_factory=list)
    untrusted_labels: dict[str, dict[str, str]] = field(default_factory=dict)
    untrusted_annotations: dict[str, dict[str, str]] = field(default_factory=dict)
    untrusted_platforms: dict[str, str] = field(default_factory=dict)
    store: BlobStore | None = None

    def absorb(self, other: Reading) -> None:
        """Add everything in ``other`` except its targets, roots and store, which are the caller's
        to choose."""
        self.components += other.components
        self.claims += other.claims
        self.signatures += other.signatures
        self.findings += other.findings
        self.blobs.update(other.blobs)
        self.requests += other.requests
        self.statements += other.statements
        self.not_checked += other.not_checked
        self.explore += other.explore
        self.connect += other.connect
        self.untrusted_labels |= other.untrusted_labels
        self.untrusted_annotations |= other.untrusted_annotations
        self.untrusted_platforms |= other.untrusted_platforms


class Format(Protocol):
    """Knows one image format: its bytes, and nothing of trust."""

    @property
    def name(self) -> str: ...

    def recognise(self, site: Site) -> bool:
        """Whether these bytes are of this format, by content alone. Cheap; raises nothing."""
        ...

    def read(self, site: Site) -> Reading:
        """Report components, claims, embedded signatures, and what is odd (as findings).
        Total: malformed input gives findings, or an AssayError where nothing can be read."""
        ...

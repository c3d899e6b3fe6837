"""The two sides of a comparison: images or baselines, as parts that can be matched."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.evidence import baseline_document
from assay.evidence.baseline_document import Baseline
from assay.evidence.document import signed_block
from assay.evidence.intoto import PAYLOAD_TYPE
from assay.model.component import Component, Derived, Slice, Stored
from assay.model.digest import ALGORITHMS, Digest
from assay.model.finding import AssayError
from assay.model.measurement import ChunkRequest, Facts
from assay.model.reading import Blob
from assay.pipeline import Gathered
from assay.sources.blobs import SliceBlob


class Part(Struct, frozen=True):
    """One component. ``claimed`` is the digest that the image itself says it has, before anything
    is measured; ``chunks`` what a baseline knows of it; ``transform`` how a view is computed."""

    id: str
    kind: str
    parent: str
    size: int | None = None
    digests: tuple[Digest, ...] = ()
    claimed: Digest | None = None
    chunks: tuple[ChunkRequest, bytes] | None = None
    transform: str = ""
    stored: bool = False

    def same_as(self, other: Part) -> bool | None:
        """Whether both have the same bytes; None where nothing common is known of them."""
        mine = {digest.algorithm: digest for digest in self.digests if digest.binding}
        theirs = {digest.algorithm: digest for digest in other.digests if digest.binding}
        common = mine.keys() & theirs.keys()
        if not common:
            return None
        return all(mine[name] == theirs[name] for name in common)


def open_baseline(name: str) -> Baseline | None:
    """The baseline in a file of this name; None when it is something else. A signature around it
    is passed over: a comparison trusts neither side. Raises AssayError where it is a baseline and
    cannot be read as one."""
    path = Path(name)
    try:
        if name == "-" or not path.is_file() or path.stat().st_size > limits.DOCUMENT_SIZE:
            return None
        with path.open("rb") as file:
            head = file.read(limits.DETECT_HEAD)
            if not head.lstrip().startswith((b"{", b"-----BEGIN ", b"untrusted comment")):
                return None
            data = head + file.read()
    except (OSError, ValueError):
        return None
    try:
        block = signed_block(data, name, name)
    except AssayError:
        return None
    if block is not None:
        if block.media_type not in ("", PAYLOAD_TYPE):
            return None
        data = block.content
    if baseline_document.PREDICATE_TYPE.encode() not in data:
        return None
    return baseline_document.parse(data, name)


def parts_of_baseline(baseline: Baseline) -> dict[str, Part]:
    """What a baseline knows. Parents are told from ids."""
    return {
        part.id: Part(
            id=part.id,
            kind=part.kind,
            parent=part.id.removesuffix("/content") if part.id.endswith("/content") else "",
            size=part.size,
            digests=part.digests,
            chunks=(part.chunks.request, part.chunks.values) if part.chunks else None,
        )
        for part in baseline.parts
    }


def parts_of_image(gathered: Gathered, facts: Facts | None = None) -> dict[str, Part]:
    """The components of an image; with their digests once they are measured."""
    claimed: dict[str, Digest] = {}
    for claim in gathered.reading.claims:
        digest = getattr(claim.expected, "digest", None)
        if isinstance(digest, Digest) and digest.binding:
            claimed.setdefault(claim.subject, digest)
    return {
        component.id: Part(
            id=component.id,
            kind=component.kind,
            parent=component.parent,
            size=facts.sizes.get(component.id) if facts else component.size,
            digests=_measured(component.id, facts) if facts else (),
            claimed=claimed.get(component.id),
            transform=component.extent.transform if isinstance(component.extent, Derived) else "",
            stored=isinstance(component.extent, Stored),
        )
        for component in gathered.reading.components
        if not component.external
    }


def _measured(component: str, facts: Facts) -> tuple[Digest, ...]:
    found = ((name, facts.hash(component, name)) for name in ALGORITHMS)
    return tuple(Digest(name, value) for name, value in found if value is not None)


def blob_of(gathered: Gathered, component: str) -> Blob | None:
    """The bytes of a component as they are stored; None for a view that has to be computed."""
    found: Component = gathered.components[component]
    if isinstance(found.extent, Stored):
        return gathered.blobs.get(found.extent.blob)
    if isinstance(found.extent, Slice):
        outer = blob_of(gathered, found.extent.of)
        return SliceBlob(outer, found.extent.spans) if outer is not None else None
    return None


def is_near(gathered: Gathered, component: str) -> bool:
    """Whether reading its bytes again costs little: a file here, or memory."""
    extent = gathered.components[component].extent
    while not isinstance(extent, Stored):
        extent = gathered.components[extent.of].extent
    return hasattr(gathered.blobs.get(extent.blob), "stream_into")

"""Components: named stretches of an image's bytes, and views derived from them."""

from __future__ import annotations

from msgspec import Struct

from assay.model.spans import Span

BASELINE = "baseline"
"""The kind of an outside document that holds reference values of an image."""


class Stored(Struct, frozen=True, tag="stored"):
    """Bytes of their own: a file, or a blob of a registry. ``blob`` is the key of the bytes;
    components with the same key share them, and they count once in coverage."""

    blob: str


class Slice(Struct, frozen=True, tag="slice"):
    """The concatenation, in order, of byte ranges of another component."""

    of: str
    spans: tuple[Span, ...]


class Derived(Struct, frozen=True, tag="derived"):
    """Bytes computed from another component: a decompressed stream, a virtual disk.

    The transform must read all of ``spans`` of ``of`` (the whole when None), so that whoever
    vouches for the outcome vouches for these bytes too.
    """

    of: str
    transform: str
    spans: tuple[Span, ...] | None = None


Extent = Stored | Slice | Derived


class Component(Struct, frozen=True):
    """One named part of an image, or an outside document (``external``) that speaks of it.

    ``id`` is a path such as ``linux/amd64/layer[2]/content``, unique in its image. ``parent`` is
    the id of the component above it in the tree that people see (empty for the top). ``size`` is
    in bytes, None until measured. ``excluded`` lists ranges that a scheme leaves out by
    definition (the bytes of an embedded signature, a PE checksum).
    """

    id: str
    kind: str
    extent: Extent
    parent: str = ""
    size: int | None = None
    media_type: str = ""
    description: str = ""
    labels: dict[str, str] = {}
    excluded: tuple[Span, ...] = ()
    external: bool = False

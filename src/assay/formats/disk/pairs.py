"""Partitions that belong to one root hash (UAPI.2, "Verity"): the first half of it is the UUID of
the data, the last half that of the tree."""

from __future__ import annotations

from collections.abc import Iterable

from assay.formats.disk.types import DATA, TREE
from assay.model.component import Component, Slice
from assay.model.reading import Blob
from assay.sources.blobs import SliceBlob

_HALF = 16


def is_half_of(component: Component, root: bytes) -> bool:
    """Whether a partition has the UUID that its part in a verified file system gives it."""
    half = root[:_HALF] if component.labels.get("role") == DATA else root[-_HALF:]
    return component.labels.get("uuid") == half.hex() and len(root) >= 2 * _HALF


def find_pair(components: Iterable[Component], root: bytes) -> tuple[Component, Component] | None:
    """The partition with the data and the one with the tree that a root hash names by their UUIDs;
    None where there are not exactly one of each that belong together."""
    named = [found for found in components if "role" in found.labels and is_half_of(found, root)]
    data = [found for found in named if found.labels["role"] == DATA]
    trees = [found for found in named if found.labels["role"] == TREE]
    if len(data) != 1 or len(trees) != 1:
        return None
    same = data[0].labels["system"] == trees[0].labels["system"]
    return (data[0], trees[0]) if same and data[0].parent == trees[0].parent else None


def view_of(disk: Blob, partition: Component) -> Blob:
    """The bytes of a partition of this disk."""
    assert isinstance(partition.extent, Slice)
    return SliceBlob(disk, partition.extent.spans)

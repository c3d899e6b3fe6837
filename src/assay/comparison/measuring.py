"""Measures two images together: bytes that both have in one place are read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from assay.measure.engine import measure
from assay.model.component import Component, Stored
from assay.model.measurement import Facts, Request
from assay.model.reading import Blob
from assay.pipeline import Gathered

Wanted = list[tuple[str, Request]]
_SIDES = ("a ", "b ")


def measure_together(
    sides: Sequence[tuple[Gathered, Wanted]], progress: Callable[[int], object] | None
) -> list[Facts]:
    """The facts of each side. ``sides`` are one or two images with what is wanted of them."""
    components: dict[str, Component] = {}
    blobs: dict[str, Blob] = {}
    requests: Wanted = []
    first = _place(sides[0][0])
    for mark, (gathered, wanted) in zip(_SIDES, sides, strict=False):
        shared = _place(gathered) == first
        keys = {key: f"{'' if shared else mark}{key}" for key in gathered.blobs}
        for key, blob in gathered.blobs.items():
            blobs.setdefault(keys[key], blob)
        for component in gathered.components.values():
            components[mark + component.id] = _marked(component, mark, keys)
        requests += [(mark + component, request) for component, request in wanted]
    together = measure(components, blobs, requests, progress=progress)
    return [_of_side(together, mark) for mark, _ in zip(_SIDES, sides, strict=False)]


def _place(gathered: Gathered) -> str:
    """Where an image's blobs are: two images from the same place name them alike."""
    image = gathered.image
    return image.resolved.rpartition("@")[0] if image.store is not None else image.resolved


def _marked(component: Component, mark: str, keys: dict[str, str]) -> Component:
    extent = component.extent
    if isinstance(extent, Stored):
        # a blob that could not be had has no key
        moved: object = Stored(keys.get(extent.blob, mark + extent.blob))
    else:
        moved = replace(extent, of=mark + extent.of)
    return replace(component, id=mark + component.id, extent=moved)


def _of_side(facts: Facts, mark: str) -> Facts:
    skip = len(mark)
    return Facts(
        sizes={name[skip:]: size for name, size in facts.sizes.items() if name.startswith(mark)},
        answers={
            (name[skip:], request): answer
            for (name, request), answer in facts.answers.items()
            if name.startswith(mark)
        },
        faults={
            name[skip:]: list(found)
            for name, found in facts.faults.items()
            if name.startswith(mark)
        },
    )

"""Byte spaces: which stored bytes a component stands for.

Stored blobs have a space each, and so has each derived stream. A slice has none: its bytes are
those of what it is cut from. So two names for the same bytes always agree on their state.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.model.component import Component, Derived, Stored
from assay.model.spans import SpanSet

Space = tuple[str, str]
"""("blob", key) or ("derived", key)."""


class Link:
    """A derived space, and the bytes of another space that it is computed from."""

    def __init__(self, derived: Space, source: Space, spans: SpanSet) -> None:
        self.derived = derived
        self.source = source
        self.spans = spans


class Spaces:
    """Resolves components of one image to byte spaces. ``sizes`` are the measured ones."""

    def __init__(self, components: Mapping[str, Component], sizes: Mapping[str, int]) -> None:
        self._components = components
        self._sizes = sizes
        self._of: dict[str, tuple[Space, SpanSet] | None] = {}
        self.sizes: dict[Space, int] = {}
        self.links: dict[Space, Link] = {}
        for component_id in components:
            self.footprint(component_id)

    def footprint(self, component_id: str) -> tuple[Space, SpanSet] | None:
        """The space and the bytes in it that the component stands for; None when its size is
        not known (it could not be read, or there is no such component)."""
        if component_id not in self._components:
            return None
        if component_id not in self._of:
            self._of[component_id] = None
            self._of[component_id] = self._resolve(self._components[component_id])
        return self._of[component_id]

    def translate(self, component_id: str, spans: SpanSet) -> tuple[Space, SpanSet] | None:
        """Byte ranges of a component as ranges in its space."""
        component = self._components[component_id]
        extent = component.extent
        while not isinstance(extent, Stored | Derived):
            spans = spans.within(extent.spans)
            component = self._components[extent.of]
            extent = component.extent
        found = self.footprint(component.id)
        return (found[0], spans) if found else None

    def view(self, component_id: str, spans: SpanSet) -> SpanSet:
        """The reverse of `translate`: ranges of the space as ranges of the component."""
        extent = self._components[component_id].extent
        if isinstance(extent, Stored | Derived):
            return spans
        return self.view(extent.of, spans).seen_through(extent.spans)

    def _resolve(self, component: Component) -> tuple[Space, SpanSet] | None:
        extent = component.extent
        if isinstance(extent, Stored):
            space = ("blob", extent.blob)
            size = self._sizes.get(component.id)
            if size is None:
                known = self.sizes.get(space)
                return (space, SpanSet.whole(known)) if known is not None else None
            self.sizes[space] = size
            return space, SpanSet.whole(size)
        if isinstance(extent, Derived):
            source = self.footprint(extent.of)
            size = self._sizes.get(component.id)
            if source is None or size is None:
                return None
            spans = source[1]
            if extent.spans is not None:
                part = self.translate(extent.of, SpanSet(extent.spans))
                spans = part[1] if part else spans
            space = ("derived", f"{source[0][1]}|{extent.transform}|{extent.spans}")
            self.sizes[space] = size
            self.links[space] = Link(space, source[0], spans)
            return space, SpanSet.whole(size)
        outer = self.footprint(extent.of)
        if outer is None:
            return None
        return self.translate(extent.of, SpanSet(extent.spans))

"""A raw file: bytes without any structure that Assay looks into."""

from __future__ import annotations

from assay.model.component import Component
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site


class RawFormat:
    """The fallback: recognised only when asked for, or when nothing else is."""

    name = "raw"

    def recognise(self, site: Site) -> bool:
        return False

    def read(self, site: Site) -> Reading:
        component = site.component
        if not component.id:
            component = Component("file", "file", component.extent, size=site.blob.size)
        return Reading(
            components=[component],
            targets=[component.id],
            requests=[(component.id, HashRequest("sha256"))],
        )


FORMAT = RawFormat()

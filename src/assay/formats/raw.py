"""A raw file: bytes without any structure that Assay looks into."""

from __future__ import annotations

from assay.formats.polyglot import polyglot_request
from assay.model.component import Component
from assay.model.measurement import HashRequest, Request
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
        requests: list[tuple[str, Request]] = [(component.id, HashRequest("sha256"))]
        if not site.options.forced_type:
            requests.append((component.id, polyglot_request()))
        return Reading(components=[component], targets=[component.id], requests=requests)


FORMAT = RawFormat()

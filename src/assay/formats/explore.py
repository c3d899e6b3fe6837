"""Reads an image and the images within it: a disk holds partitions, which hold files ..."""

from __future__ import annotations

from collections import deque

import msgspec

from assay import limits
from assay.formats.detect import detect
from assay.model.codes import content as codes
from assay.model.component import Stored
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob, Reading, Site
from assay.model.verdict import NotChecked


def read_image(site: Site) -> tuple[str, Reading]:
    """The name of the format of the bytes at ``site``, and all that they and the images within
    them say. Components that a format names for exploring, and that no format recognises, stay
    as they are.

    Raises AssayError when not even the outermost bytes can be read as what they are.
    """
    format_, ambiguity = detect(site)
    copied: list[Finding] = []
    if not site.blob.seekable and format_.name != "raw":
        site, note = _spooled(site)
        copied.append(note)
        format_, ambiguity = detect(site)
    reading = format_.read(site)
    reading.findings[:0] = copied + ambiguity
    if copied and isinstance(site.component.extent, Stored):
        reading.blobs[site.component.extent.blob] = site.blob
    pending: deque[tuple[str, Blob, int]] = deque(
        (component, blob, 1) for component, blob in reading.explore
    )
    reading.explore.clear()
    while pending:
        component_id, blob, depth = pending.popleft()
        if depth > limits.NESTING or len(reading.components) > limits.COMPONENTS:
            reading.findings.append(
                Finding.of(
                    codes.LIMIT_EXCEEDED,
                    component_id,
                    f"{len(reading.components)} components, {depth} formats deep",
                    expected=f"at most {limits.COMPONENTS} components, {limits.NESTING} deep",
                )
            )
            reading.not_checked.append(NotChecked(component_id, "beyond a limit", blob.size))
            continue
        inner = _read_within(site, component_id, blob, reading)
        pending.extend((found, view, depth + 1) for found, view in inner.explore)
        inner.explore.clear()
        reading.absorb(inner)
    return format_.name, reading


def _spooled(site: Site) -> tuple[Site, Finding]:
    """The site with a copy of its bytes that can be read anywhere."""
    from assay.sources.spool import spool

    copy, note = spool(site.blob)
    size = copy.size
    component = msgspec.structs.replace(site.component, size=size)
    return msgspec.structs.replace(site, blob=copy, component=component), note


def _read_within(outer: Site, component_id: str, blob: Blob, reading: Reading) -> Reading:
    component = next(item for item in reading.components if item.id == component_id)
    site = Site(
        component,
        blob,
        store=None,
        options=msgspec.structs.replace(outer.options, forced_type=""),
        prefix=component_id,
    )
    try:
        format_, ambiguity = detect(site)
        if format_.name == "raw":
            return Reading(findings=ambiguity)
        inner = format_.read(site)
    except AssayError as error:
        return Reading(findings=[msgspec.structs.replace(error.finding, component=component_id)])
    inner.findings[:0] = ambiguity
    # the component itself is known already; what its format adds are its children
    inner.components = [item for item in inner.components if item.id != component_id]
    return inner

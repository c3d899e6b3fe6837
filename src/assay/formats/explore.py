"""Reads an image and the images within it: a disk holds partitions, which hold files ..."""

from __future__ import annotations

from collections import deque

import msgspec

from assay import limits
from assay.formats.detect import detect
from assay.model.codes import content as codes
from assay.model.component import Component, Stored
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
    replaced: dict[str, list[str]] = {}
    targets = set(reading.targets)
    places = {component.id: place for place, component in enumerate(reading.components)}
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
        place = places[component_id]
        inner = _read_within(site, reading.components[place], blob)
        pending.extend((found, view, depth + 1) for found, view in inner.explore)
        inner.explore.clear()
        added: list[Component] = []
        for component in inner.components:
            if component.id == component_id:
                reading.components[place] = _known_better(reading.components[place], component)
            else:
                places[component.id] = len(reading.components) + len(added)
                added.append(component)
        inner.components = added
        if component_id in targets and inner.targets:
            # who signs a program vouches for what its format says, not for the signature as well
            replaced[component_id] = inner.targets
        reading.absorb(inner)
    reading.targets = [new for old in reading.targets for new in replaced.get(old, [old])]
    for connect in reading.connect:
        try:
            connect(reading)
        except AssayError as error:
            reading.findings.append(error.finding)
    reading.connect.clear()
    return format_.name, reading


def _spooled(site: Site) -> tuple[Site, Finding]:
    """The site with a copy of its bytes that can be read anywhere."""
    from assay.sources.spool import spool

    copy, note = spool(site.blob)
    size = copy.size
    component = msgspec.structs.replace(site.component, size=size)
    return msgspec.structs.replace(site, blob=copy, component=component), note


def _read_within(outer: Site, component: Component, blob: Blob) -> Reading:
    site = Site(
        component,
        blob,
        store=None,
        options=msgspec.structs.replace(outer.options, forced_type=""),
        prefix=component.id,
    )
    try:
        format_, ambiguity = detect(site)
        if format_.name == "raw":
            return Reading(findings=ambiguity)
        inner = format_.read(site)
    except AssayError as error:
        return Reading(findings=[msgspec.structs.replace(error.finding, component=component.id)])
    inner.findings[:0] = ambiguity
    return inner


def _known_better(known: Component, read: Component) -> Component:
    """A component, with what the format of its bytes says of it."""
    return msgspec.structs.replace(
        known,
        kind=read.kind,
        description=read.description or known.description,
        labels=known.labels | read.labels,
        excluded=read.excluded,
    )

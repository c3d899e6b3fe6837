"""The sections of a PE program as components: how they are called, and what is shown of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from assay import limits
from assay.formats.pe.headers import Headers, Section
from assay.formats.unchanged import unchanged_request
from assay.model.component import Component, Slice
from assay.model.finding import AssayError
from assay.model.reading import Blob, Reading, Site
from assay.sources.blobs import SliceBlob
from assay.uefi import sbat
from assay.uefi.vendor_certificates import SECTION as VENDOR_CERTIFICATES

SECTION = "section"
"""The label with the name of a section, as the headers have it."""
SBAT = "sbat"
"""The label with the components and generations of ``.sbat``, separated by spaces."""

_PLAIN = re.compile(r"[A-Za-z._$][\w.$-]*", re.ASCII)


def section_names(sections: Sequence[Section]) -> list[str]:
    """What each section is called: by its name, ``section[.text]``; one of a name that is taken
    has a number behind it, and one whose name is no name has its number alone."""
    found: list[str] = []
    for number, section in enumerate(sections):
        name = section.name if _PLAIN.fullmatch(section.name) else str(number)
        times = sum(1 for each in sections[:number] if each.name == section.name)
        found.append(f"section[{name}:{times + 1}]" if times else f"section[{name}]")
    return found


def content_span(section: Section) -> tuple[int, int]:
    """The bytes in the file that a section has in memory: files fill up what is behind. Old linkers
    leave the size in memory open."""
    start, end = section.span
    return start, min(end, start + (section.virtual_size or end - start))


def add_sections(site: Site, whole: str, headers: Headers, names: list[str], to: Reading) -> None:
    """Add the sections that are in the file, with what they say of themselves."""
    for section, name in zip(headers.sections, names, strict=True):
        start, end = content_span(section)
        if not start < end <= (site.blob.size or 0):
            continue
        part = Component(
            site.child(name),
            "pe-section",
            Slice(whole, ((start, end),)),
            parent=whole,
            size=end - start,
            labels={SECTION: section.name},
        )
        try:
            part = _told(site, part, section, to)
        except AssayError as error:
            to.findings.append(error.finding)
        to.components.append(part)
        if section.name == VENDOR_CERTIFICATES:
            to.explore.append((part.id, SliceBlob(site.blob, ((start, end),))))


def _told(site: Site, part: Component, section: Section, to: Reading) -> Component:
    """A section whose content is for programs like this one, with that content."""
    if section.name == ".sbat":
        data = _content(site.blob, section, part.id, to)
        rows = sbat.parse_section(data, part.id)
        shown = ", ".join(f"{row.name} {row.generation}" for row in rows)
        more = {"name": shown, SBAT: " ".join(map(str, rows))}
    elif section.name == ".sbatlevel":
        data = _content(site.blob, section, part.id, to)
        levels = sbat.parse_shim_levels(data, part.id)
        more = {"name": ", ".join(f"{level.source} {level}" for level in levels)}
    else:
        more = {} if section.name in part.id else {"name": section.name}
    return replace(part, labels={**part.labels, **more})


def _content(blob: Blob, section: Section, part: str, to: Reading) -> bytes:
    """The content of a section of SBAT data, that is compared with what is measured."""
    start, end = content_span(section)
    data = blob.read_at(start, min(end - start, limits.SBAT_SIZE + 1))
    if len(data) == end - start:
        to.requests.append((part, unchanged_request(data)))
    return data

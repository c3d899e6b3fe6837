"""An initial RAM disk as components: its archives, and on closer look the files in them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay.formats.linux.initrd_files import Recorded, is_recording, recording
from assay.formats.polyglot import polyglot_request
from assay.linux.initrd import Part, read_parts
from assay.model.component import Component, Derived, Slice
from assay.model.files import FileEntry, FileIndex
from assay.model.finding import AssayError
from assay.model.measurement import Facts, HashRequest
from assay.model.reading import Reading, Site

KIND = "initrd"
_ARCHIVE = "cpio-archive"


def read_initrd(site: Site) -> Reading:
    """The RAM disk at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", KIND, whole.extent, size=site.blob.size)
    reading = Reading(components=[replace(whole, kind=KIND)], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    closely = site.options.closely or site.options.files
    try:
        for number, part in enumerate(
            read_parts(site.blob.read_at, site.blob.size or 0, closely=closely)
        ):
            _add_part(site, whole.id, f"part[{number}]", part, reading)
    except AssayError as error:
        found = error.finding
        reading.findings.append(found if found.component else replace(found, component=whole.id))
    return reading


def _add_part(site: Site, whole: str, name: str, part: Part, reading: Reading) -> None:
    start, end = part.span
    said = "" if part.files is None else f"{part.files} files"
    outer = Component(
        site.child(name),
        "compressed-archive" if part.transform else _ARCHIVE,
        Slice(whole, (part.span,)),
        parent=whole,
        size=end - start,
        labels={"name": part.transform or said},
    )
    reading.components.append(outer)
    inner = outer.id
    if part.transform and part.files is not None:
        inner = f"{outer.id}/content"
        reading.components.append(
            Component(
                inner,
                _ARCHIVE,
                Derived(outer.id, part.transform),
                parent=outer.id,
                labels={"name": said},
            )
        )
        reading.requests.append((inner, HashRequest("sha256")))
    if site.options.files:
        reading.requests.append((inner, recording()))


def file_indexes(reading: Reading, facts: Facts) -> Iterator[FileIndex]:
    """The files of each initial RAM disk that was read with ``Options.files``, as the kernel would
    have them in the end: of several files with one name it is the last one that counts."""
    components = {component.id: component for component in reading.components}
    found: dict[str, dict[str, FileEntry]] = {}
    complete: dict[str, bool] = {}
    for place, request in reading.requests:
        if not is_recording(request):
            continue
        disk = components[place]
        while disk.kind != KIND and disk.parent:
            disk = components[disk.parent]
        files = found.setdefault(disk.id, {})
        answer: Recorded | None = facts.answers.get((place, request))
        complete[disk.id] = complete.get(disk.id, True) and answer is not None
        for entry in answer.files(place) if answer is not None else ():
            files[entry.path] = entry
    for disk_id, by_path in found.items():
        every = tuple(by_path[path] for path in sorted(by_path))
        yield FileIndex(disk_id, every, complete=complete[disk_id])

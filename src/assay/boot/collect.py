"""The programs in an image: a file, a directory (an EFI system partition that is mounted, or a
copy), or whatever a format reads down to its files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.boot.programs import Program, is_program, read_program
from assay.formats.explore import read_image
from assay.model.boot import Role
from assay.model.codes.boot import BOOT_PROGRAM_UNREADABLE
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Component, Slice, Stored
from assay.model.finding import AssayError, Finding, Severity
from assay.model.reading import Blob, Options, Reading, Site
from assay.sources.blobs import SliceBlob
from assay.sources.files import open_path
from assay.sources.model import OpenOptions
from assay.sources.open import open_images

_PROGRAMS = "pe"


class Collected(Struct):
    """What was found. ``findings`` are about the image, not about a program in it."""

    programs: list[Program]
    findings: list[Finding]


def collect(name: str, options: OpenOptions) -> Collected:
    """The programs in an image of this name. Raises UsageError, and AssayError where the image
    cannot be read at all."""
    if Path(name).is_dir():
        found = Collected([], [])
        found.programs += _in_directory(Path(name), found.findings)
        return found
    programs: list[Program] = []
    findings: list[Finding] = []
    for image in open_images(name, options):
        top = Component("", "file", Stored(image.root_key), size=image.root.size)
        site = Site(top, image.root, image.store, Options())
        if is_program(image.root):
            programs.append(read_program(image.label or name, image.root))
            continue
        _, reading = read_image(site)
        reading.blobs.setdefault(image.root_key, image.root)
        programs += _in_reading(reading)
        inside = tuple(f"{each.id}/" for each in programs) + tuple(each.id for each in programs)
        findings += [
            each
            for each in reading.findings
            if each.severity is Severity.ERROR and not each.component.startswith(inside)
        ]
    return Collected(programs, findings)


def _in_directory(folder: Path, findings: list[Finding]) -> Iterator[Program]:
    """The programs among the regular files; links are not followed."""
    seen = 0
    for place, folders, files in os.walk(folder, onerror=lambda error: _unread(error, findings)):
        folders.sort()
        for file in sorted(files):
            path = Path(place) / file
            if (seen := seen + 1) > limits.BOOT_FILES:
                detail = f"more than {limits.BOOT_FILES} files below {folder}"
                findings.append(Finding.of(LIMIT_EXCEEDED, str(folder), detail))
                return
            name = path.relative_to(folder).as_posix()
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    continue
                blob = open_path(path)
                if is_program(blob):
                    yield read_program(name, blob)
            except OSError as error:
                _unread(error, findings)
            except AssayError as error:
                findings.append(Finding.of(BOOT_PROGRAM_UNREADABLE, name, error.finding.detail))


def _unread(error: OSError, findings: list[Finding]) -> None:
    findings.append(
        Finding.of(BOOT_PROGRAM_UNREADABLE, str(error.filename or ""), error.strerror or str(error))
    )


def _in_reading(reading: Reading) -> Iterator[Program]:
    """The programs among the components, but for those that are parts of others (the kernel in a
    unified kernel image, which nobody but that image starts)."""
    components = {each.id: each for each in reading.components}
    for component in reading.components:
        if component.kind != _PROGRAMS or component.external:
            continue
        if any(above.kind == _PROGRAMS for above in _above(component, components)):
            continue
        blob = blob_of(component, components, reading)
        if blob is not None:
            yield read_program(component.id, blob)
        else:
            finding = Finding.of(
                BOOT_PROGRAM_UNREADABLE, component.id, "it is compressed within the image"
            )
            yield Program(component.id, Role.PROGRAM, findings=(finding,))


def _above(component: Component, components: dict[str, Component]) -> Iterator[Component]:
    seen = {component.id}
    while component.parent in components and component.parent not in seen:
        component = components[component.parent]
        seen.add(component.id)
        yield component


def blob_of(
    component: Component, components: dict[str, Component], reading: Reading
) -> Blob | None:
    """The bytes of a component; None for one that is computed from others."""
    extent = component.extent
    if isinstance(extent, Stored):
        return reading.blobs.get(extent.blob)
    if isinstance(extent, Slice) and extent.of in components:
        outer = blob_of(components[extent.of], components, reading)
        return None if outer is None else SliceBlob(outer, extent.spans)
    return None

"""The programs in an image: a file, a directory (an EFI system partition that is mounted, or a
copy), or whatever a format reads down to its files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct, field

from assay import limits
from assay.boot.programs import Program, is_program, read_program
from assay.formats.explore import read_image
from assay.formats.pe.headers import read_headers
from assay.formats.pe.sections import content_span
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
    """What was found. ``findings`` are about the image, not about a program in it; ``blobs`` are
    the bytes of each program, by its id, and ``components`` all that a format found in the
    image."""

    programs: list[Program] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blobs: dict[str, Blob] = field(default_factory=dict)
    components: list[Component] = field(default_factory=list)

    def add_other(self, name: str, reason: str = "it is no program in the PE format") -> None:
        """Add what is called as a program, and is none that can be checked."""
        finding = Finding.of(BOOT_PROGRAM_UNREADABLE, name, reason)
        self.programs.append(Program(name, Role.PROGRAM, findings=(finding,)))

    def add(self, name: str, blob: Blob, *, among_others: bool = True) -> None:
        """Add the program of this name. ``among_others`` leaves out one for another system, which
        no firmware starts: such files lie beside those that it does."""
        program = read_program(name, blob)
        if not among_others or program.for_firmware or _is_called_program(name):
            self.programs.append(program)
            self.blobs[name] = blob


def collect(name: str, options: OpenOptions) -> Collected:
    """The programs in an image of this name. Raises UsageError, and AssayError where the image
    cannot be read at all."""
    found = Collected()
    if Path(name).is_dir():
        _in_directory(Path(name), found)
        return found
    for image in open_images(name, options):
        root = image.root
        if not root.seekable:
            from assay.sources.spool import spool

            root, _ = spool(root)
        if is_program(root):
            found.add(image.label or name, root, among_others=False)
            continue
        top = Component("", "file", Stored(image.root_key), size=root.size)
        site = Site(top, root, image.store, Options())
        _, reading = read_image(site)
        reading.blobs.setdefault(image.root_key, root)
        _in_reading(reading, found)
        found.components += reading.components
        names = tuple(each.id for each in found.programs)
        inside = tuple(f"{each}/" for each in names)
        found.findings += [
            each
            for each in reading.findings
            if each.severity is Severity.ERROR
            and each.component not in names
            and not each.component.startswith(inside)
        ]
    return found


def _in_directory(folder: Path, found: Collected) -> None:
    """The programs among the regular files; links are not followed."""
    findings, seen = found.findings, 0
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
                    found.add(name, blob)
                elif _is_called_program(name):
                    found.add_other(name)
            except OSError as error:
                _unread(error, findings)
            except AssayError as error:
                findings.append(Finding.of(BOOT_PROGRAM_UNREADABLE, name, error.finding.detail))


def _unread(error: OSError, findings: list[Finding]) -> None:
    findings.append(
        Finding.of(BOOT_PROGRAM_UNREADABLE, str(error.filename or ""), error.strerror or str(error))
    )


def _in_reading(reading: Reading, found: Collected) -> None:
    """The programs among the components, but for those that are parts of others (the kernel in a
    unified kernel image, which nobody but that image starts)."""
    components = {each.id: each for each in reading.components}
    for component in reading.components:
        if component.kind != _PROGRAMS or component.external:
            if component.kind == "file" and component.parent and _is_called_program(component.id):
                found.add_other(component.id)
            continue
        if any(above.kind == _PROGRAMS for above in _above(component, components)):
            continue
        blob = blob_of(component, components, reading)
        if blob is not None:
            found.add(component.id, blob)
            continue
        found.add_other(component.id, "it is compressed within the image")


def _is_called_program(name: str) -> bool:
    """Whether a file of this name is one that boot loaders start, whatever is in it."""
    file = PurePosixPath(name).name.lower()
    return file.endswith(".efi") and not file.startswith("._")  # AppleDouble, attributes of a file


def kernel_of(program: Program, blobs: dict[str, Blob]) -> Blob | None:
    """The bytes of the kernel that a program is, or has in it."""
    blob = blobs.get(program.id)
    if blob is None or program.role is not Role.UNIFIED_KERNEL:
        return blob
    for section in read_headers(blob).sections:
        if section.name == ".linux":
            return SliceBlob(blob, (content_span(section),))
    return None


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

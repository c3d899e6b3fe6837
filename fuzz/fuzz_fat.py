"""Fuzz target: FAT file systems, and files that are not in one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec.structs import replace

from assay.formats.boot_files import FORMAT as BOOT_FILES
from assay.formats.fat import FORMAT
from assay.formats.fat.directory import parse_directory
from assay.formats.fat.geometry import parse_boot_sector
from assay.model.component import Component, Slice, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def seeds() -> Iterator[bytes]:
    """A small file system with a directory, a long name and a file in pieces."""
    from tests.support.disks import Fat12, entry_of, long_entries

    short = entry_of("LONGNA~1.TXT", 4, 900)
    root = long_entries("long name.text", short) + short + entry_of("EFI", 2, 0, 0x10)
    yield Fat12(
        root=root,
        chains={2: 0xFFF, 3: 0xFFF, 4: 3, 5: 0xFFF},
        clusters={2: entry_of("BOOT.EFI", 5, 10)},
        sectors=20,
    ).build()


class _Files(MemoryBlob):
    """A catalogue of one file."""

    def entries(self) -> list[dict[str, str]]:
        return [{"path": "EFI/a"}]

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> MemoryBlob:
        return self


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        parse_boot_sector(data[:512], len(data))
    parse_directory(data, True)
    parse_directory(data[512:], False)
    site = Site(
        Component("", "file", Stored("file"), size=len(data)), MemoryBlob(data), None, Options()
    )
    BOOT_FILES.recognise(site)
    BOOT_FILES.read(replace(site, store=_Files(data)))
    if FORMAT.recognise(site):
        reading = FORMAT.read(site)
        seen = set()
        for component in reading.components:
            assert component.id not in seen
            seen.add(component.id)
            if isinstance(component.extent, Slice):
                assert all(0 <= a < b <= len(data) for a, b in component.extent.spans)

"""A FAT file system as components: its files, its directories, its tables, and what is in none.

Files may be in several pieces, in any order: a file's component is a slice of the file system, so
its bytes count once, whoever vouches for them.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.formats.fat.allocation import Allocation
from assay.formats.fat.directory import Entry, parse_directory
from assay.formats.fat.geometry import Geometry, is_too_small, parse_boot_sector
from assay.formats.polyglot import polyglot_request
from assay.formats.unchanged import unchanged_request
from assay.formats.zeros import zeros_request
from assay.model.codes import content
from assay.model.codes import fat as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Code, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.spans import Span
from assay.model.verdict import NotChecked
from assay.sources.blobs import SliceBlob


def read_volume(site: Site) -> Reading:
    """The file system at a site. Whatever is wrong with it, the whole is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", "fat", whole.extent, size=site.blob.size)
    reading = Reading(components=[whole], targets=[whole.id])
    if not site.component.id:
        reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    try:
        boot = site.blob.read_at(0, 512)
        geometry = parse_boot_sector(boot, site.blob.size or 0)
        allocation = Allocation(site.blob, geometry)
    except AssayError as error:
        reading.findings.append(replace(error.finding, component=whole.id))
        return reading
    label = f", label {geometry.label}" if geometry.label else ""
    described = f"FAT{geometry.bits}, clusters of {geometry.cluster}{label}"
    reading.components[0] = replace(whole, kind="fat", description=described)
    _Volume(site, whole.id, reading, geometry, allocation).read(boot)
    return reading


class _Directory(Struct, frozen=True):
    """One that is to be read: its id, where its bytes are, and how deep it is."""

    component: str
    spans: tuple[Span, ...]
    depth: int


class _Volume:
    def __init__(
        self,
        site: Site,
        whole: str,
        reading: Reading,
        geometry: Geometry,
        allocation: Allocation,
    ) -> None:
        self._site = site
        self._whole = whole
        self._reading = reading
        self._geometry = geometry
        self._allocation = allocation
        self._slack: list[Span] = []
        self._entries = 0
        self._numbers: dict[str, int] = {}
        self._ids = {site.child(name) for name in _RESERVED}

    def read(self, boot: bytes) -> None:
        made = self._geometry
        self._part("boot-sector", "fat-boot-sector", (0, 512), data=boot)
        if made.reserved > 512:
            self._part("reserved", "fat-reserved", (512, made.reserved))
        for number in range(made.tables):
            data = self._allocation.data if not number else None
            self._part(f"fat[{number}]", "fat-table", made.table_span(number), data=data)
        self._compare_copies(boot)
        if is_too_small(made):
            self._odd(codes.FAT_CLUSTER_COUNT, "", 36, "at least 65525", made.clusters)
        pending: list[_Directory] = []
        try:
            if made.root_span[0] < made.root_span[1]:
                spans: tuple[Span, ...] = (made.root_span,)
            else:
                spans = self._allocation.chain(made.root_cluster, "the root directory")
            pending.append(_Directory("", spans, 0))
        except AssayError as error:
            self._fault(error)
        while pending:
            pending += self._read_directory(pending.pop())
        self._rest()

    def _odd(
        self, code: Code, detail: str, offset: int, expected: object = "", actual: object = ""
    ) -> None:
        self._reading.findings.append(
            Finding.of(code, self._whole, detail, offset=offset, expected=expected, actual=actual)
        )

    def _fault(self, error: AssayError) -> None:
        self._reading.findings.append(replace(error.finding, component=self._whole))

    def _part(
        self,
        name: str,
        kind: str,
        *spans: Span,
        data: bytes | None = None,
        code: Code | None = None,
    ) -> None:
        """A component that is no file; ``data`` is what was read of it."""
        found = self._site.child(name)
        size = sum(end - start for start, end in spans)
        self._reading.components.append(
            Component(found, kind, Slice(self._whole, spans), self._whole, size)
        )
        if data is not None:
            self._reading.requests.append((found, unchanged_request(data)))
        if code is not None:
            self._reading.requests.append((found, zeros_request(code)))

    def _compare_copies(self, boot: bytes) -> None:
        made, blob = self._geometry, self._site.blob
        for number in range(1, made.tables):
            start, end = made.table_span(number)
            other, one = blob.read_at(start, end - start), self._allocation.data
            if other != one:
                at = next(
                    (
                        at
                        for at, pair in enumerate(zip(one, other, strict=False))
                        if pair[0] != pair[1]
                    ),
                    len(other),
                )
                self._odd(codes.FAT_COPIES_DIFFER, f"table {number} and table 0", start + at)
        if made.backup_boot:
            copy = blob.read_at(made.backup_boot, 512)
            # the state of the file system is kept in the first one only (Linux, at offset 65)
            if copy[:65] != boot[:65] or copy[66:] != boot[66:]:
                detail = "the backup of the boot sector"
                self._odd(codes.FAT_COPIES_DIFFER, detail, made.backup_boot)

    def _read_directory(self, directory: _Directory) -> list[_Directory]:
        """Report what is in a directory; the directories in it are still to be read."""
        within = SliceBlob(self._site.blob, directory.spans)
        if within.size > limits.FAT_DIRECTORY_SIZE:
            self._limit(directory, f"a directory of {within.size} bytes")
            return []
        data = within.read_at(0, within.size)
        where = directory.component or self._site.child(_ROOT)
        if not directory.component:
            self._part(_ROOT, "fat-directory", *directory.spans, data=data)
        else:
            self._reading.requests.append((where, unchanged_request(data)))
        entries, findings = parse_directory(data, self._geometry.bits == 32)
        self._reading.findings += [replace(found, component=where) for found in findings]
        found: list[_Directory] = []
        for entry in entries:
            self._entries += 1
            if self._entries > limits.FAT_ENTRIES:
                self._limit(directory, f"more than {limits.FAT_ENTRIES} files and directories")
                return []
            try:
                spans = self._chain(entry)
            except AssayError as error:
                self._fault(error)
                continue
            child = self._id(directory.component, entry.name)
            parent = directory.component or self._whole
            if not entry.directory:
                self._file(child, parent, entry, spans)
                continue
            size = sum(end - start for start, end in spans)
            self._reading.components.append(
                Component(child, "fat-directory", Slice(self._whole, spans), parent, size)
            )
            inner = _Directory(child, spans, directory.depth + 1)
            if inner.depth > limits.FAT_DEPTH:
                self._limit(inner, f"directories {inner.depth} deep")
            else:
                found.append(inner)
        return found[::-1]

    def _chain(self, entry: Entry) -> tuple[Span, ...]:
        """Where the bytes of an entry are: for a file all of its clusters. Raises AssayError."""
        if not entry.cluster and not entry.directory:
            spans: tuple[Span, ...] = ()
        else:
            spans = self._allocation.chain(entry.cluster, entry.name)
        there = sum(end - start for start, end in spans)
        if not entry.directory and there < entry.size:
            raise AssayError(
                Finding.of(
                    codes.FAT_CHAIN,
                    detail=f"the chain of {entry.name} ends before the file does",
                    expected=f"{entry.size} bytes",
                    actual=f"{there} bytes",
                    cause="truncation",
                )
            )
        return spans

    def _file(self, child: str, parent: str, entry: Entry, spans: tuple[Span, ...]) -> None:
        kept: list[Span] = []
        left = entry.size
        for start, end in spans:
            cut = min(end, start + left)
            if start < cut:
                kept.append((start, cut))
            if cut < end:
                self._slack.append((cut, end))
            left -= cut - start
        extent = tuple(kept)
        self._reading.components.append(
            Component(child, "file", Slice(self._whole, extent), parent, entry.size)
        )
        self._reading.requests.append((child, HashRequest("sha256")))
        if extent:
            self._reading.explore.append((child, SliceBlob(self._site.blob, extent)))

    def _id(self, directory: str, name: str) -> str:
        wanted = f"{directory}/{name}" if directory else self._site.child(name)
        found, number = wanted, self._numbers.get(wanted, 1)
        while found in self._ids:
            number += 1
            found = f"{wanted}#{number}"
        self._numbers[wanted] = number
        self._ids.add(found)
        return found

    def _limit(self, directory: _Directory, detail: str) -> None:
        where = directory.component or self._whole
        self._reading.findings.append(Finding.of(content.LIMIT_EXCEEDED, where, detail))
        self._reading.not_checked.append(NotChecked(where, "beyond a limit", None))

    def _rest(self) -> None:
        """What belongs to no file."""
        made = self._geometry
        try:
            free, lost = self._allocation.left()
        except AssayError as error:
            self._fault(error)
            return
        if lost:
            self._part("lost", "fat-lost", *lost)
            count = sum(end - start for start, end in lost) // made.cluster
            self._odd(codes.FAT_LOST_CLUSTERS, f"{count} clusters", lost[0][0])
        if self._slack:
            self._part("slack", "fat-slack", *sorted(self._slack), code=codes.FAT_REMAINS)
        if free:
            self._part("free", "fat-free", *free, code=codes.FAT_REMAINS)
        end, size = made.cluster_start(made.clusters + 2), self._site.blob.size or 0
        if end < size:
            self._part("rest", "fat-rest", (end, size), code=codes.FAT_REMAINS)


_ROOT = "root-directory"
_RESERVED = (
    "boot-sector", "reserved", "fat[0]", "fat[1]", _ROOT, "lost", "slack", "free", "rest",
)  # fmt: skip
"""What the parts are called that are no files: no file can take these ids."""

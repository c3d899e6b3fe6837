"""Packages of Debian and its kin: the status file of dpkg, and ``status.d`` of images that have
packages and no dpkg (deb-control(5), dpkg-query(1), dpkg's own "dpkg database" documentation)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay import limits
from assay.model.capture import Keep
from assay.packages.fields import (
    DATABASE_LIMIT,
    MANIFEST_LIMIT,
    check_count,
    hex_digest,
    refused,
    stanzas,
    text,
)
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root, RootEntry, normal

KIND = "deb"
_HOME = b"var/lib/dpkg"
_STATUS = _HOME + b"/status"
_SINGLE = rb"var/lib/dpkg/status\.d/[^/]+(?<!\.md5sums)(?<!\.preinst)(?<!\.postinst)"
_LISTS = rb"var/lib/dpkg/info/[^/]+\.(?:list|md5sums)"
KEEP = (
    Keep(rb"var/lib/dpkg/(?:status|diversions)", DATABASE_LIMIT),
    Keep(rb"var/lib/dpkg/status\.d/[^/]+", MANIFEST_LIMIT),
    Keep(_LISTS, MANIFEST_LIMIT),
)
_SOURCE = re.compile(rb"([^ (]+)(?: +\(([^)]+)\))?\Z")
_DIGESTS = {32: "md5"}


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    real = root.resolve(_STATUS)
    if real is not None and real in root.entries:
        yield _whole(root, real)
    for path, entry in root.matching(_SINGLE):
        yield _one(root, path, entry)


def _whole(root: Root, path: bytes) -> Database:
    entry = root.entries[path]
    if entry.content is None:
        return refused(KIND, path, entry)
    packages: list[Installed] = []
    problem = ""
    try:
        files = _Files(root, path.rpartition(b"/")[0])
        for fields in stanzas(entry.content):
            check_count(len(packages), limits.PACKAGES, "packages")
            state = fields.get("status", [b""])[0].split()
            if len(state) != 3:
                raise UnreadableError("a package has no status")
            if state[2] in (b"not-installed", b"config-files"):
                continue
            packages.append(_package(fields, files))
        problem = files.problem
    except UnreadableError as error:
        packages, problem = [], str(error)
    return Database(KIND, path, entry.layer, tuple(packages), problem)


def _one(root: Root, path: bytes, entry: RootEntry) -> Database:
    if entry.content is None:
        return refused(KIND, path, entry)
    try:
        found = [_package(fields, None) for fields in stanzas(entry.content)]
        if len(found) != 1:
            raise UnreadableError(f"{len(found)} packages in a file of one")
        sums = root.entries.get(path + b".md5sums")
        owned = [Owned(path), Owned(path + b".md5sums")] if sums is not None else [Owned(path)]
        if sums is not None and sums.content is not None:
            owned += [Owned(name, digests) for name, digests in _md5sums(sums.content).items()]
    except UnreadableError as error:
        return Database(KIND, path, entry.layer, problem=str(error))
    package = found[0]
    files = (*package.files, *owned)
    return Database(
        KIND,
        path,
        entry.layer,
        (
            Installed(
                KIND,
                package.name,
                package.version,
                architecture=package.architecture,
                source=package.source,
                source_version=package.source_version,
                files=files,
            ),
        ),
    )


def _package(fields: dict[str, list[bytes]], files: _Files | None) -> Installed:
    name = text(fields.get("package", [b""])[0], "a package's name")
    version = text(fields.get("version", [b""])[0], f"the version of {name}")
    architecture = fields.get("architecture", [b""])[0]
    source, source_version = name, version
    if given := fields.get("source"):
        match = _SOURCE.match(given[0])
        if match is None:
            raise UnreadableError(f"the source of {name} is not a name and a version")
        source = text(match[1], f"the source of {name}")
        source_version = text(match[2], f"the source of {name}") if match[2] else version
    owned: tuple[Owned, ...] = ()
    if files is not None:
        owned = files.of(name.encode(), architecture, _conffiles(fields.get("conffiles", [])))
    return Installed(
        KIND,
        name,
        version,
        architecture=text(architecture, f"the architecture of {name}") if architecture else "",
        source=source,
        source_version=source_version,
        files=owned,
    )


def _conffiles(lines: list[bytes]) -> dict[bytes, tuple[tuple[str, bytes], ...]]:
    """Configuration files with the checksum that they were installed with: ``/path md5 [flag]``."""
    found: dict[bytes, tuple[tuple[str, bytes], ...]] = {}
    for line in lines:
        path, _, rest = line.partition(b" ") if line.count(b" ") < 2 else _spaced(line)
        name = normal(path)
        if name:
            digits = rest.split(b" ")[0]
            found[name] = hex_digest(digits, _DIGESTS) if digits != b"newconffile" else ()
    return found


def _spaced(line: bytes) -> tuple[bytes, bytes, bytes]:
    words = line.split(b" ")
    last = len(words) - (2 if words[-1] in (b"obsolete", b"remove-on-upgrade") else 1)
    return b" ".join(words[:last]), b" ", words[last]


class _Files:
    """Which files belong to which package. ``problem`` is the first list that is out of order."""

    def __init__(self, root: Root, home: bytes) -> None:
        self.problem = ""
        self._root = root
        self._info = home + b"/info/"
        self._owned = self._read = 0
        self._controls: dict[bytes, list[bytes]] = {}
        for path in root.entries:
            if path.startswith(self._info):
                stem = path[len(self._info) :].rpartition(b".")[0]
                self._controls.setdefault(stem, []).append(path)
        self._diverted = self._diversions(home + b"/diversions")

    def of(
        self,
        name: bytes,
        architecture: bytes,
        conffiles: dict[bytes, tuple[tuple[str, bytes], ...]],
    ) -> tuple[Owned, ...]:
        """The files of a package: those in its list, and dpkg's own about it."""
        stem = name if name in self._controls else name + b":" + architecture
        found = {path: Owned(path) for path in self._controls.get(stem, ())}
        sums = self._kept(stem, b".md5sums")
        listed = self._kept(stem, b".list")
        # a status file may name one package, and so one list, again and again
        self._read += len(sums or b"") + len(listed or b"")
        check_count(self._read, limits.PACKAGE_DATABASE_SIZE, "bytes of lists of files")
        if listed is None and stem in self._controls:
            self.problem = self.problem or f"there is no list of the files of {name.decode()}"
        try:
            checksums = _md5sums(sums) if sums is not None else {}
        except UnreadableError as error:
            self.problem = self.problem or f"the checksums of {name.decode()}: {error}"
            checksums = {}
        paths = [normal(line) for line in (listed or b"").split(b"\n") if line]
        for path in dict.fromkeys([*paths, *checksums, *conffiles]):
            if not path:
                continue
            place = path
            if path in self._diverted and self._diverted[path][1] != name:
                place = self._diverted[path][0]
            if path in conffiles:
                found[place] = Owned(place, conffiles[path], config=True)
            else:
                found[place] = Owned(place, checksums.get(path, ()))
        self._owned += len(found)
        check_count(self._owned, limits.PACKAGE_FILES, "files of packages")
        return tuple(found.values())

    def _kept(self, stem: bytes, suffix: bytes) -> bytes | None:
        entry = self._root.entries.get(self._info + stem + suffix)
        return entry.content if entry is not None else None

    def _diversions(self, path: bytes) -> dict[bytes, tuple[bytes, bytes]]:
        """Files that packages other than one find elsewhere: path to (elsewhere, the one)."""
        entry = self._root.entries.get(path)
        lines = (entry.content or b"").split(b"\n") if entry is not None else []
        found: dict[bytes, tuple[bytes, bytes]] = {}
        for source, target, owner in zip(lines[0::3], lines[1::3], lines[2::3], strict=False):
            here, there = normal(source), normal(target)
            if here and there:
                found[here] = (there, owner)
        return found


def _md5sums(data: bytes) -> dict[bytes, tuple[tuple[str, bytes], ...]]:
    """Lines of ``digest  path``."""
    found: dict[bytes, tuple[tuple[str, bytes], ...]] = {}
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        digits, _, rest = line.partition(b" ")
        path = normal(rest.lstrip(b" *"))
        digests = hex_digest(digits, _DIGESTS)
        if not digests or not path:
            raise UnreadableError("a line is not a checksum and a path")
        if found.setdefault(path, digests) != digests:
            raise UnreadableError("two checksums of one file")
    return found

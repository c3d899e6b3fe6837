"""Accounts for the files of an image: by what SBOMs list, and by the packages that own them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

from msgspec import Struct

from assay.contents.packages import Outcome
from assay.model.contents import FileAccount
from assay.model.digest import ALGORITHMS, Strength
from assay.model.files import FileKind
from assay.model.inventory import ListedFile
from assay.packages.model import Database, Installed, Owned
from assay.packages.root import Root, RootEntry, normal


class How(IntEnum):
    """How a file is accounted for, the best way highest."""

    OWNED = 1
    CHECKSUM = 2
    DIGEST = 3


class Mark(Struct, frozen=True, order=True):
    """A way in which a file is accounted for; ``strong`` if a digest says so for which no
    collisions are known."""

    how: How
    strong: bool


Marks = dict[bytes, Mark]
"""The best mark of each file accounted for, by its path."""


def mark(marks: Marks, path: bytes, found: Mark) -> None:
    """Note a mark, unless there is a better one."""
    if path not in marks or marks[path] < found:
        marks[path] = found


def account_of(root: Root, marks: Marks) -> FileAccount:
    """The figures."""
    total = sum(1 for entry in root.entries.values() if entry.kind is FileKind.FILE)
    ways = [found.how for found in marks.values()]
    return FileAccount(
        total=total,
        by_digest=ways.count(How.DIGEST),
        by_checksum=ways.count(How.CHECKSUM),
        by_ownership=ways.count(How.OWNED),
        weak=sum(1 for found in marks.values() if found.how > How.OWNED and not found.strong),
    )


class FileMatch(Struct, frozen=True):
    """What became of one file that an SBOM lists. ``path`` is where it is, with links followed."""

    outcome: Outcome
    path: bytes = b""
    mark: Mark | None = None
    expected: str = ""
    actual: str = ""


def match_file(root: Root, listed: ListedFile) -> FileMatch:
    """Find a listed file, and compare all its digests. One without any is there or not."""
    path = normal(listed.path.encode("utf-8", "surrogatepass"))
    found = root.file(path) if path else None
    if found is None:
        return FileMatch(Outcome.MISSING)
    real, entry = found
    have = dict(entry.digests)
    shared = [digest for digest in listed.digests if digest.algorithm in have]
    if not shared:
        return FileMatch(Outcome.NOT_COMPARED, real)
    for digest in shared:
        if have[digest.algorithm] != digest.value:
            actual = f"{digest.algorithm}:{have[digest.algorithm].hex()}"
            return FileMatch(Outcome.ALTERED, real, expected=str(digest), actual=actual)
    strong = any(digest.binding for digest in shared)
    return FileMatch(Outcome.MATCHED, real, Mark(How.DIGEST, strong))


class Altered(Struct, frozen=True):
    """A file that is not the one that its package installed."""

    path: bytes
    entry: RootEntry
    package: Installed
    database: Database
    algorithm: str
    expected: bytes


def owned_marks(root: Root, packages: Iterable[Installed]) -> Marks:
    """How packages account for files."""
    marks: Marks = {}
    for package in packages:
        for owned, real, entry in _there(root, package):
            agreed = _agree(owned, entry)
            if agreed is not None:
                mark(marks, real, agreed)
    return marks


def altered(root: Root, databases: Iterable[Database]) -> list[Altered]:
    """The files for which databases have checksums of which none is right, in the order of their
    paths. Configuration is there to be changed."""
    right: set[bytes] = set()
    wrong: dict[bytes, Altered] = {}
    for database in databases:
        for package in database.packages:
            for owned, real, entry in _there(root, package):
                if owned.config:
                    right.add(real)
                    continue
                have = dict(entry.digests)
                for algorithm, value in owned.digests:
                    if have.get(algorithm, value) == value:
                        right.add(real)
                    else:
                        found = Altered(real, entry, package, database, algorithm, value)
                        wrong.setdefault(real, found)
    return [found for path, found in sorted(wrong.items()) if path not in right]


def _there(root: Root, package: Installed) -> Iterator[tuple[Owned, bytes, RootEntry]]:
    for owned in package.files:
        found = root.file(owned.path)
        if found is not None:
            yield owned, *found


def _agree(owned: Owned, entry: RootEntry) -> Mark | None:
    """The mark that a package gives a file: none where its checksum is wrong, or of an algorithm
    that was not measured."""
    if not owned.digests:
        return Mark(How.OWNED, False)
    have = dict(entry.digests)
    if all(have.get(algorithm) == value for algorithm, value in owned.digests):
        strong = any(
            ALGORITHMS[algorithm].strength is Strength.BINDING for algorithm, _ in owned.digests
        )
        return Mark(How.CHECKSUM, strong)
    return None

"""Finds the installed packages that an entry of an SBOM means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from msgspec import Struct

from assay.model.inventory import ListedPackage
from assay.packages.installed import KINDS
from assay.packages.model import Database, Installed

_ALIASES = {"alpine": "apk", "alpm": ""}
_SEPARATORS = re.compile(r"[-_.]+")
_UNKNOWN_VERSIONS = {"(devel)", "unknown", "UNKNOWN"}
_SOURCE = {"source", "src", "nosrc"}


class Outcome(Enum):
    MATCHED = "matched"
    ALTERED = "altered"
    MISSING = "missing"
    NOT_COMPARED = "not compared"


class Match(Struct, frozen=True):
    """What became of one entry. ``installed`` are the packages that it means, or for an altered
    one those of its name."""

    outcome: Outcome
    installed: tuple[Installed, ...] = ()


class Packages:
    """The installed packages of one image, by their names."""

    def __init__(self, databases: Iterable[Database]) -> None:
        self.all: list[Installed] = []
        self._named: dict[tuple[str, str], list[Installed]] = {}
        self._sources: dict[tuple[str, str], list[Installed]] = {}
        self._by_name: dict[str, list[Installed]] = {}
        self._unread: set[str] = set()
        for database in databases:
            if database.problem:
                self._unread.add(database.kind)
            for package in database.packages:
                self.all.append(package)
                name = _full(package.namespace, package.name)
                key = _key(package.kind, name)
                self._named.setdefault(key, []).append(package)
                self._by_name.setdefault(name.lower(), []).append(package)
                if package.source:
                    source = (package.kind, package.source)
                    self._sources.setdefault(source, []).append(package)

    def find(self, listed: ListedPackage) -> Match:
        """The packages that an entry means. What is no package, or what the SBOM is about, can be
        found, and is never missing; neither is what no reader here knows how to look for."""
        if listed.purl is None:
            same = self._by_name.get(listed.name.lower(), [])
            found = tuple(one for one in same if _agree(one, {listed.version}))
            return Match(Outcome.MATCHED, found) if found else Match(Outcome.NOT_COMPARED)
        purl = listed.purl
        kind = _ALIASES.get(purl.kind, purl.kind)
        if kind not in KINDS:
            return Match(Outcome.NOT_COMPARED)
        distributed = kind in ("deb", "rpm", "apk")
        name = purl.name if distributed else _full(purl.namespace, purl.name)
        versions = _versions(listed)
        if purl.qualifiers.get("arch") in _SOURCE:
            built = self._sources.get((kind, name), [])
            same_source = tuple(one for one in built if one.source_version in versions)
            return Match(Outcome.MATCHED if same_source else Outcome.NOT_COMPARED, ())
        same = self._named.get(_key(kind, name), [])
        found = tuple(one for one in same if _agree(one, versions))
        if found:
            return Match(Outcome.MATCHED, found)
        if listed.root or listed.other or kind in self._unread:
            return Match(Outcome.NOT_COMPARED)
        return Match(Outcome.ALTERED, tuple(same)) if same else Match(Outcome.MISSING)


def _full(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _key(kind: str, name: str) -> tuple[str, str]:
    """A name as its ecosystem compares it."""
    if kind == "pypi":
        name = _SEPARATORS.sub("-", name).lower()
    elif kind == "golang":
        name = name.lower()
    return kind, name


def _versions(listed: ListedPackage) -> set[str]:
    """The versions that an entry may mean. A package URL comes first, and gives the epoch of an rpm
    package apart."""
    purl = listed.purl
    if purl is None or not purl.version:
        return {listed.version}
    epoch = purl.qualifiers.get("epoch", "")
    if epoch and epoch != "0":
        return {f"{epoch}:{purl.version}"}
    if purl.kind == "rpm" and not epoch and listed.version.endswith(f":{purl.version}"):
        return {listed.version.removeprefix("0:")}
    return {purl.version.removeprefix("0:")}


def _agree(package: Installed, versions: set[str]) -> bool:
    """Whether an installed package is of one of these versions; an entry without one means any."""
    if versions == {""} or package.version in versions:
        return True
    if package.kind == "golang":
        return package.version in _UNKNOWN_VERSIONS or any(
            one.removeprefix("go") == package.version for one in versions
        )
    return False


def shown(packages: Sequence[Installed], most: int = 5) -> str:
    """Versions for people."""
    versions = list(dict.fromkeys(package.version for package in packages))
    more = f" and {len(versions) - most} more" if len(versions) > most else ""
    return ", ".join(versions[:most]) + more

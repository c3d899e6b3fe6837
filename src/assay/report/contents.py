"""What SBOMs account for, and which packages are installed, as text and as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from assay.model.contents import ContentAccount, DatabaseReport, FileAccount, SbomReport
from assay.packages.installed import SYSTEM_KINDS
from assay.printable import printable
from assay.report.style import LONGEST, counted, painter

if TYPE_CHECKING:
    from assay.contents.roots import ImageRoot
    from assay.packages.model import Database


class ListedPackage(msgspec.Struct, frozen=True):
    """An installed package: its name and version as its database has them, and its package URL
    without what only a distribution's name would add."""

    name: str
    version: str
    purl: str
    files: int


class PackageDatabase(msgspec.Struct, frozen=True):
    """A database, or a manifest of one package, with the packages in it. ``layer`` is the id of
    the component that it is in; ``problem`` says why it could not be read."""

    kind: str
    path: str
    layer: str
    packages: tuple[ListedPackage, ...]
    problem: str


class PackageList(msgspec.Struct, frozen=True):
    """The package databases of one image (the id of its manifest). ``complete`` says whether every
    layer could be read to its end."""

    image: str
    complete: bool
    databases: tuple[PackageDatabase, ...]


def packages_of(roots: Iterable[ImageRoot]) -> list[PackageList]:
    """What is installed in each root file system."""
    return [
        PackageList(root.image, root.complete, tuple(map(_listed, root.databases)))
        for root in roots
    ]


def _listed(database: Database) -> PackageDatabase:
    return PackageDatabase(
        kind=database.kind,
        path=database.path.decode("utf-8", "backslashreplace"),
        layer=database.layer,
        packages=tuple(
            ListedPackage(
                name=f"{one.namespace}/{one.name}" if one.namespace else one.name,
                version=one.version,
                purl=str(one.purl),
                files=len(one.files),
            )
            for one in database.packages
        ),
        problem=database.problem,
    )


def percent(account: FileAccount) -> str:
    """The share of files accounted for; only all of them are 100 %."""
    if account.fraction == 1:
        return "100 %"
    return f"{min(100 * account.fraction, 99.9):.1f} %"


def summary(account: ContentAccount) -> str:
    """One line on what SBOMs account for."""
    if not account.complete:
        return "unknown, not every layer could be read"
    if not account.sboms:
        return "nothing, no SBOM was compared"
    text = f"{percent(account.files)} of {counted(account.files.total, 'file')}"
    text += f" by {counted(len(account.sboms), 'SBOM')}"
    if account.packages_installed:
        text += (
            f", {account.packages_listed} of {counted(account.packages_installed, 'package')}"
            f" {'is' if account.packages_installed == 1 else 'are'} listed"
        )
    return text


def details(account: ContentAccount) -> Iterator[tuple[str, str]]:
    """Labelled lines that say more: how files are accounted for, each SBOM, each database."""
    yield "files", _ways(account.files)
    for sbom in account.sboms:
        yield "sbom", _sbom(sbom)
    for database in account.databases:
        yield "packages", _database(database)


def _ways(files: FileAccount) -> str:
    return (
        f"{files.by_digest} by a digest in an SBOM, {files.by_checksum} by a checksum of their"
        f" package, {files.by_ownership} belong to a package without a checksum;"
        f" {files.weak} only by MD5 or SHA-1"
    )


def _sbom(sbom: SbomReport) -> str:
    parts = [f"{sbom.name} ({sbom.format}, {sbom.source}): {percent(sbom.accounted)} of files"]
    for name, count in (("package", sbom.packages), ("file", sbom.files)):
        if count.listed:
            text = f"{counted(count.listed, name)} listed, {count.matched} found"
            for what in ("altered", "missing", "not_compared"):
                if number := getattr(count, what):
                    text += f", {number} {what.replace('_', ' ')}"
            parts.append(text)
    return "; ".join(parts)


def _database(database: DatabaseReport) -> str:
    where = database.path if database.kind in SYSTEM_KINDS else "manifests"
    text = f"{where} ({database.kind}) in {database.layer}: {counted(database.packages, 'package')}"
    return f"{text}; not readable: {database.problem}" if database.problem else text


def render_packages(lists: Sequence[PackageList], *, color: bool = False) -> Iterator[str]:
    """The lists, line by line: by database, with the layer that each is in."""
    paint = painter(color)
    for found in lists:
        number = sum(len(database.packages) for database in found.databases)
        yield ""
        yield paint(f"packages of {printable(found.image, LONGEST)}", "bold") + f": {number}"
        if not found.complete:
            yield paint("  the list is not complete: not every layer could be read", "warn")
        for database in found.databases:
            path, layer = (printable(text, LONGEST) for text in (database.path, database.layer))
            yield f"  {path}  [{layer.removesuffix('/content')}]"
            if database.problem:
                yield paint(f"    not readable: {printable(database.problem, LONGEST)}", "warn")
            for package in database.packages:
                name, version = printable(package.name, 300), printable(package.version, 300)
                files = f" ({counted(package.files, 'file')})" if package.files else ""
                yield f"    {name} {version}{files}"

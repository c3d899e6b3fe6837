"""What a root file system holds, and how much of it its SBOMs account for."""

from __future__ import annotations

from msgspec import Struct


class FileAccount(Struct, frozen=True):
    """How many regular files of a root file system are accounted for.

    ``total`` counts them all. ``by_digest`` are those that an SBOM lists with a digest that is
    right; of the others ``by_checksum`` are those owned by a package that an SBOM lists and for
    which the package database has a checksum that is right, and ``by_ownership`` those owned by
    such a package for which it has none. ``weak`` counts the files accounted for whose only
    digests or checksums are of algorithms for which collisions are known.
    """

    total: int = 0
    by_digest: int = 0
    by_checksum: int = 0
    by_ownership: int = 0
    weak: int = 0

    @property
    def accounted(self) -> int:
        return self.by_digest + self.by_checksum + self.by_ownership

    @property
    def fraction(self) -> float:
        """Files accounted for out of all; 1 where there is none."""
        return self.accounted / self.total if self.total else 1.0


class EntryCount(Struct, frozen=True):
    """What became of the entries of one kind in an SBOM. ``not_compared`` are those of which
    nothing can be said: no reader here knows their ecosystem, or they name no digest."""

    listed: int = 0
    matched: int = 0
    altered: int = 0
    missing: int = 0
    not_compared: int = 0


class SbomReport(Struct, frozen=True):
    """One SBOM that was compared. ``source`` is ``given`` for a file that the user named, and
    ``signed`` for a statement that is vouched for. ``files`` and ``packages`` are about its
    entries, ``accounted`` about the files of the image."""

    name: str
    source: str
    format: str
    packages: EntryCount
    files: EntryCount
    accounted: FileAccount


class DatabaseReport(Struct, frozen=True):
    """A database of installed packages. ``layer`` is the id of the component that it is in;
    ``problem`` says why it could not be read, and is empty otherwise. The manifests of a language
    in one layer are counted together: ``path`` is that of the first."""

    kind: str
    path: str
    layer: str
    packages: int
    problem: str = ""


class ContentAccount(Struct, frozen=True):
    """What the SBOMs of one image (the id of its manifest) say of what its layers hold.

    ``complete`` says whether every layer could be read to its end. ``files`` and the packages are
    counted over all SBOMs together: ``packages_installed`` by any database, of which some SBOM
    lists ``packages_listed``.
    """

    image: str
    complete: bool
    files: FileAccount
    packages_installed: int
    packages_listed: int
    databases: tuple[DatabaseReport, ...] = ()
    sboms: tuple[SbomReport, ...] = ()

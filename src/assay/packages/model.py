"""What readers of package databases report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from assay.model.capture import Keep
from assay.model.purl import Purl
from assay.packages.root import Root


class Owned(Struct, frozen=True):
    """A file that a package owns: its path in the image as the database has it (normalised, from
    the root), and its digests by algorithm. ``config`` marks files that are there to be changed."""

    path: bytes
    digests: tuple[tuple[str, bytes], ...] = ()
    config: bool = False


class Installed(Struct, frozen=True):
    """An installed package. ``kind`` is the type of its package URL; ``namespace`` is as in that
    (an npm scope, a Maven group; nothing for distributions). ``source`` and ``source_version``
    name the source package that a distribution built it from. ``noted`` is False for records that
    an SBOM need not list (keys in an rpm database, the standard library of Go)."""

    kind: str
    name: str
    version: str
    namespace: str = ""
    architecture: str = ""
    source: str = ""
    source_version: str = ""
    files: tuple[Owned, ...] = ()
    noted: bool = True

    @property
    def purl(self) -> Purl:
        """Its package URL, without what only a distribution's name would add."""
        qualifiers = {"arch": self.architecture} if self.architecture else {}
        version = self.version
        if self.kind == "rpm" and ":" in version:
            epoch, _, version = version.partition(":")
            qualifiers["epoch"] = epoch
        return Purl(self.kind, self.namespace, self.name, version, qualifiers)


class Database(Struct, frozen=True):
    """A database that stands in the image, or a manifest of one package. ``layer`` is the id of
    the component that its bytes are in. ``problem`` says why it could not be read, in whole or in
    part."""

    kind: str
    path: bytes
    layer: str
    packages: tuple[Installed, ...] = ()
    problem: str = ""


class DatabaseReader(Protocol):
    """The shape of a reader's module."""

    @property
    def KEEP(self) -> tuple[Keep, ...]:  # noqa: N802
        """The files that it needs."""
        ...

    def read(self, root: Root) -> Iterator[Database]:
        """The databases of this kind in a root file system. One that cannot be read is reported
        with its problem, never passed over. Raises nothing."""
        ...


class UnreadableError(Exception):
    """A database is not as its format has it; the text says why."""

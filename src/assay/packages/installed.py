"""All readers of package databases, and what they need to be kept of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from assay.model.capture import Keep
from assay.packages import apk, dpkg, gem, golang, java, npm, python, rpm
from assay.packages.model import Database, DatabaseReader
from assay.packages.root import Root

# programs of Go are told by their content, and so come last: see `Keep`
READERS: tuple[DatabaseReader, ...] = (dpkg, apk, rpm, python, npm, gem, java, golang)
SYSTEM_KINDS = frozenset((dpkg.KIND, apk.KIND, rpm.KIND))
"""Kinds of packages that are in a database, and so known to be missing if they are not there."""
KINDS = frozenset((*SYSTEM_KINDS, python.KIND, npm.KIND, gem.KIND, java.KIND, golang.KIND))
KEEP: tuple[Keep, ...] = tuple(chain.from_iterable(reader.KEEP for reader in READERS))


def databases(root: Root) -> Iterator[Database]:
    """The databases and manifests in a root file system. Raises nothing."""
    for reader in READERS:
        yield from reader.read(root)

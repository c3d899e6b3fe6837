"""Root file systems in memory, as layers leave them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from assay import limits
from assay.contents.roots import _root
from assay.formats.layer.capture import Allowance
from assay.formats.layer.files import LayerRecorder, Recording
from assay.formats.layer.tree import RootTree
from assay.packages.installed import KEEP, databases
from assay.packages.model import Database
from assay.packages.root import Root
from tests.support.images import Content, Entry, tar_of


def root_of(*layers: Content, allowance: int = limits.CAPTURED_SIZE, step: int = 1 << 20) -> Root:
    """The layers on one another, with what is kept of them."""
    recording = Recording(("md5", "sha1"), KEEP, Allowance(allowance))
    tree = RootTree()
    for number, layer in enumerate(layers):
        recorder = LayerRecorder(recording)
        data = memoryview(tar_of(layer))
        for at in range(0, len(data), step):
            recorder.update(data[at : at + step])
        tree.apply(f"layer[{number}]", recorder.finish())
    return _root(tree)


def found_in(*layers: Content, **options: int) -> list[Database]:
    return list(databases(root_of(*layers, **options)))


def only(*layers: Content) -> Database:
    [database] = found_in(*layers)
    return database


def names(database: Database) -> list[tuple[str, str]]:
    return [(package.name, package.version) for package in database.packages]


def owned(database: Database) -> dict[str, dict[str, str]]:
    """The files of all packages of a database, with their digests in hexadecimal."""
    return {
        file.path.decode(): {name: value.hex() for name, value in file.digests}
        for package in database.packages
        for file in package.files
    }


def programs(files: Mapping[str, bytes]) -> list[Entry]:
    return [Entry(name, data, mode=0o755) for name, data in files.items()]


def digest(data: bytes, algorithm: str) -> dict[str, str]:
    return {algorithm: hashlib.new(algorithm, data).hexdigest()}

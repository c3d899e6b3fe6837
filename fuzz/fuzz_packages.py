"""Fuzz target: package databases, each with the input in the place of all files that it is made of,
and the files of a layer that are kept for them."""

from __future__ import annotations

from assay import limits
from assay.formats.layer.capture import Allowance
from assay.formats.layer.files import LayerRecorder, Recording
from assay.formats.layer.tree import RootTree
from assay.model.files import FileKind
from assay.packages import apk, dpkg, fields, gem, golang, java, npm, python, rpm, rpm_header
from assay.packages.installed import KEEP, databases
from assay.packages.root import Root, RootEntry
from tests.support import images, sboms

PLACES = (
    b"var/lib/dpkg/status",
    b"var/lib/dpkg/diversions",
    b"var/lib/dpkg/status.d/a",
    b"var/lib/dpkg/status.d/a.md5sums",
    b"var/lib/dpkg/info/a.list",
    b"var/lib/dpkg/info/a.md5sums",
    b"lib/apk/db/installed",
    b"usr/lib/sysimage/rpm/rpmdb.sqlite",
    b"usr/lib/a-1.dist-info/METADATA",
    b"usr/lib/a-1.dist-info/RECORD",
    b"app/node_modules/@a/b/package.json",
    b"gems/specifications/a-1.gemspec",
)
MODULES = (apk, dpkg, fields, gem, golang, java, npm, python, rpm, rpm_header)


def one_input(data: bytes) -> None:
    """Anything raised is a defect."""
    entries = {place: RootEntry(FileKind.FILE, "layer", content=data) for place in PLACES}
    entries[b"app/a.jar"] = RootEntry(FileKind.FILE, "layer", content=java.reduced(data))
    entries[b"bin/a"] = RootEntry(FileKind.FILE, "layer", content=data)
    entries[b"etc"] = RootEntry(FileKind.SYMBOLIC_LINK, "layer", link=data[:100])
    _use(Root(entries))
    recorder = LayerRecorder(Recording(("md5",), KEEP, Allowance(limits.MIB)))
    recorder.update(memoryview(data))
    tree = RootTree()
    tree.apply("layer", recorder.finish())
    for _ in tree.entries():
        pass


def _use(root: Root) -> None:
    for database in databases(root):
        for package in database.packages:
            str(package.purl)
            for owned in package.files:
                root.file(owned.path)


def seeds() -> list[bytes]:
    """A database of each kind."""
    files = {"usr/bin/a": b"1", "etc/b": b"2"}
    found = [
        *sboms.dpkg({("a", "1:2-3"): files}).values(),
        sboms.apk({("a", "1-r0"): files}),
        sboms.rpm([sboms.rpm_header("a", "1-2", files, epoch=1)]),
        *sboms.dist_info("a", "1", files).values(),
        b'{"name": "@a/b", "version": "1"}',
        sboms.jar("org.a", "b", "1"),
        sboms.go_program([("example.org/a", "v1"), ("b", "v2")], before=b""),
    ]
    return [*found, images.tar_of([images.Entry("lib/apk/db/installed", found[4])])]

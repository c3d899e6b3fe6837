"""Fuzz target: programs and variables of any content, before the rules of Secure Boot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from assay.boot.chain import broken, walk
from assay.boot.collect import blob_of
from assay.boot.databases import Databases
from assay.boot.programs import is_program, read_program
from assay.boot.updates import apply_update
from assay.model.boot import Outcome
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Reading
from assay.sources.blobs import MemoryBlob
from assay.uefi.signature_list import read_lists

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def seeds() -> Iterator[bytes]:
    """A shim and what it starts, each with a list in front that its length says."""
    from tests.boot import boot_support as made
    from tests.support import pe, uefi

    authority = uefi.certificates(made.AUTHORITY)
    revoked = made.digest_list(made.kernel())
    for lists in (authority, authority + revoked):
        for program in (
            pe.signed(made.shim(), made.PUBLISHER),
            pe.signed(made.unified(b"roothash=" + b"ab" * 32), made.PUBLISHER, made.SIGNER),
        ):
            yield len(lists).to_bytes(2, "little") + lists + program
    from assay.uefi.authentication import TARGETS

    yield uefi.update(made.PUBLISHER, TARGETS[2], revoked)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. What is allowed was signed by somebody in db."""
    length = int.from_bytes(data[:2], "little")
    lists, content = data[2 : 2 + length], data[2 + length :]
    databases = Databases()
    with contextlib.suppress(AssayError):
        databases.add("db", "fuzz", read_lists(lists))
        databases.add("dbx", "fuzz", read_lists(lists))
    with contextlib.suppress(AssayError):
        apply_update("update", data, "dbx", databases)
    blob = MemoryBlob(content)
    is_program(blob)
    program = read_program("program", blob)
    walked = walk([program], [], databases, None, _AT)
    # all that is in db is in dbx as well: so nothing may start
    assert all(each.outcome is not Outcome.ALLOWED for each in broken(walked.links))
    walk([program], [program], Databases(), None, _AT)
    part = Component("file", "file", Stored("a"))
    assert blob_of(part, {"file": part}, Reading(blobs={"a": blob})) is blob

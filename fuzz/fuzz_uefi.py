"""Fuzz target: signature lists, signed updates, variable stores, dumps and vendor certificates."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from assay.formats.uefi import DUMP, LISTS, STORE, UPDATE, VARIABLE, VENDOR, UefiFormat
from assay.formats.uefi.files import read_file
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.model.signature import Key
from assay.signatures.efi_variable.scheme import SCHEME_PLUGIN
from assay.sources.blobs import MemoryBlob
from assay.uefi import dump, efivarfs, guid, time
from assay.uefi.authentication import read_update
from assay.uefi.revocation import revocation_of
from assay.uefi.signature_list import Kind, each_entry, read_lists
from assay.uefi.store import read_store
from assay.uefi.vendor_certificates import read_vendor_certificates
from assay.x509.key_schemes import AUTHORITY

_AT = datetime(2026, 6, 1, tzinfo=UTC)
_FORMATS = (LISTS, UPDATE, VARIABLE, STORE, VENDOR, DUMP)
_PARSERS: tuple[Callable[[bytes], Any], ...] = (
    read_vendor_certificates,
    read_store,
    dump.read_dump,
)


def seeds() -> Iterator[bytes]:
    """One of each kind of file."""
    from assay.uefi.authentication import TARGETS
    from assay.uefi.guid import IMAGE_SECURITY
    from tests.support import uefi
    from tests.support.certificates import make

    holder = make("Signer")
    lists = uefi.certificates(holder) + uefi.entries("SHA256", bytes(32), bytes(range(32)))
    lists += uefi.revoked(bytes(48), uefi.TIME)
    yield lists
    yield b"\x27\0\0\0" + lists
    yield uefi.update(holder, TARGETS[0], lists)
    db = uefi.variable("db", IMAGE_SECURITY, lists, time=uefi.TIME)
    yield uefi.volume(uefi.record(db), uefi.record(db, state=0x3C), size=8192)
    plain = uefi.record(db, authenticated=False)
    yield uefi.volume(plain, authenticated=False, size=8192)
    yield uefi.vendor_section(holder.der, lists)
    yield (
        b'{"version": 2, "variables": [{"name": "db", "guid": "%b", "attr": 39, "data": "%b"}]}'
        % (
            IMAGE_SECURITY.encode(),
            lists.hex().encode(),
        )
    )


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. Whatever certificates are inside are trusted."""
    with contextlib.suppress(AssayError):
        lists = read_lists(data)
        assert not data or lists[-1].end == len(data)
        for known, entry in each_entry(lists):
            assert data[entry.start : entry.end].endswith(entry.data)
            if known.kind is Kind.CERTIFICATE_HASH:
                revocation_of(entry)
    for parse in _PARSERS:
        with contextlib.suppress(AssayError):
            parse(data)
    with contextlib.suppress(AssayError):
        _check(read_update(data).signature)
    with contextlib.suppress(ValueError):
        time.read_time(data[:16].ljust(16, b"\0"))
    guid.read_guid(data[:16].ljust(16, b"\0"))
    name = efivarfs.read_file_name(data[:80].decode("latin-1"))
    efivarfs.read_variable(data, name or efivarfs.FileName("db", guid.GLOBAL))
    site = Site(
        Component("", "file", Stored("file"), size=len(data)), MemoryBlob(data), None, Options()
    )
    for each in _FORMATS:
        if each.recognise(site):
            assert isinstance(each, UefiFormat)
            reading = each.read(site)
            assert reading.components[0].id == "file"
            assert reading == read_file(each.name, site) or reading.signatures


def _check(data: bytes) -> None:
    SCHEME_PLUGIN.recognise(data)
    SCHEME_PLUGIN.load_keys(data, "")
    assert SCHEME_PLUGIN.inline(data, "", "") is None
    with contextlib.suppress(AssayError):
        for prepared in SCHEME_PLUGIN.prepare(data, "signed", "signature", ""):
            keys = [Key("ca:1", AUTHORITY, "any", (), {"enforce-validity": "yes"})]
            answers = {request: bytes(32) for request in prepared.requests(keys)}
            prepared.verify(answers, keys, _AT)
            prepared.verify({}, keys, _AT)

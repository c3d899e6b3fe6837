"""Fuzz target: PE programs with certificate tables, and the Authenticode signatures in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from assay.cms.signed_data import read_signed_data
from assay.formats.pe import FORMAT
from assay.formats.pe.certificates import read_table
from assay.formats.pe.headers import read_headers
from assay.formats.pe.indirect_data import read_indirect_data
from assay.formats.pe.layout import layout_of
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.model.signature import Key
from assay.signatures.authenticode.scheme import SCHEME_PLUGIN
from assay.sources.blobs import MemoryBlob
from assay.x509.key_schemes import AUTHORITY

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def seeds() -> Iterator[bytes]:
    """Signed programs of both kinds."""
    from tests.support import pe
    from tests.support.certificates import make

    holder = make("Signer")
    yield pe.Program().unsigned()
    yield pe.signed(pe.Program(), holder, holder, pages=bytes(range(64)))
    yield pe.signed(pe.Program(bits=32, after=b"rest"), holder, algorithm="sha384")


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. Whatever certificates are inside are trusted."""
    blob = MemoryBlob(data)
    with contextlib.suppress(AssayError):
        headers = read_headers(blob)
        signed = layout_of(headers, len(data)).signed
        assert all(0 <= start < end <= len(data) for start, end in signed)
        if headers.certificate_table is not None:
            for entry in read_table(blob, headers.certificate_table):
                _check(entry.data)
    site = Site(Component("", "file", Stored("file"), size=len(data)), blob, None, Options())
    if FORMAT.recognise(site):
        reading = FORMAT.read(site)
        assert reading.components[0].id == "file"
        assert reading.targets


def _check(data: bytes) -> None:
    SCHEME_PLUGIN.recognise(data)
    SCHEME_PLUGIN.load_keys(data, "")
    with contextlib.suppress(AssayError):
        signed = read_signed_data(data)
        keys = [
            Key("ca:1", AUTHORITY, "any", signed.certificates, demands)
            for demands in ({}, {"enforce-validity": "yes"})
        ]
        for prepared in SCHEME_PLUGIN.prepare(data, "signature[0]", "signature[0]", ""):
            answers = {request: bytes(32) for request in prepared.requests(keys)}
            prepared.verify(answers, keys, _AT)
            prepared.verify({}, keys, _AT)
        read_indirect_data(signed)

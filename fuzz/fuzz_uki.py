"""Fuzz target: unified kernel images, and signed PCR values in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from assay.evidence.pcr_keys import READER
from assay.formats.pe import FORMAT
from assay.formats.uki.pcr_signatures import parse_key, parse_signatures
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.measurement import ScanRequest
from assay.model.reading import Options, Site
from assay.signatures.pcr_policy import SCHEME_PLUGIN
from assay.sources.blobs import MemoryBlob, SliceBlob

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def seeds() -> Iterator[bytes]:
    """Images with profiles and signatures."""
    from tests.support.certificates import key_of
    from tests.support.uki import BASE, LINUX, entry, pem, program, signed_values

    key = key_of("rsa2048")
    sections = (*BASE, LINUX, (".pcrpkey", pem(key)))
    signed = signed_values(entry(key, sections))
    yield program(*sections, signed).unsigned()
    yield program(*sections, (".profile", b"ID=x"), (".cmdline", b"y"), signed).unsigned()
    yield signed[1]
    yield pem(key)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    for parse in (parse_signatures, parse_key):
        with contextlib.suppress(AssayError):
            parse(data, "section")
    assert not SCHEME_PLUGIN.recognise(data)
    assert not SCHEME_PLUGIN.load_keys(data, "")
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.prepare(data, "", "", "")
    assert READER.name
    blob = MemoryBlob(data)
    site = Site(Component("", "file", Stored("file"), size=len(data)), blob, None, Options())
    if not FORMAT.recognise(site):
        return
    reading = FORMAT.read(site)
    parts = {part.id: part for part in reading.components}
    for component, request in reading.requests:
        if isinstance(request, ScanRequest) and request.name == "pcr-11":
            view = SliceBlob(blob, parts[component].extent.spans)  # type: ignore[union-attr]
            sink = request.sink()
            for piece in view.stream(1024):
                sink.update(piece)
            answers = {request: sink.finish()}
            for prepared in reading.signatures:
                prepared.verify(answers, [], _AT)

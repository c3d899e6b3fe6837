"""Fuzz target: event logs of a TPM, and the log of systemd."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from assay.formats.tcg import FORMAT, RECORDS
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob
from assay.tcg.covered import covered_by
from assay.tcg.data import said_by, variable_of
from assay.tcg.device_path import device_path
from assay.tcg.log import looks_like_log, read_log
from assay.tcg.order import check_order
from assay.tcg.records import extend_with, looks_like_records, read_records
from assay.tcg.replay import replay


def seeds() -> Iterator[bytes]:
    """Small logs of all kinds."""
    from tests.support.event_logs import boot, locality, log, old_log, record

    yield log(locality(3), *boot())
    yield old_log(*boot())
    yield record(11, "enter-initrd") + record(15, "machine-id:0")


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    looks_like_log(data)
    looks_like_records(data)
    assert device_path(data).isprintable()
    with contextlib.suppress(AssayError):
        log = read_log(data)
        assert log.end <= len(data)
        for event in log.events:
            assert said_by(event).text.isprintable()
            variable_of(event)
            for start, end in covered_by(event).spans or ():
                assert 0 <= start <= end <= len(event.data)
        replay(log)
        list(check_order(log))
    with contextlib.suppress(AssayError):
        extend_with({}, read_records(data))
    site = Site(
        Component("", "file", Stored("file"), size=len(data)), MemoryBlob(data), None, Options()
    )
    for format_ in (FORMAT, RECORDS):
        if format_.recognise(site):
            reading = format_.read(site)
            assert reading.components[0].id == "file"

"""Fuzz target: the content of a layer, scanned and indexed as it streams by."""

from __future__ import annotations

from assay.formats.layer.files import record_request
from assay.formats.layer.scanner import scan_request
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    for request in (scan_request(), record_request()):
        for step in (len(data) or 1, 100):
            sink = request.sink()
            try:
                for at in range(0, len(data), step):
                    sink.update(memoryview(data)[at : at + step])
                sink.finish()
            except AssayError:
                continue

"""Layers in memory, scanned in pieces of any size."""

from __future__ import annotations

import io
import tarfile

from assay.formats.layer.files import LayerFiles, LayerRecorder
from assay.formats.layer.scanner import LayerScan, LayerScanner
from assay.model.finding import Finding, Severity
from tests.support.images import Entry, tar_of


def archive_of(entries: list[Entry], tar_format: int) -> bytes:
    """A layer in one of the forms of tar: `tarfile.PAX_FORMAT`, `tarfile.GNU_FORMAT`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.mode = entry.kind, entry.link, entry.mode
            info.size, info.pax_headers = len(entry.data), dict(entry.records)
            tar.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()


def feed(sink: LayerScanner | LayerRecorder, data: bytes, step: int) -> None:
    view = memoryview(data)
    for at in range(0, len(view), step):
        sink.update(view[at : at + step])


def scan(content: bytes | list[Entry], step: int = 1 << 20) -> LayerScan:
    scanner = LayerScanner()
    feed(scanner, tar_of(content), step)
    return scanner.finish()


def record(content: bytes | list[Entry], step: int = 1 << 20) -> LayerFiles:
    recorder = LayerRecorder()
    feed(recorder, tar_of(content), step)
    return recorder.finish()


def noted(content: bytes | list[Entry]) -> dict[str, Severity]:
    """The codes of what is odd, with the worst severity of each. Both ways of reading a layer have
    to find the same."""
    found = scan(content).findings
    assert found == record(content).findings
    assert found == scan(content, 700).findings
    return worst(found)


def worst(findings: list[Finding] | tuple[Finding, ...] | object) -> dict[str, Severity]:
    order = [Severity.INFO, Severity.WARNING, Severity.ERROR]
    result: dict[str, Severity] = {}
    for finding in findings:  # type: ignore[attr-defined]
        before = result.get(finding.code, Severity.INFO)
        result[finding.code] = max(before, finding.severity, key=order.index)
    return result

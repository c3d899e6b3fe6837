"""Looks at the headers of a layer as it streams by; contents are skipped, not copied.

Headers without anything unusual about them are read in a hurry (`assay.formats.layer.plain`), all
others by `TarWalker` and `EntryChecks`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from assay.formats.layer.checks import EntryChecks
from assay.formats.layer.plain import skim
from assay.model.codes import archive as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import ScanRequest
from assay.sources.tar import TarMember, TarWalker
from assay.sources.tar_fields import BLOCK
from assay.sources.tar_stream import any_byte_set


class LayerScan(Struct, frozen=True):
    """What scanning a layer gave: how many entries it has, and what is odd about them."""

    entries: int
    findings: Sequence[Finding]


def archive_findings(walker: TarWalker, stopped: Finding | None) -> list[Finding]:
    """What is odd about a layer as an archive; ``stopped`` is why it could not be read on.

    Several builders leave out the end mark. Whether anything is missing shows in the digest of
    the content, so for layers that is a remark.
    """
    findings = [stopped] if stopped is not None else []
    for finding in walker.findings:
        if finding.code == codes.ARCHIVE_END_MISSING.name:
            finding = structs.replace(finding, severity=Severity.INFO)
        findings.append(finding)
    return findings


class LayerScanner:
    """A sink for the content of one layer; raises nothing, whatever the bytes."""

    def __init__(self) -> None:
        self._checks = EntryChecks()
        self._walker = TarWalker()
        self._entries = 0
        self._padding = 0  # after the content of the latest entry
        self._at = 0
        self._held = b""
        self._stopped: Finding | None = None
        self._trailing = False

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        if self._stopped is not None:
            return
        try:
            self._take(data)
        except AssayError as error:
            self._stopped = error.finding
        self._at += len(data)

    def finish(self) -> LayerScan:
        """What was found."""
        if self._stopped is None:
            try:
                self._end()
            except AssayError as error:
                self._stopped = error.finding
        findings = archive_findings(self._walker, self._stopped)
        return LayerScan(self._entries, (*findings, *self._checks.tally.findings()))

    def _skim(self, data: memoryview, at: int) -> None:
        run = skim(data, at, self._at, self._checks)
        if run.entries:
            self._entries += run.entries
            self._padding = -run.latest % BLOCK
            self._walker.skip(run.members, self._at + run.end)

    def _take(self, data: memoryview) -> None:
        walker, begin = self._walker, self._at
        end = begin + len(data)
        while walker.wanted is not None:
            start, length = walker.wanted
            if start >= end:
                return
            if self._held:
                block = self._held + data[: length - len(self._held)]
                self._held = b""
            else:
                if walker.plain and start + length <= end:
                    self._skim(data, start - begin)
                    start, length = walker.wanted
                    if start >= end:
                        return
                block = bytes(data[start - begin : start - begin + length])
            if len(block) < length:
                self._held = block
                return
            member = walker.supply(block)
            if member is not None:
                self._look(member)
        self._rest(data[max(0, walker.end - begin) :])

    def _rest(self, data: memoryview) -> None:
        if not self._trailing and any_byte_set(data):
            self._trailing = True
            self._walker.note(Finding.of(codes.ARCHIVE_TRAILING_DATA, offset=self._walker.end))

    def _end(self) -> None:
        walker = self._walker
        if walker.wanted is not None and self._at < walker.wanted[0]:
            content_end = walker.wanted[0] - self._padding
            if self._at < content_end:
                raise AssayError(
                    Finding.of(
                        codes.ARCHIVE_TRUNCATED,
                        detail="the archive ends within a member's content",
                        expected=f"at least {content_end} bytes",
                        actual=f"{self._at} bytes",
                        offset=self._at,
                        cause="truncation",
                    )
                )
            walker.end_without_padding(self._at)
        while walker.wanted is not None:
            member = walker.supply(self._held)
            self._held = b""
            if member is not None:
                self._look(member)
        self._checks.names.finish()

    def _look(self, member: TarMember) -> None:
        self._entries += 1
        self._padding = -member.size % BLOCK
        self._checks.entry(member)


def scan_request() -> ScanRequest:
    """The request to scan a component as a layer. All of them are equal, so that a layer that
    several images share is scanned once."""
    return ScanRequest("layer", LayerScanner)

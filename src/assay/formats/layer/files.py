"""Takes a digest of every file in a layer as it streams by, and looks at the entries as well."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay import limits
from assay.formats.layer.checks import EntryChecks
from assay.formats.layer.scanner import archive_findings
from assay.measure.hashing import Hasher, new_hasher
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import ScanRequest
from assay.sources.tar import Kind, TarMember
from assay.sources.tar_stream import TarStream

ALGORITHM = "sha256"


class LayerFile(Struct, frozen=True):
    """An entry of a layer with the digest of its content (a regular file's, otherwise empty).
    ``name`` is normalised, ``link`` as it stands in the archive."""

    name: bytes
    kind: Kind
    mode: int
    user: int
    group: int
    size: int
    digest: bytes
    link: bytes
    device: tuple[int, int]


class LayerFiles(Struct, frozen=True):
    """All entries of a layer, in its order. ``complete`` says that it was read to its end."""

    files: Sequence[LayerFile]
    findings: Sequence[Finding]
    complete: bool


class LayerRecorder:
    """A sink for the content of one layer; raises nothing, whatever the bytes."""

    def __init__(self) -> None:
        self._files: list[LayerFile] = []
        self._checks = EntryChecks()
        self._stream = TarStream(self)
        self._stopped: Finding | None = None
        self._name: bytes | None = None
        self._hasher: Hasher | None = None
        self._full = False

    # a sink of bytes

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        if self._stopped is None:
            try:
                self._stream.update(data)
            except AssayError as error:
                self._stopped = error.finding

    def finish(self) -> LayerFiles:
        """What was recorded."""
        if self._stopped is None:
            try:
                self._stream.finish()
                self._checks.names.finish()
            except AssayError as error:
                self._stopped = error.finding
        findings = archive_findings(self._stream.walker, self._stopped)
        findings += self._checks.tally.findings()
        if self._full:
            findings.append(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"only the first {limits.LAYER_FILES} files of the layer are listed",
                    severity=Severity.WARNING,
                )
            )
        complete = self._stopped is None and not self._full
        return LayerFiles(self._files, tuple(findings), complete)

    # a visitor of members

    def begin(self, member: TarMember) -> None:
        """See `Visitor`."""
        self._name = self._checks.entry(member)
        self._hasher = new_hasher(ALGORITHM) if member.kind is Kind.FILE else None

    def content(self, piece: memoryview) -> None:
        """See `Visitor`."""
        if self._hasher is not None:
            self._hasher.update(piece)

    def end(self, member: TarMember) -> None:
        """See `Visitor`."""
        if self._name is None:
            return
        if len(self._files) >= limits.LAYER_FILES:
            self._full = True
            return
        self._files.append(
            LayerFile(
                self._name,
                member.kind,
                member.mode,
                member.user,
                member.group,
                member.size,
                self._hasher.digest() if self._hasher is not None else b"",
                member.untrusted_link,
                member.device,
            )
        )


def record_request() -> ScanRequest:
    """The request to scan a component as a layer and to take digests of its files. All of them
    are equal, so that a layer that several images share is read once."""
    return ScanRequest("layer files", LayerRecorder)

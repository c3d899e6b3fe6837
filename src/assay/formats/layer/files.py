"""Takes a digest of every file in a layer as it streams by, and looks at the entries as well. The
content of some files can be kept."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.formats.layer.capture import TOO_MUCH, Allowance, Collector, Collectors
from assay.formats.layer.checks import EntryChecks
from assay.formats.layer.plain import DIRECTORY, FILE, LINK, skim
from assay.formats.layer.scanner import archive_findings
from assay.measure.hashing import Hasher, hash_bytes, new_hasher
from assay.model.capture import Keep, Kept
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import Request, ScanRequest
from assay.sources.tar import Kind, TarMember
from assay.sources.tar_stream import TarStream

ALGORITHM = "sha256"
_NAME = "layer files"
_KINDS = {FILE: Kind.FILE, LINK: Kind.SYMBOLIC_LINK, DIRECTORY: Kind.DIRECTORY}
_NO_DEVICE = (0, 0)


class LayerFile(Struct, frozen=True, array_like=True, gc=False):
    """An entry of a layer with the digest of its content (a regular file's, otherwise empty).
    ``name`` is normalised, ``link`` as it stands in the archive. ``more`` are digests by further
    algorithms, where they were asked for, and ``kept`` is what was kept of the content."""

    name: bytes
    kind: Kind
    mode: int
    user: int
    group: int
    size: int
    digest: bytes
    link: bytes
    device: tuple[int, int]
    more: tuple[tuple[str, bytes], ...] = ()
    kept: Kept | None = None


class Recording(Struct, frozen=True):
    """How to record layers: which digests to take beside `ALGORITHM`, and which files to keep, all
    within one allowance. Equal ones make equal requests."""

    more: tuple[str, ...] = ()
    keep: tuple[Keep, ...] = ()
    allowance: Allowance | None = None

    def __call__(self) -> LayerRecorder:
        return LayerRecorder(self)

    @property
    def key(self) -> str:
        """All that the outcome depends on beside the layer and the allowance, as text."""
        rules = [
            (replace(rule, reduce=None), rule.reduce.__qualname__ if rule.reduce else "")
            for rule in self.keep
        ]
        return f"{','.join(self.more)} {hash_bytes(ALGORITHM, repr(rules).encode()).hex()}"

    def room_for(self, recorded: LayerFiles) -> bool:
        """Ask the allowance for what was kept of a layer that was recorded before."""
        kept = sum(len(file.kept.content or b"") for file in recorded.files if file.kept)
        return self.allowance is None or self.allowance.take(kept)


PLAIN = Recording()


class LayerFiles(Struct, frozen=True):
    """All entries of a layer, in its order. ``complete`` says that it was read to its end."""

    files: Sequence[LayerFile]
    findings: Sequence[Finding]
    complete: bool

    @property
    def repeatable(self) -> bool:
        """Whether the layer alone decided what this is, and not what was left of an allowance."""
        return not any(file.kept and file.kept.reason == TOO_MUCH for file in self.files)


class LayerRecorder:
    """A sink for the content of one layer; raises nothing, whatever the bytes."""

    def __init__(self, recording: Recording = PLAIN) -> None:
        self._files: list[LayerFile] = []
        self._more = recording.more
        self._collectors: Collectors | None = None
        if recording.keep and recording.allowance is not None:
            self._collectors = Collectors(recording.keep, recording.allowance)
        self._collector: Collector | None = None
        self._others: list[Hasher] = []
        self._checks = EntryChecks()
        self._stream = TarStream(self, None if recording.keep else self._skim)
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

    def _skim(self, data: memoryview, at: int, begin: int) -> tuple[int, int]:
        run = skim(data, at, begin, self._checks, self._take)
        return run.members, run.end

    def _take(
        self,
        name: bytes,
        flag: bytes,
        owner: tuple[int, int, int],
        link: bytes,
        content: memoryview,
    ) -> bool:
        """An entry with nothing unusual about it, and all of its content."""
        if len(self._files) >= limits.LAYER_FILES:
            return False
        digest = b""
        more: tuple[tuple[str, bytes], ...] = ()
        if flag == FILE:
            digest = hash_bytes(ALGORITHM, content)
            if self._more:
                more = tuple((name, hash_bytes(name, content)) for name in self._more)
        self._files.append(
            LayerFile(name, _KINDS[flag], *owner, len(content), digest, link, _NO_DEVICE, more)
        )
        return True

    # a visitor of members

    def begin(self, member: TarMember) -> None:
        """See `Visitor`."""
        self._name = self._checks.entry(member)
        self._hasher = new_hasher(ALGORITHM) if member.kind is Kind.FILE else None
        if self._more:
            regular = self._hasher is not None
            self._others = [new_hasher(name) for name in self._more] if regular else []
        if self._collectors is not None:
            self._collector = None
            if self._name is not None and len(self._files) < limits.LAYER_FILES:
                self._collector = self._collectors.for_file(self._name, member)

    def content(self, piece: memoryview) -> None:
        """See `Visitor`."""
        if self._hasher is not None:
            self._hasher.update(piece)
        for hasher in self._others:
            hasher.update(piece)
        if self._collector is not None:
            self._collector.update(piece)

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
                tuple(
                    (name, hasher.digest())
                    for name, hasher in zip(self._more, self._others, strict=False)
                ),
                self._collector.finish() if self._collector is not None else None,
            )
        )


def record_request(recording: Recording = PLAIN) -> ScanRequest:
    """The request to scan a component as a layer and to take digests of its files. Those with the
    same recording are equal, so that a layer that several images share is read once."""
    return ScanRequest(_NAME, recording)


def is_recording(request: Request) -> bool:
    """Whether a request is one that `record_request` made."""
    return isinstance(request, ScanRequest) and request.name == _NAME

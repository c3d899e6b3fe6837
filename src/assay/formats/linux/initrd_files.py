"""Lists the files of cpio archives while their bytes go by."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Sequence

from assay import limits
from assay.linux.cpio import CpioEntry, CpioReader
from assay.model.codes import linux as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.files import FileEntry, FileKind
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import Request, ScanRequest
from assay.printable import printable

_KINDS = {
    stat.S_IFREG: FileKind.FILE,
    stat.S_IFDIR: FileKind.DIRECTORY,
    stat.S_IFLNK: FileKind.SYMBOLIC_LINK,
    stat.S_IFCHR: FileKind.CHARACTER_DEVICE,
    stat.S_IFBLK: FileKind.BLOCK_DEVICE,
    stat.S_IFIFO: FileKind.FIFO,
}
_NAME = "cpio files"


class Recorded:
    """The files of one component. In newc archives the content of a file with several names stands
    with one of them."""

    def __init__(self, entries: Sequence[FileEntry], findings: Sequence[Finding]) -> None:
        self._entries = entries
        self.findings = findings

    def files(self, component: str) -> Iterator[FileEntry]:
        """The files, with the component that they are in."""
        from msgspec.structs import replace

        for entry in self._entries:
            yield replace(entry, layer=component)


class RecordingSink:
    """Takes the bytes of archives, and hashes each file."""

    def __init__(self) -> None:
        self._reader = CpioReader(self)
        self._entries: list[FileEntry] = []
        self._links: dict[tuple[int, int, int], list[int]] = {}
        """Files with several names, by device and inode: the numbers of their entries."""
        self._findings: list[Finding] = []
        self._broken = False
        self._entry: CpioEntry | None = None
        self._hash = hashlib.sha256()
        self._sum = 0
        self._target = b""

    def update(self, data: memoryview) -> None:
        """Take the next bytes; from the first that are wrong on, they are passed over."""
        if self._broken:
            return
        try:
            self._reader.update(data)
        except AssayError as error:
            self._findings.append(error.finding)
            self._broken = True

    def finish(self) -> Recorded:
        """What was found."""
        if not self._broken:
            try:
                self._reader.finish()
            except AssayError as error:
                self._findings.append(error.finding)
        return Recorded(self._linked(), self._findings)

    def begin(self, entry: CpioEntry, offset: int) -> None:
        """See `Visitor.begin`."""
        if len(self._entries) >= limits.LAYER_FILES:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail=f"more than {limits.LAYER_FILES} files")
            )
        self._entry, self._sum, self._target = entry, 0, b""
        self._hash = hashlib.sha256()
        self._offset = offset

    def content(self, data: memoryview) -> None:
        """See `Visitor.content`."""
        entry = self._entry
        assert entry is not None
        self._hash.update(data)
        if entry.check is not None:
            self._sum += sum(data)
        if stat.S_ISLNK(entry.mode) and len(self._target) < limits.CPIO_NAME:
            self._target += data[: limits.CPIO_NAME]

    def end(self) -> None:
        """See `Visitor.end`."""
        entry = self._entry
        assert entry is not None
        name = entry.name.decode("utf-8", "backslashreplace")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        shown = printable(name, 200)
        if ".." in parts:
            self._warn(f"{shown} leads upwards")
        total = self._sum & 0xFFFFFFFF
        if entry.check not in (None, total) and stat.S_ISREG(entry.mode):
            self._warn(f"the sum of {shown} is {total}, not {entry.check}")
        kind = _KINDS.get(stat.S_IFMT(entry.mode), FileKind.OTHER)
        regular = kind is FileKind.FILE
        if regular and entry.links > 1:
            key = (*entry.on, entry.inode)
            self._links.setdefault(key, []).append(len(self._entries))
        self._entries.append(
            FileEntry(
                path="/".join(parts) or ".",
                kind=kind,
                layer="",
                mode=stat.S_IMODE(entry.mode),
                user=entry.user,
                group=entry.group,
                size=entry.size if regular else 0,
                digest=f"sha256:{self._hash.hexdigest()}" if regular else "",
                link=self._target.decode("utf-8", "backslashreplace"),
                device=entry.device,
            )
        )

    def _warn(self, detail: str) -> None:
        if len(self._findings) < limits.TAR_FINDINGS:
            self._findings.append(
                Finding.of(
                    codes.INITRD_MALFORMED,
                    detail=detail,
                    offset=self._offset,
                    severity=Severity.WARNING,
                )
            )

    def _linked(self) -> list[FileEntry]:
        """The entries, those without content of their own as links to the one that has it."""
        from msgspec.structs import replace

        entries = self._entries
        for numbers in self._links.values():
            holders = [entries[number] for number in numbers if entries[number].size]
            for number in numbers if holders else ():
                if not entries[number].size:
                    entries[number] = replace(
                        entries[number],
                        size=holders[0].size,
                        digest=holders[0].digest,
                        hard_link=holders[0].path,
                    )
        return entries


def recording() -> ScanRequest:
    """The request to list the files of a component."""
    return ScanRequest(_NAME, RecordingSink)


def is_recording(request: Request) -> bool:
    """Whether this is such a request."""
    return isinstance(request, ScanRequest) and request.name == _NAME

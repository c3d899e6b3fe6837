"""Notices files that are two things at once, while they are read for their digest anyway.

Whatever a digest vouches for is still one sequence of bytes; but the program that uses them and
the one that inspected them may see different content. So this is a warning, and where it is
ordinary (an installer with an archive behind its program), a remark.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.formats.magic import HEAD, TAIL, looks_like, seven_zip_end, zip_end
from assay.model.codes import content as codes
from assay.model.finding import Finding, Severity
from assay.model.measurement import ScanRequest
from assay.model.reading import Blob

_DISKS = {
    "a GPT disk",
    "an ISO 9660 file system",
    "an ext file system",
    "an EROFS file system",
    "an F2FS file system",
    "an XFS file system",
    "a Btrfs file system",
    "a squashfs file system",
    "an Android boot image",
}
_TOGETHER: tuple[set[str], ...] = (
    {"a GPT disk", "an ISO 9660 file system"},
    _DISKS - {"an ISO 9660 file system"} | {"a partition with an AVB footer"},
    _DISKS | {"a VHD disk"},
    {"a Java module file", "a zip archive"},
    {"a Chrome extension", "a zip archive"},
)
"""What honest files are at once: bootable CD images, partitions with a footer, fixed VHD disks,
zip archives with a header of their own."""
_CARRIERS = {"a PE program", "an ELF program", "a script"}
_ZIP, _TAR, _XZ, _7Z = "a zip archive", "a tar archive", "an xz stream", "a 7z archive"


class Look(Struct, frozen=True):
    """What was noticed."""

    findings: Sequence[Finding]


class PolyglotSink:
    """Keeps the beginning and the end of a component and judges them."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = b""
        self._size = 0

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        if len(data) >= TAIL:
            self._tail = bytes(data[-TAIL:])
        else:
            self._tail = (self._tail + data)[-TAIL:]

    def accept_ends(self, blob: Blob, size: int) -> None:
        """Look at nothing but the ends of a blob that nobody streams."""
        self._size = size
        self._head = bytearray(blob.read_at(0, HEAD))
        self._tail = blob.read_at(max(0, size - TAIL), TAIL)

    def finish(self) -> Look:
        """What was noticed."""
        return Look(tuple(judge(bytes(self._head), self._tail, self._size)))


def polyglot_request() -> ScanRequest:
    """The request to look at a component for what else it may be."""
    return ScanRequest("polyglot", PolyglotSink)


def judge(head: bytes, tail: bytes, size: int) -> list[Finding]:
    """What is ambiguous about a file of ``size`` bytes that begins and ends like this."""
    seen = looks_like(head, tail)
    findings: list[Finding] = []
    archive = zip_end(tail, size)
    if archive is not None and _ZIP not in seen:
        seen.append(_ZIP)
    if len(seen) > 1 and not any(set(seen) <= together for together in _TOGETHER):
        carried = len(seen) == 2 and seen[0] in _CARRIERS and seen[1] == _ZIP
        findings.append(
            Finding.of(
                codes.POLYGLOT,
                detail=f"the file is {' and '.join(seen)} at once",
                actual=", ".join(seen),
                severity=Severity.INFO if carried else None,
            )
        )
    if archive is not None and seen == [_ZIP] and archive.start:
        findings.append(_around("before", "zip archive", 0, archive.start))
    if archive is not None and archive.end < size:
        findings.append(_around("after", "zip archive", archive.end, size - archive.end))
    if _7Z in seen:
        end = seven_zip_end(head)
        if end is not None and end < size:
            findings.append(_around("after", "7z archive", end, size - end))
    if _XZ in seen and tail.rstrip(b"\0")[-2:] != b"YZ":
        findings.append(_around("after", "xz stream"))
    if _TAR in seen and tail[-512:].strip(b"\0"):
        findings.append(_around("after", "tar archive"))
    return findings


def _around(where: str, what: str, offset: int | None = None, size: int | None = None) -> Finding:
    amount = f"{size} bytes stand" if size is not None else "data stands"
    return Finding.of(
        codes.DATA_AROUND_ARCHIVE, detail=f"{amount} {where} the {what}", offset=offset
    )

"""Initial RAM disks: archives in a row, each as it is or compressed, with zero bytes between them.

The kernel reads on behind each archive (init/initramfs.c), so that microcode stands in an
uncompressed archive of its own before the compressed rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits
from assay.linux.cpio import CpioEntry, CpioReader, ReadAt, end_of_archive, looks_like_cpio
from assay.linux.cpio import malformed as bad
from assay.linux.image import compression_of
from assay.measure.inflate import inflater_for
from assay.model.codes.compression import TRAILING_DATA
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span

_STEP = 64 * limits.KIB


class Part(Struct, frozen=True):
    """Archives that stand together: ``span`` in the file, and what undoes their compression (empty
    where there is none). ``files`` counts what is in them, None where that was not looked at."""

    span: Span
    transform: str = ""
    files: int | None = None


def read_parts(read_at: ReadAt, size: int, *, closely: bool) -> Iterator[Part]:
    """The parts of an initial RAM disk of ``size`` bytes. Unless it is looked at ``closely`` a
    compressed part goes on to the end, whatever is behind it. Raises AssayError (initrd-malformed,
    limit, or what is wrong with a compressed stream) at the point from which on nothing can be
    read."""
    at = count = 0
    while (at := _behind_zeros(read_at, at, size)) < size:
        count += 1
        if count > limits.INITRD_PARTS:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail=f"over {limits.INITRD_PARTS} parts", offset=at)
            )
        head = read_at(at, 110)
        if looks_like_cpio(head):
            if at % 4:
                raise bad("an archive that does not begin at a multiple of 4 bytes", at)
            end, files = end_of_archive(read_at, at, size)
            yield Part((at, end), "", files)
            at = end
            continue
        transform = compression_of(head)
        if transform == "lzo":
            raise bad("an archive that is compressed with LZO, which is not read", at)
        if not transform:
            raise bad("something that is neither an archive nor a compressed one", at)
        if not closely:
            yield Part((at, size), transform)
            return
        end, files = _inflate(read_at, at, size, transform)
        yield Part((at, end), transform, files)
        at = end


def _behind_zeros(read_at: ReadAt, at: int, size: int) -> int:
    while at < size:
        piece = read_at(at, min(_STEP, size - at))
        rest = piece.lstrip(b"\0")
        if rest or not piece:
            return at + len(piece) - len(rest)
        at += len(piece)
    return at


def _inflate(read_at: ReadAt, start: int, size: int, transform: str) -> tuple[int, int]:
    """Where a compressed part ends, and how many files are in it. Raises AssayError."""
    reader = CpioReader(_Nobody())

    def take(piece: memoryview) -> None:
        if reader.offset + len(piece) > limits.INITRD_SIZE:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"an archive of over {limits.INITRD_SIZE} bytes",
                    offset=start,
                )
            )
        reader.update(piece)

    inflater = inflater_for(transform, take)
    at = start
    try:
        while at < size:
            piece = read_at(at, min(_STEP, size - at))
            if not piece:
                break
            inflater.update(memoryview(piece))
            at += len(piece)
        inflater.finish()
        end = at
    except AssayError as error:
        found = error.finding
        if found.code != TRAILING_DATA.name or not found.offset:
            raise
        end = start + found.offset
    reader.finish()
    return end, reader.count


class _Nobody:
    """A visitor who does not care."""

    def begin(self, entry: CpioEntry, offset: int) -> None:
        """Nothing to do."""

    def content(self, data: memoryview) -> None:
        """Nothing to do."""

    def end(self) -> None:
        """Nothing to do."""

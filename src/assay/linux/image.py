"""Kernel images: where the kernel itself is in them, and how it is compressed.

x86: Documentation/arch/x86/boot.rst (the real-mode header). arm64: Documentation/arch/arm64/
booting.rst. RISC-V: Documentation/arch/riscv/boot-image-header.rst. EFI zboot:
drivers/firmware/efi/libstub/zboot-header.S.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from msgspec import Struct

from assay.model.codes import linux as codes
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span
from assay.printable import printable

ReadAt = Callable[[int, int], bytes]

HEAD = 4096
"""How many first bytes are enough to tell a kernel image."""


class KernelImage(Struct, frozen=True):
    """``payload`` are the bytes that hold the kernel, ``transform`` undoes their compression (empty
    where they are not compressed) and gives ``size`` bytes, as the image says (None where it does
    not). ``setup`` is the real-mode part, ``version`` what the image calls itself, unverified."""

    kind: str
    payload: Span
    transform: str = ""
    size: int | None = None
    setup: Span | None = None
    version: str = ""


def compression_of(head: bytes) -> str:
    """The transform for bytes that begin like this; empty where they are not compressed in a way
    that a kernel's build uses, ``lzo`` for the one that is not read."""
    marks = {
        b"\x1f\x8b\x08": "gzip",
        b"\xfd7zXZ\0": "xz",
        b"\x28\xb5\x2f\xfd": "zstd",
        b"\x04\x22\x4d\x18": "lz4",
        b"\x02\x21\x4c\x18": "lz4-legacy",
        b"BZh": "bzip2",
        b"\x89LZO\0\r\n\x1a\n": "lzo",
    }
    for mark, name in marks.items():
        if head.startswith(mark):
            return name
    # properties lc=3 lp=0 pb=2, a dictionary of a whole number of kibibytes, and a size that is
    # unknown or not beyond 1 TiB
    if head[:2] == b"\x5d\0" and len(head) >= 13 and head[2] == 0:
        size = int.from_bytes(head[5:13], "little")
        if size == 2**64 - 1 or size < 1 << 40:
            return "lzma"
    return ""


def recognise(head: bytes) -> str:
    """The kind of kernel image that these first (`HEAD`) bytes are of; empty for none."""
    if len(head) >= 0x268 and head[0x1FE:0x200] == b"\x55\xaa" and head[0x202:0x206] == b"HdrS":
        return "bzImage"
    if head[:2] == b"MZ" and head[4:8] == b"zimg":
        return "EFI zboot"
    if head[0x38:0x3C] == b"ARM\x64":
        return "arm64 Image"
    if head[0x30:0x38] == b"RISCV\0\0\0" and head[0x38:0x3C] == b"RSC\x05":
        return "RISC-V Image"
    return ""


def read_image(read_at: ReadAt, size: int) -> KernelImage:
    """The kernel image in a file of ``size`` bytes: also an uncompressed kernel (ELF), and one that
    is compressed as a whole. Raises AssayError (kernel-malformed, kernel-compression, or as
    ``read_at`` does)."""
    head = read_at(0, HEAD)
    kind = recognise(head)
    if kind == "bzImage":
        return _bzimage(head, read_at, size)
    if kind == "EFI zboot":
        start, length = struct.unpack_from("<II", head, 8)
        return KernelImage(kind, *_payload(read_at, start, length, size, sized=False))
    if kind or head[:4] == b"\x7fELF":
        return KernelImage(kind or "ELF", (0, size))
    transform = _known(compression_of(head), 0)
    return KernelImage(f"{transform} of a kernel", (0, size), transform)


def _bzimage(head: bytes, read_at: ReadAt, size: int) -> KernelImage:
    (protocol,) = struct.unpack_from("<H", head, 0x206)
    if protocol < 0x208:
        shown = f"{protocol >> 8}.{protocol & 0xFF:02}"
        raise _bad(f"boot protocol {shown}, which does not say where the kernel is", 0x206)
    sectors = head[0x1F1] or 4
    setup = (sectors + 1) * 512
    offset, length = struct.unpack_from("<II", head, 0x248)
    span, transform, expected = _payload(read_at, setup + offset, length, size, sized=True)
    (pointer,) = struct.unpack_from("<H", head, 0x20E)
    version = ""
    if pointer and pointer + 0x200 < setup:
        text = read_at(0x200 + pointer, min(setup - 0x200 - pointer, 512)).partition(b"\0")[0]
        version = printable(text, 300)
    return KernelImage("bzImage", span, transform, expected, (0, setup), version)


def _payload(
    read_at: ReadAt, start: int, length: int, size: int, *, sized: bool
) -> tuple[Span, str, int | None]:
    """The compressed bytes, the transform and the size of what they hold."""
    end = start + length
    if length < 32 or end > size:
        raise _bad(f"the kernel in it is at bytes {start}-{end - 1} of {size}", start)
    transform = _known(compression_of(read_at(start, 32)), start)
    if transform == "gzip":
        return (start, end), transform, int.from_bytes(read_at(end - 4, 4), "little")
    if not sized:
        after = read_at(end, 4)
        expected = int.from_bytes(after, "little") if len(after) == 4 else None
        return (start, end), transform, expected
    return (start, end - 4), transform, int.from_bytes(read_at(end - 4, 4), "little")


def _known(transform: str, offset: int) -> str:
    if transform in ("", "lzo"):
        detail = "it is compressed with LZO" if transform else "nothing is known that begins so"
        raise AssayError(
            Finding.of(
                codes.KERNEL_COMPRESSION,
                detail=f"{detail} (at byte {offset})",
                expected="gzip, xz, zstd, lz4, bzip2 or lzma",
                actual=transform or "no known compression",
                offset=offset,
            )
        )
    return transform


def _bad(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.KERNEL_MALFORMED, detail=f"{detail} (at byte {offset})", offset=offset)
    )

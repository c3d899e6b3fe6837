"""What bytes look like to other programs, by the marks that these go by.

Only marks long enough not to occur by chance are here; where a format has little more than a few
bytes, its next fields are looked at as well. Nothing here decides what Assay reads a file as: that
is `detect`'s task. This is to notice when a file is two things at once.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from assay.sources.tar_fields import has_header


class Mark(Struct, frozen=True):
    """Bytes at a fixed place. ``offset`` counts from the start, or from the end if negative.
    ``also`` has to agree, given all the bytes at hand from the mark on."""

    name: str
    offset: int
    value: bytes
    also: Callable[[bytes], bool] = lambda _: True


def _is_pe(data: bytes) -> bool:
    at = int.from_bytes(data[0x3C:0x40], "little")
    return data[at : at + 4] == b"PE\0\0"


def _is_gzip(data: bytes) -> bool:
    return data[2:3] == b"\x08" and len(data) > 3 and not data[3] & 0xE0


def _is_bzip2(data: bytes) -> bool:
    return data[3:4].isdigit() and data[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def _is_cpio(data: bytes) -> bool:
    return len(data) >= 110 and not data[6:110].lower().translate(None, b"0123456789abcdef")


def _is_java_class(data: bytes) -> bool:
    return 44 <= int.from_bytes(data[6:8], "big") < 200


def _is_ext(data: bytes) -> bool:
    # s_state, s_errors and s_rev_level, which have few values
    return len(data) >= 24 and data[2] < 8 and data[4] in (1, 2, 3) and data[20] < 2


HEAD_MARKS = (
    Mark("a PE program", 0, b"MZ", _is_pe),
    Mark("an ELF program", 0, b"\x7fELF"),
    Mark("a Mach-O program", 0, b"\xcf\xfa\xed\xfe"),
    Mark("a Mach-O program", 0, b"\xce\xfa\xed\xfe"),
    Mark("a WebAssembly module", 0, b"\0asm"),
    Mark("a Java class", 0, b"\xca\xfe\xba\xbe", _is_java_class),
    Mark("a script", 0, b"#!"),
    Mark("a gzip stream", 0, b"\x1f\x8b", _is_gzip),
    Mark("a zstd stream", 0, b"\x28\xb5\x2f\xfd"),
    Mark("an xz stream", 0, b"\xfd7zXZ\0"),
    Mark("a bzip2 stream", 0, b"BZh", _is_bzip2),
    Mark("an lz4 stream", 0, b"\x04\x22\x4d\x18"),
    Mark("a zip archive", 0, b"PK\x03\x04"),
    Mark("a Java module file", 0, b"JM\1\0"),
    Mark("a Chrome extension", 0, b"Cr24\3\0\0\0"),
    Mark("a 7z archive", 0, b"7z\xbc\xaf\x27\x1c"),
    Mark("a RAR archive", 0, b"Rar!\x1a\x07"),
    Mark("a cabinet archive", 0, b"MSCF\0\0\0\0"),
    Mark("a cpio archive", 0, b"070701", _is_cpio),
    Mark("a cpio archive", 0, b"070702", _is_cpio),
    Mark("an ar archive", 0, b"!<arch>\n"),
    Mark("an RPM package", 0, b"\xed\xab\xee\xdb"),
    Mark("a tar archive", 0, b"", has_header),
    Mark("a squashfs file system", 0, b"hsqs"),
    Mark("an XFS file system", 0, b"XFSB"),
    Mark("a LUKS volume", 0, b"LUKS\xba\xbe"),
    Mark("a QCOW2 disk", 0, b"QFI\xfb"),
    Mark("a VMDK disk", 0, b"KDMV"),
    Mark("a VHDX disk", 0, b"vhdxfile"),
    Mark("an Android boot image", 0, b"ANDROID!"),
    Mark("a device tree or FIT image", 0, b"\xd0\x0d\xfe\xed"),
    Mark("a U-Boot image", 0, b"\x27\x05\x19\x56"),
    Mark("a PNG picture", 0, b"\x89PNG\r\n\x1a\n"),
    Mark("a GIF picture", 0, b"GIF8"),
    Mark("a JPEG picture", 0, b"\xff\xd8\xff"),
    Mark("a PDF document", 0, b"%PDF-"),
    Mark("a GPT disk", 512, b"EFI PART"),
    Mark("a GPT disk", 4096, b"EFI PART"),
    Mark("an ext file system", 1080, b"\x53\xef", _is_ext),
    Mark("an EROFS file system", 1024, b"\xe2\xe1\xf5\xe0"),
    Mark("an F2FS file system", 1024, b"\x10\x20\xf5\xf2"),
    Mark("an ISO 9660 file system", 0x8001, b"CD001"),
    Mark("a Btrfs file system", 0x10040, b"_BHRfS_M"),
)
TAIL_MARKS = (
    Mark("a VHD disk", -512, b"conectix"),
    Mark("a macOS disk image", -512, b"koly\0\0\0\4"),
    Mark("a partition with an AVB footer", -64, b"AVBf"),
)
HEAD = 0x10048
"""How many bytes from the start suffice to see all of the `HEAD_MARKS`."""
TAIL = 22 + 0xFFFF
"""How many bytes from the end suffice: a zip archive's end record and the longest comment."""
_PDF_WITHIN = 1024
_ZIP_END = b"PK\x05\x06"


class ZipEnd(Struct, frozen=True):
    """Where a zip archive starts and ends in the file that it is found in, by its end record."""

    start: int
    end: int


def looks_like(head: bytes, tail: bytes) -> list[str]:
    """Everything that a file with this beginning and this end (`HEAD` and `TAIL` bytes, or fewer
    where the file is shorter) can be taken for, each with an article before it."""
    found = [
        mark.name
        for mark in HEAD_MARKS
        if head.startswith(mark.value, mark.offset)
        and len(head) > mark.offset
        and mark.also(head[mark.offset :])
    ]
    found += [
        mark.name
        for mark in TAIL_MARKS
        if len(tail) >= -mark.offset and tail.startswith(mark.value, len(tail) + mark.offset)
    ]
    if b"%PDF-" in head[1:_PDF_WITHIN]:
        found.append("a PDF document")
    return list(dict.fromkeys(found))


def zip_end(tail: bytes, size: int) -> ZipEnd | None:
    """The zip archive that a file of ``size`` bytes ends with, or nearly so. None when there is
    none, or one so large (zip64) that its end record does not say where it starts."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        record = tail[at : at + 22]
        if len(record) == 22:
            disks = record[4:8]
            length = int.from_bytes(record[12:16], "little")
            offset = int.from_bytes(record[16:20], "little")
            comment = int.from_bytes(record[20:22], "little")
            here = size - len(tail) + at
            start, end = here - length - offset, here + 22 + comment
            if disks == bytes(4) and start >= 0 and end <= size and (length or not offset):
                return ZipEnd(start, end)
        at = tail.rfind(_ZIP_END, 0, at)
    return None


def seven_zip_end(head: bytes) -> int | None:
    """Where a 7z archive says that it ends (its start header)."""
    if len(head) < 32:
        return None
    offset = int.from_bytes(head[12:20], "little")
    return 32 + offset + int.from_bytes(head[20:28], "little")


__all__ = ["HEAD", "TAIL", "Mark", "ZipEnd", "looks_like", "seven_zip_end", "zip_end"]

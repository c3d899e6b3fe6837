"""Tar archives for tests, honest ones and those that no honest tool would write."""

from __future__ import annotations

import io
import tarfile

BLOCK = 512
END = bytes(2 * BLOCK)


def header(
    name: bytes = b"file",
    size: bytes = b"00000000000\0",
    flag: bytes = b"0",
    link: bytes = b"",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
) -> bytes:
    """One header block with a right checksum, whatever else is in it."""
    block = bytearray(BLOCK)
    block[0:100] = name.ljust(100, b"\0")[:100]
    block[100:108] = b"0000644\0"
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = size.ljust(12, b"\0")[:12]
    block[136:148] = b"00000000000\0"
    block[148:156] = b" " * 8
    block[156:157] = flag
    block[157:257] = link.ljust(100, b"\0")[:100]
    block[257:265] = magic
    block[345:500] = prefix.ljust(155, b"\0")[:155]
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(size: int) -> bytes:
    return b"%011o\0" % size


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", flag: bytes = b"0", link: bytes = b"") -> bytes:
    return header(name, octal(len(data)), flag, link) + pad(data)


def pax_record(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    while len(b"%d" % length) + len(key) + len(value) + 3 != length:
        length = len(b"%d" % length) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (length, key, value)


def pax(records: bytes, flag: bytes = b"x") -> bytes:
    return member(b"PaxHeaders/file", records, flag)


def archive(files: dict[str, bytes], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """An ordinary archive, written by the standard library."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()

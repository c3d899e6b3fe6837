"""Initial RAM disks made in code."""

from __future__ import annotations

import stat


def entry(
    name: str | bytes,
    content: bytes = b"",
    *,
    mode: int = stat.S_IFREG | 0o644,
    inode: int = 1,
    links: int = 1,
    magic: bytes = b"070701",
    check: int | None = None,
    size: int | None = None,
    name_size: int | None = None,
) -> bytes:
    """One entry of a cpio archive, in newc or (with another magic and a sum) crc."""
    raw = (name.encode() if isinstance(name, str) else name) + b"\0"
    if check is None:
        check = sum(content) & 0xFFFFFFFF if magic == b"070702" else 0
    numbers = (
        inode, mode, 0, 0, links, 0, len(content) if size is None else size, 8, 1, 0, 0,
        len(raw) if name_size is None else name_size, check,
    )  # fmt: skip
    head = magic + b"".join(b"%08x" % number for number in numbers) + raw
    head += bytes(-len(head) % 4)
    return head + content + bytes(-len(content) % 4)


def archive(*entries: bytes, padding: int = 0) -> bytes:
    """Entries, the last entry that every archive has, and zero bytes."""
    return b"".join(entries) + entry("TRAILER!!!", mode=0) + bytes(padding)


EARLY = archive(
    entry("kernel", mode=stat.S_IFDIR | 0o755),
    entry("kernel/x86/microcode/GenuineIntel.bin", b"microcode" * 50),
    padding=508,
)
MAIN = archive(
    entry(".", mode=stat.S_IFDIR | 0o755),
    entry("./init", b"#!/bin/sh\n", mode=stat.S_IFREG | 0o755),
    entry("bin", b"usr/bin", mode=stat.S_IFLNK | 0o777),
    entry("usr/bin/one", inode=7, links=2),
    entry("usr/bin/two", b"program", inode=7, links=2),
    entry("dev/console", mode=stat.S_IFCHR | 0o600),
)

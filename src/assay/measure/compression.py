"""Which compression is it? By the first bytes."""

from __future__ import annotations


def compression_of(head: bytes) -> str:
    """The name of the compression that these first (eight or more) bytes are of; empty for none
    known."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head[:3] == b"BZh" and head[3:4].isdigit() and head[4:8] in (b"1AY&", b"\x17rE8"):
        return "bzip2"
    # a skippable zstd frame first is allowed as well (RFC 8878 section 3.1.2)
    if head[:4] == b"\x28\xb5\x2f\xfd" or (
        head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    ):
        return "zstd"
    return ""

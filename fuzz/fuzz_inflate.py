"""Fuzz target: every inflater takes any bytes, however they are cut."""

from __future__ import annotations

import hashlib

from assay.measure.compression import compression_of
from assay.measure.inflate import TRANSFORMS, inflater_for
from assay.model.finding import AssayError

_MAGIC = {
    "gzip": b"\x1f\x8b\x08",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\x00\x00",
    "bzip2": b"BZh91AY&SY",
    "lzma": b"\x5d\0\0\x10\0" + b"\xff" * 8,
    "lz4": b"\x04\x22\x4d\x18",
    "lz4-legacy": b"\x02\x21\x4c\x18",
}


def one_input(data: bytes) -> None:
    """The first byte says how the rest is cut, which must make no difference. Anything but an
    AssayError is a defect."""
    step, stream = 1 + (data[0] if data else 0), data[1:]
    compression_of(stream[:8])
    for kind in TRANSFORMS:
        for candidate in (stream, _MAGIC[kind] + stream):
            assert _inflate(kind, candidate, step) == _inflate(kind, candidate, 1 << 20)


def _inflate(kind: str, stream: bytes, step: int) -> str | None:
    """The digest of what comes out; None for a stream that is damaged."""
    content = hashlib.sha256()
    view = memoryview(stream)
    try:
        inflater = inflater_for(kind, content.update)
        for at in range(0, len(view), step):
            inflater.update(view[at : at + step])
        inflater.finish()
    except AssayError:
        return None
    return content.hexdigest()

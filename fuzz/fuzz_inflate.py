"""Fuzz target: every inflater takes any bytes, however they are cut."""

from __future__ import annotations

import contextlib

from assay.measure.compression import compression_of
from assay.measure.inflate import TRANSFORMS, inflater_for
from assay.model.finding import AssayError

_MAGIC = {
    "gzip": b"\x1f\x8b\x08",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\x00\x00",
    "bzip2": b"BZh91AY&SY",
}


def one_input(data: bytes) -> None:
    """The first byte says how the rest is cut. Anything but an AssayError is a defect."""
    step, stream = 1 + (data[0] if data else 0), data[1:]
    compression_of(stream[:8])
    for kind in TRANSFORMS:
        for candidate in (stream, _MAGIC[kind] + stream):
            with contextlib.suppress(AssayError):
                inflater = inflater_for(kind, len)
                view = memoryview(candidate)
                for at in range(0, len(view), step):
                    inflater.update(view[at : at + step])
                inflater.finish()

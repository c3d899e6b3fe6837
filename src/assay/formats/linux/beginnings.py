"""What bytes are by their beginning, be it compressed. Every verification of a compressed file
asks, and so nothing here takes long to import."""

from __future__ import annotations

from assay import limits
from assay.formats.linux.first_bytes import first_bytes
from assay.linux.cpio import HEADER, looks_like_cpio
from assay.linux.image import HEAD, compression_of, recognise
from assay.linux.modinfo import looks_like_module, read_modinfo
from assay.linux.trailer import MARK
from assay.model.finding import AssayError
from assay.model.reading import Blob

MODULE_COMPRESSIONS = ("gzip", "xz", "zstd")
"""What kernels and kmod undo for modules."""
_LEAST = 64 * limits.KIB
_NEEDED = {
    "zstd": 256 * limits.KIB,
    "bzip2": limits.MIB + limits.KIB,
    "lz4": 4 * limits.MIB + 64 * limits.KIB,
    "lz4-legacy": 8 * limits.MIB + 64 * limits.KIB,
}
"""Compressed bytes without which some decoders give nothing at all: their largest block."""


def is_module(blob: Blob) -> bool:
    """Whether these bytes are a module, or may be a compressed one. Raises AssayError as the blob
    does."""
    size = blob.size
    if size is None:
        return False
    head = blob.read_at(0, 64)
    if compression_of(head) in MODULE_COMPRESSIONS:
        return looks_like_module(_inside(blob, head, 64))
    if not looks_like_module(head):
        return False
    if blob.read_at(max(size - len(MARK), 0), len(MARK)) == MARK:
        return True
    try:
        return read_modinfo(blob.read_at, size) is not None
    except AssayError:
        return False


def is_kernel(blob: Blob) -> bool:
    """Whether these bytes are a kernel image, or a whole one compressed. Raises AssayError as the
    blob does."""
    head = blob.read_at(0, HEAD)
    return bool(recognise(head) or recognise(_inside(blob, head, HEAD)))


def is_initrd(blob: Blob) -> bool:
    """Whether an archive, or a compressed one, stands at the beginning. Raises AssayError as the
    blob does."""
    head = blob.read_at(0, HEADER)
    return looks_like_cpio(head) or looks_like_cpio(_inside(blob, head, HEADER))


def _inside(blob: Blob, head: bytes, length: int) -> bytes:
    """The first bytes of what is compressed; none where nothing is."""
    transform = compression_of(head)
    if transform in ("", "lzo"):
        return b""
    return first_bytes(transform, blob.read_at(0, _NEEDED.get(transform, _LEAST)), length)

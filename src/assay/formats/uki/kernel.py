"""The kernel in a unified kernel image."""

from __future__ import annotations

from assay.formats.pe.headers import read_headers
from assay.linux.image import HEAD, recognise
from assay.model.codes.linux import KERNEL_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import SliceBlob


def kernel_within(blob: Blob) -> Blob:
    """The kernel that a unified kernel image boots; the bytes themselves where they are none.
    Raises AssayError (kernel-malformed) where there are several, or as the blob does."""
    head = blob.read_at(0, HEAD)
    if head[:2] != b"MZ" or recognise(head):
        return blob
    try:
        sections = read_headers(blob).sections
    except AssayError:
        return blob
    found = [section for section in sections if section.name == ".linux"]
    if len(found) > 1:
        detail = f"{len(found)} sections .linux are in the unified kernel image"
        raise AssayError(Finding.of(KERNEL_MALFORMED, detail=detail))
    return SliceBlob(blob, (found[0].span,)) if found else blob

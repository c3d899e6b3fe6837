"""Fuzz target: any bytes are read as a layout's index.json, or are an AssayError."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.selection import Selection
from assay.sources.image_index import check_layout_version, choose, read_image_index


class _Nothing:
    """A store that holds nothing."""

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> None:
        return None


def one_input(data: bytes) -> None:
    """Read the index, and pick images from it in every way."""
    check_layout_version(data)
    try:
        index = read_image_index(data)
    except AssayError:
        return
    for selection in (Selection(), Selection(name="latest"), Selection(position=0)):
        try:
            choose(index, selection, "linux/amd64", "fuzz", _Nothing())
        except AssayError:
            continue

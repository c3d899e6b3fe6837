"""Fuzz target: any bytes are read as a docker archive's manifest.json, or are an AssayError."""

from __future__ import annotations

from assay.formats.archive.docker import choose, config_claim, parse_manifest
from assay.model.finding import AssayError
from assay.model.selection import Selection


def one_input(data: bytes) -> None:
    """Parse the bytes and pick an image."""
    try:
        for image in choose(parse_manifest(data), Selection(name="app")):
            config_claim(image)
    except AssayError:
        return

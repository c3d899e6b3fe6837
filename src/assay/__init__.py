"""Assay: proves that an image is exactly what a trusted party published."""

from __future__ import annotations

from assay.version import __version__

__all__ = ["__version__"]

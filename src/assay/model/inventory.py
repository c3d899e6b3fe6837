"""Inventories: what an SBOM lists, whatever format it is written in."""

from __future__ import annotations

from msgspec import Struct

from assay.model.digest import Digest
from assay.model.purl import Purl


class ListedPackage(Struct, frozen=True):
    """A package that an SBOM lists. ``purl`` is None where it gives none. ``root`` marks what the
    SBOM is about (an image, a product), which need not be installed in it; ``other`` what is no
    package at all (an operating system, a container). ``where`` is its place in the SBOM."""

    name: str
    version: str
    purl: Purl | None
    where: str
    root: bool = False
    other: bool = False


class ListedFile(Struct, frozen=True):
    """A file that an SBOM lists. ``path`` is as it is written there; ``digests`` are those whose
    algorithm Assay can compute."""

    path: str
    digests: tuple[Digest, ...]
    where: str


class Inventory(Struct, frozen=True):
    """What an SBOM lists. ``format`` is for people (``SPDX 2.3 JSON``)."""

    format: str
    name: str
    packages: tuple[ListedPackage, ...]
    files: tuple[ListedFile, ...]

"""What is asked of the contents of an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from assay.evidence.model import GivenFile
from assay.model.component import Stored
from assay.model.reading import Reading

STATEMENTS = ("statement", "attestation")
"""Kinds of documents beside an image that statements are in."""
_MARKS = (b"spdx.dev/Document", b"cyclonedx.org/bom")


class ContentOptions(Struct, frozen=True):
    """``sboms`` are files to compare with, taken at the user's word; ``required`` asks for an SBOM
    that somebody trusted signed; ``coverage`` is the least share of files that has to be accounted
    for, from 0 to 1; ``packages`` asks for a list of what is installed."""

    sboms: tuple[str, ...] = ()
    required: bool = False
    coverage: float | None = None
    packages: bool = False

    @property
    def asked(self) -> bool:
        """Whether the user asks for anything that SBOMs are compared for."""
        return bool(self.sboms) or self.required or self.coverage is not None

    def concerns(self, reading: Reading) -> bool:
        """Whether there is anything to do: cheap, so that a plain check stays as quick as it is."""
        return self.asked or self.packages or any(_holds_sbom(reading))

    def files(self) -> list[GivenFile]:
        """The files given."""
        return [GivenFile("sbom", Path(name)) for name in self.sboms]


def _holds_sbom(reading: Reading) -> Iterator[bool]:
    """Of each document beside the image, whether a predicate type of SBOMs occurs in it."""
    for component in reading.components:
        extent = component.extent
        if component.kind in STATEMENTS and component.external and isinstance(extent, Stored):
            blob = reading.blobs[extent.blob]
            content = blob.read_at(0, blob.size or 0)
            yield any(mark in content for mark in _MARKS)

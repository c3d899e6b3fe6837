"""A boot program as prediction needs it: what of it is measured, in every bank."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from assay import limits
from assay.formats.pe.headers import Section, read_headers
from assay.formats.pe.layout import layout_of
from assay.formats.pe.sections import content_span, section_names
from assay.model.reading import Blob
from assay.model.spans import Span
from assay.sources.blobs import SliceBlob

_STUB = re.compile(rb"#### LoaderInfo: ([a-z][a-z0-9-]*) (\d{3,4})?\S* ####")
_CHUNK = 1 << 20


class Program:
    """A PE program. ``component`` is its id in the image, and its parts are called by names below
    ``below`` (its id, unless it is the image itself). Raises AssayError (as the headers or the blob
    do)."""

    def __init__(self, blob: Blob, component: str, below: str | None = None) -> None:
        self.component = component
        self.headers = read_headers(blob)
        self.blob = blob
        self._below = below if below is not None else component
        self._names = section_names(self.headers.sections)

    def child(self, name: str) -> str:
        """The id of a part of it."""
        return name if self._below in ("", "file") else f"{self._below}/{name}"

    def authenticode(self, banks: Sequence[str]) -> dict[str, bytes]:
        """The digests of what Authenticode covers: this is what firmware measures of a program."""
        layout = layout_of(self.headers, self.blob.size or 0)
        return _digests(self.blob, layout.signed, banks, b"")

    def section(self, name: str) -> Section | None:
        """The first section of a name."""
        return next((each for each in self.headers.sections if each.name == name), None)

    def section_component(self, section: Section) -> str:
        """The id of a section."""
        return self.child(self._names[self.headers.sections.index(section)])

    def content(self, section: Section) -> SliceBlob:
        """The bytes that a section has in memory."""
        return SliceBlob(self.blob, (content_span(section),))

    def section_digests(self, section: Section, banks: Sequence[str]) -> dict[str, bytes]:
        """The digests of a section's content."""
        start, end = content_span(section)
        # memory beyond what is in the file is zero
        rest = min(max(section.virtual_size - (end - start), 0), limits.PE_HEADERS)
        return _digests(self.blob, ((start, end),), banks, bytes(rest))

    def loader(self) -> tuple[str, int | None] | None:
        """What systemd's programs say that they are: the name and the version."""
        section = self.section(".sdmagic")
        if section is None:
            return None
        found = _STUB.search(self.content(section).read_at(0, limits.TCG_SHOWN))
        return (found[1].decode(), int(found[2]) if found[2] else None) if found else None


def _digests(
    blob: Blob, spans: tuple[Span, ...], banks: Sequence[str], after: bytes
) -> dict[str, bytes]:
    hashers = {bank: hashlib.new(bank, usedforsecurity=False) for bank in banks}
    for piece in SliceBlob(blob, spans).stream(_CHUNK):
        for hasher in hashers.values():
            hasher.update(piece)
    for hasher in hashers.values():
        hasher.update(after)
    return {bank: hasher.digest() for bank, hasher in hashers.items()}

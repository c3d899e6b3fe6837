"""Page hashes (Authenticode PE, "SpcPeImagePageHashes"): a hash for each page of a program, by
which Windows checks pages as they are loaded. They become claims, so that damage is told by the
page.

The table has one entry for the headers (without what signatures leave out), one for each page of
each section, and one with a hash of zero bytes for the end. Each page is filled up with zero bytes.
"""

from __future__ import annotations

from msgspec import Struct

from assay.formats.pe.headers import Headers
from assay.formats.pe.indirect_data import PageHashes
from assay.model.claim import ChunksAre
from assay.model.codes import pe as codes
from assay.model.digest import ALGORITHMS
from assay.model.finding import Finding
from assay.model.measurement import ChunkRequest
from assay.model.spans import Span, SpanSet

_PAGE = 4096
_OFFSET = 4


class Pages(Struct, frozen=True):
    """The pages of one part of the program: the bytes that they are of, and their hashes.
    ``section`` is its number, None for the headers."""

    section: int | None
    spans: tuple[Span, ...]
    expected: ChunksAre


def pages_of(hashes: PageHashes, headers: Headers) -> list[Pages] | Finding:
    """What page hashes claim of which bytes; a finding where they cannot be compared."""
    if hashes.algorithm not in ALGORITHMS:
        return Finding.of(
            codes.PAGE_HASHES_UNCHECKED, detail=f"page hashes of kind {hashes.algorithm}"
        )
    width = ALGORITHMS[hashes.algorithm].size
    step = _OFFSET + width
    if len(hashes.table) % step:
        return Finding.of(codes.PAGE_HASHES_MISPLACED, detail=f"{len(hashes.table)} bytes of them")
    entries = [hashes.table[at : at + step] for at in range(0, len(hashes.table), step)]
    offsets = [int.from_bytes(entry[:_OFFSET], "little") for entry in entries]
    values = [entry[_OFFSET:] for entry in entries]
    for page in dict.fromkeys((headers.section_alignment, _PAGE)):
        if page >= _PAGE and _fits(headers, page, offsets) and not any(values[-1]):
            if headers.size > page:
                return Finding.of(
                    codes.PAGE_HASHES_UNCHECKED, detail="the headers are longer than a page"
                )
            return _pages(hashes.algorithm, headers, page, values)
    return Finding.of(codes.PAGE_HASHES_MISPLACED)


def _fits(headers: Headers, page: int, offsets: list[int]) -> bool:
    """Whether these are the offsets of the pages of this program."""
    spans = [section.span for section in headers.sections]
    if len(offsets) != 2 + sum(-(-(stop - start) // page) for start, stop in spans):
        return False
    found, end = [0], headers.size
    for start, stop in spans:
        found += range(start, stop, page)
        end = stop or end
    return offsets == [*found, end]


def _pages(algorithm: str, headers: Headers, page: int, values: list[bytes]) -> list[Pages]:
    left_out = SpanSet([headers.checksum, headers.certificate_entry or (0, 0)])
    hashed = SpanSet.whole(headers.size) - left_out
    request = ChunkRequest(algorithm, page - len(left_out), pad=True)
    found = [Pages(None, hashed.spans, ChunksAre(request, values[0]))]
    at = 1
    for number, section in enumerate(headers.sections):
        start, stop = section.span
        count = -(-(stop - start) // page)
        if count:
            claimed = b"".join(values[at : at + count])
            request = ChunkRequest(algorithm, page, pad=True)
            found.append(Pages(number, (section.span,), ChunksAre(request, claimed)))
        at += count
    return found

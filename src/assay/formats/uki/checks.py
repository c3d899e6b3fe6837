"""Where the sections of a unified kernel image may be. A stub reads them from memory, at the
addresses of the section table; a verifier reads the file: both have to see the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec.structs import replace

from assay.formats.pe.headers import Headers, Section
from assay.formats.pe.layout import Layout
from assay.formats.pe.sections import content_span
from assay.model.codes import uki as codes
from assay.model.finding import Finding
from assay.model.spans import SpanSet
from assay.tcg.unified_kernel import SECTIONS


def placement(
    headers: Headers, layout: Layout, names: Sequence[str], size: int
) -> Iterator[tuple[int, Finding]]:
    """What is wrong with the places of sections in a file of ``size`` bytes, each with the position
    of the section. ``names`` are the components of the sections."""
    signed = SpanSet(layout.signed)
    for position, section in enumerate(headers.sections):
        if section.name not in SECTIONS:
            continue
        finding = _incomplete(section, size)
        if finding is None and headers.certificate_table is not None:
            finding = _unsigned(section, signed)
        if finding is not None:
            yield position, replace(finding, component=names[position])
    yield from _overlaps(headers.sections, names)


def _incomplete(section: Section, size: int) -> Finding | None:
    start, end = section.span
    there = min(end, size) - min(start, size)
    if section.virtual_size <= there:
        return None
    return Finding.of(
        codes.UKI_SECTION_INCOMPLETE,
        detail=f"{section.name} has {there} bytes in the file",
        expected=f"{section.virtual_size} bytes, as in memory",
        actual=f"{there} bytes",
        offset=start,
    )


def _unsigned(section: Section, signed: SpanSet) -> Finding | None:
    outside = SpanSet([content_span(section)]) - signed
    if not outside:
        return None
    return Finding.of(
        codes.UKI_SECTION_UNSIGNED,
        detail=f"{len(outside)} bytes of {section.name} are covered by no signature",
        offset=outside.spans[0][0],
    )


def _overlaps(sections: Sequence[Section], names: Sequence[str]) -> Iterator[tuple[int, Finding]]:
    """Sections at the same addresses, where that concerns what is booted."""
    placed = sorted(
        (section.address, section.address + section.virtual_size, position)
        for position, section in enumerate(sections)
        if section.virtual_size
    )
    for (_, end, first), (start, _, second) in pairwise(placed):
        above, below = sections[first].name, sections[second].name
        if start < end and SECTIONS & {above, below}:
            yield (
                second,
                Finding.of(
                    codes.UKI_SECTIONS_OVERLAP,
                    names[second],
                    f"{below} begins at address 0x{start:x}, and {above} ends at 0x{end:x}",
                ),
            )

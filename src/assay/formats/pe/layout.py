"""Which bytes of a PE program its signatures cover, and which parts the file has.

The Authenticode digest is over the headers, the sections in the order of the file, and what
follows them up to the certificate table; without the checksum and the directory entry of the
certificate table. Firmware, Windows and signing tools agree on that only where nothing overlaps
and nothing lies between the parts: so both are findings, and gaps are left out of the signed view.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from assay.formats.pe.headers import Headers
from assay.model.codes import pe as codes
from assay.model.finding import Finding, Severity
from assay.model.spans import Span, SpanSet


class Layout(Struct, frozen=True):
    """``signed`` is the view that is hashed, ``excluded`` what the scheme leaves out; ``rest`` are
    the bytes behind the last section and before the certificate table."""

    signed: tuple[Span, ...]
    excluded: tuple[Span, ...]
    rest: Span | None
    findings: tuple[Finding, ...]


def layout_of(headers: Headers, size: int) -> Layout:
    """The layout of a program in a file of ``size`` bytes. Raises nothing."""
    table = headers.certificate_table
    parts = sorted(
        [((0, headers.size), "the headers")]
        + [
            (section.span, f"section[{number}] ({section.name})")
            for number, section in enumerate(headers.sections)
            if section.span[1]
        ]
    )
    findings = list(_between(parts))
    end = max(stop for (_, stop), _ in parts)
    if end > size:
        name = max(parts, key=lambda part: part[0][1])[1]
        findings.append(
            Finding.of(
                codes.PE_MALFORMED,
                detail=f"{name} ends behind the end of the file",
                expected=f"at least {end} bytes",
                actual=f"{size} bytes",
                offset=size,
                cause="truncation",
            )
        )
        end = size
    if table is not None:
        findings += _around(table, end, size)
    stop = min(table[0], size) if table is not None else size
    rest = (end, stop) if end < stop else None
    if rest is not None:
        findings.append(
            Finding.of(
                codes.PE_DATA_AFTER_SECTIONS,
                detail=f"{rest[1] - rest[0]} bytes from byte {rest[0]} on",
                offset=rest[0],
            )
        )
    if table is None:
        findings = [_unsigned(finding) for finding in findings]
    fields = [headers.checksum, headers.certificate_entry or (0, 0), table or (0, 0)]
    excluded = SpanSet(fields) & SpanSet.whole(size)
    spans = SpanSet([span for span, _ in parts] + [rest or (0, 0)]) & SpanSet.whole(size)
    return Layout((spans - excluded).spans, excluded.spans, rest, tuple(findings))


def _unsigned(finding: Finding) -> Finding:
    """What would let one signature pass for two programs is merely odd where there is none."""
    if finding.severity is Severity.ERROR:
        return replace(finding, severity=Severity.WARNING)
    return finding


def _between(parts: list[tuple[Span, str]]) -> Iterator[Finding]:
    """Gaps and overlaps between neighbours, in the order of the file."""
    furthest, name = 0, ""
    for (before, before_name), ((start, _), after_name) in pairwise(parts):
        if before[1] > furthest:
            furthest, name = before[1], before_name
        if start < furthest:
            yield Finding.of(
                codes.PE_SECTIONS_OVERLAP,
                detail=f"{after_name} starts at byte {start}, and {name} ends at {furthest}",
                offset=start,
            )
        elif start > furthest:
            yield Finding.of(
                codes.PE_GAP,
                detail=f"{start - furthest} bytes between {name} and {after_name}",
                offset=furthest,
            )


def _around(table: Span, end: int, size: int) -> Iterator[Finding]:
    """The place of the certificate table."""
    where = f"the certificate table is at bytes {table[0]}-{table[1] - 1}"
    if table[0] < end:
        yield _misplaced(f"{where}, and the program ends at byte {end}", table[0])
    if table[1] > size:
        yield _misplaced(f"{where}, and the file ends at byte {size}", size)
    elif table[1] < size:
        yield _misplaced(f"{size - table[1]} bytes follow the certificate table", table[1])
    if table[0] % 8:
        yield _misplaced(f"{where}, which is no multiple of 8", table[0])


def _misplaced(detail: str, offset: int) -> Finding:
    return Finding.of(codes.PE_CERTIFICATE_TABLE, detail=detail, offset=offset)

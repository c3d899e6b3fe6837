"""Evidence reader: SBAT revocation levels (``--sbat-level``), and whether they take the programs in
the image. They can only refuse."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay import limits
from assay.evidence.model import Context, Evidence, EvidenceReader, GivenFile
from assay.formats.pe.headers import read_headers
from assay.formats.pe.program import LINUX
from assay.formats.pe.sections import SBAT, SECTION, content_span
from assay.model.codes import sbat as codes
from assay.model.component import Component
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.sources.blobs import MemoryBlob
from assay.uefi import sbat
from assay.uefi.sbat import Level

_OPTION = "sbat-level"
_EFIVARFS_ATTRIBUTES = 4
"""Files of efivarfs begin with the attributes of the variable."""


class SbatReader:
    name = "sbat"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for file in context.given_for(_OPTION):
            evidence.reading.findings += judge(context, read_levels(file))
        return evidence


def read_levels(file: GivenFile) -> tuple[Level, ...]:
    """The level in a file, or those in a shim. Raises UsageError."""
    data = file.read(limits.SBAT_LEVEL_FILE)
    try:
        if data[:2] == b"MZ":
            return _levels_of_shim(data)
        at = _EFIVARFS_ATTRIBUTES if data[1:4] == b"\0\0\0" else 0
        return (sbat.parse_level(data[at:]),)
    except AssayError as error:
        raise UsageError(f"--{_OPTION} {file.path}: {error.finding.detail}") from error


def _levels_of_shim(data: bytes) -> tuple[Level, ...]:
    blob = MemoryBlob(data)
    for section in read_headers(blob).sections:
        if section.name == ".sbatlevel":
            start, end = content_span(section)
            return sbat.parse_shim_levels(data[start:end])
    raise AssayError(Finding.of(codes.SBAT_MALFORMED, detail="the program has no .sbatlevel"))


def judge(context: Context, levels: tuple[Level, ...]) -> Iterator[Finding]:
    """What the levels of one file say of each program in the image."""
    programs = [each.parent for each in context.components.values() if each.kind == "pe-headers"]
    if not programs:
        yield Finding.of(
            codes.SBAT_MISSING, context.root, "nothing in it is a program with SBAT data"
        )
    for program in programs:
        yield from _judge_one(context, program, levels)


def _judge_one(context: Context, program: str, levels: tuple[Level, ...]) -> Iterator[Finding]:
    section = _sbat_of(context, program)
    if section is None or SBAT not in section.labels:
        if program.endswith("section[.linux]"):
            return  # what counts is that of the unified kernel image around it
        yield _missing(context, program, section)
        return
    found = [
        sbat.Component(name, int(generation))
        for name, generation in (row.split(",") for row in section.labels[SBAT].split())
    ]
    accepted = True
    for level in levels:
        for revoked in sbat.revoked_by(found, level):
            accepted = False
            yield Finding.of(
                codes.SBAT_REVOKED,
                section.id,
                f"{revoked.component.name} has generation {revoked.component.generation}, and"
                f" {_named(level)} asks for {revoked.least}",
                expected=f"{revoked.component.name} {revoked.least} or later",
                actual=f"{revoked.component.name} {revoked.component.generation}",
            )
    if accepted:
        yield Finding.of(
            codes.SBAT_ACCEPTED,
            section.id,
            f"{section.labels['name']}: accepted by {' and '.join(map(_named, levels))}",
        )


def _sbat_of(context: Context, program: str) -> Component | None:
    for each in context.components.values():
        if each.parent == program and each.labels.get(SECTION) == ".sbat":
            return each
    return None


def _missing(context: Context, program: str, section: Component | None) -> Finding:
    if section is not None:
        return Finding.of(
            codes.SBAT_MISSING, section.id, "its SBAT data cannot be read, so shim refuses it"
        )
    found = Finding.of(codes.SBAT_MISSING, program)
    headers = next(
        each
        for each in context.components.values()
        if each.parent == program and each.kind == "pe-headers"
    )
    if headers.labels.get("name") == LINUX:
        return replace(
            found,
            severity=Severity.WARNING,
            detail="the kernel does not say its generation (SBAT); a boot loader may start it, and"
            " shim itself may not",
        )
    return found


def _named(level: Level) -> str:
    return f"{level} ({level.source} of the shim)" if level.source else str(level)


READER: EvidenceReader = SbatReader()

"""Asks every evidence reader that is plugged in."""

from __future__ import annotations

from msgspec.structs import replace

from assay import plugins
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.model.finding import AssayError, UsageError


def gather_evidence(context: Context) -> Evidence:
    """Everything that the readers find. Raises UsageError."""
    readers: list[EvidenceReader] = [reader for _, reader in plugins.each("assay.evidence")]
    found = Evidence()
    for reader in sorted(readers, key=lambda reader: reader.last):
        try:
            found.absorb(reader.read(replace(context, earlier=found)))
        except AssayError as error:
            found.reading.findings.append(error.finding)
    for file in context.given:
        # a part that is not installed must not make what the user gave count for nothing
        if not file.was_read:
            raise UsageError(
                f"--{file.option} {file.path}: no part of this installation reads such a file;"
                " install Assay again, or the distribution that the option came with"
            )
    return found

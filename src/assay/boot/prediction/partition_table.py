"""PCR 5: the partition table of the disk that is booted from (PFP 1.06, section 3.3.4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from assay.boot.prediction.events import LEAVING, action, event, separator, values_after
from assay.comparison.parts import blob_of
from assay.model.measured_boot import PredictedEvent, PredictedRegister
from assay.pipeline import Gathered
from assay.tcg import names

PCR = 5
_HEADER = 92
_LARGEST = 1 << 20


def table_register(
    gathered: Gathered, banks: Sequence[str], is_last: bool
) -> PredictedRegister | None:
    """The register for a disk with a GPT; None for anything else. ``is_last`` says whether the
    program that the firmware starts leaves boot services itself. Raises AssayError."""
    measured = _measured_data(gathered)
    if measured is None:
        return None
    events: list[PredictedEvent] = [
        separator(banks),
        event(names.EFI_GPT_EVENT, "partition table of the disk", measured, banks, "header"),
    ]
    if not is_last:
        unknown = "what the program starts, and whether it measures its configuration, is not known"
        return PredictedRegister(PCR, tuple(events), {}, unknown)
    events += [action(text, banks) for text in LEAVING]
    return PredictedRegister(PCR, tuple(events), values_after(PCR, events, banks))


def _measured_data(gathered: Gathered) -> bytes | None:
    """UEFI_GPT_DATA (section 10.2.4): the header, and the entries that are in use."""
    found = {each.id: each.kind for each in gathered.reading.components}
    if found.get("header") != "gpt-header" or found.get("entries") != "gpt-entries":
        return None
    header_blob, entries_blob = blob_of(gathered, "header"), blob_of(gathered, "entries")
    if header_blob is None or entries_blob is None or (entries_blob.size or 0) > _LARGEST:
        return None
    header = header_blob.read_at(0, _HEADER)
    size = int.from_bytes(header[84:88], "little")
    table = entries_blob.read_at(0, entries_blob.size or 0)
    if len(header) < _HEADER or size < 128:
        return None
    entries = [table[at : at + size] for at in range(0, len(table) - size + 1, size)]
    used = [entry for entry in entries if any(entry[:16])]
    return header + len(used).to_bytes(8, "little") + b"".join(used)

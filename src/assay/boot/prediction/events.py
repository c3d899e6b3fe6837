"""Predicted events: what is measured, and its digest in each bank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.model.measured_boot import PredictedEvent
from assay.tcg import names
from assay.tcg.replay import digest, extend, initial
from assay.uefi.guid import encode

BANKS = ("sha1", "sha256", "sha384", "sha512")
"""The banks that values are predicted for."""
_SIZES = {bank.name: bank.size for bank in names.BANKS.values()}

CALLING = b"Calling EFI Application from Boot Option"
RETURNING = b"Returning from EFI Application from Boot Option"
LEAVING = (b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success")


def event(
    kind: int, what: str, data: bytes, banks: Sequence[str], component: str = ""
) -> PredictedEvent:
    """An event whose digest is that of ``data``."""
    digests = {bank: value.hex() for bank in banks if (value := digest(bank, data)) is not None}
    return PredictedEvent(names.event_name(kind), what, digests, component)


def digested(
    kind: int, what: str, digests: dict[str, bytes], component: str = ""
) -> PredictedEvent:
    """An event whose digests are known already."""
    values = {bank: value.hex() for bank, value in digests.items()}
    return PredictedEvent(names.event_name(kind), what, values, component)


def separator(banks: Sequence[str]) -> PredictedEvent:
    """The event that closes a PCR of the firmware."""
    return event(names.SEPARATOR, "separator", bytes(4), banks)


def action(text: bytes, banks: Sequence[str]) -> PredictedEvent:
    """Something that the firmware does."""
    return event(names.EFI_ACTION, text.decode(), text, banks)


def values_after(
    pcr: int, events: Iterable[PredictedEvent], banks: Sequence[str]
) -> dict[str, str]:
    """What a PCR holds after events, by bank."""
    values = {bank: initial(pcr, _SIZES[bank]) for bank in banks}
    for each in events:
        for bank in banks:
            values[bank] = extend(bank, values[bank], bytes.fromhex(each.digests[bank]))
    return {bank: value.hex() for bank, value in values.items()}


def variable_data(name: str, vendor: str, value: bytes) -> bytes:
    """UEFI_VARIABLE_DATA (PFP 1.06, section 10.2.6)."""
    encoded = name.encode("utf-16-le")
    sizes = len(name).to_bytes(8, "little") + len(value).to_bytes(8, "little")
    return encode(vendor) + sizes + encoded + value

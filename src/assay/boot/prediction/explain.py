"""What it usually means when an event is not as predicted: most likely cause first."""

from __future__ import annotations

from assay.boot.prediction.events import CALLING, RETURNING
from assay.model.measured_boot import Deviation, PredictedEvent
from assay.tcg import names
from assay.tcg.data import variable_of
from assay.tcg.log import Event

_PROGRAMS = {
    names.EFI_BOOT_SERVICES_APPLICATION,
    names.EFI_BOOT_SERVICES_DRIVER,
    names.EFI_RUNTIME_SERVICES_DRIVER,
}


def meaning(
    deviation: Deviation, pcr: int, predicted: PredictedEvent | None, event: Event | None
) -> str:
    """A sentence for one difference."""
    if deviation is Deviation.REORDERED:
        return (
            "the firmware measures in another order; the value of the PCR differs although the"
            " same was measured"
        )
    if deviation is Deviation.EXTRA and event is not None:
        return _extra(pcr, event)
    if deviation is Deviation.MISSING and predicted is not None:
        return _missing(predicted)
    return _different(pcr, predicted, event)


def _extra(pcr: int, event: Event) -> str:
    if event.kind == names.EFI_ACTION and event.data in (CALLING, RETURNING):
        return "the firmware tried another boot option first, which could not be started"
    if event.kind in _PROGRAMS:
        return (
            "another program was started as well: a boot manager, a driver of a card, or the"
            " kernel within the image"
        )
    if event.kind == names.EFI_VARIABLE_AUTHORITY:
        return "a driver of a card or a further program was allowed by another entry"
    if event.kind == names.SEPARATOR:
        return "the firmware closed the PCR twice, or the log was edited"
    if pcr == 12:
        return "a command line, a credential or an add-on was handed to the image"
    if pcr == 13:
        return "a system extension lies beside the image"
    if pcr == 8:
        return "GRUB, or an old version of systemd's stub, started the kernel"
    return "something was started or handed over that the prediction does not know of"


def _missing(predicted: PredictedEvent) -> str:
    if predicted.type == names.event_name(names.EFI_VARIABLE_AUTHORITY):
        return "Secure Boot was off, or the same entry had allowed a driver before"
    if predicted.type == names.event_name(names.EFI_BOOT_SERVICES_APPLICATION):
        return "the program was not started, or was not loaded by the firmware"
    if predicted.type == names.event_name(names.SEPARATOR):
        return "the firmware did not close the PCR, or the log was edited"
    if predicted.type == names.event_name(names.EFI_ACTION):
        return "this firmware does not tell of it, or tells it in another PCR"
    return "another image was booted, or the boot did not come as far"


def _different(pcr: int, predicted: PredictedEvent | None, event: Event | None) -> str:
    if event is not None and event.kind == names.EFI_VARIABLE_DRIVER_CONFIG:
        found = variable_of(event)
        name = found.name if found is not None else "it"
        if name == "SecureBoot":
            return "Secure Boot is on where it was expected to be off, or the reverse"
        return (
            f"the firmware of the machine has another {name}: keys were enrolled, or an update of"
            " dbx was applied"
        )
    if event is not None and event.kind == names.EFI_VARIABLE_AUTHORITY:
        return "another entry of db allowed the program: it is signed by someone else"
    if event is not None and event.kind in _PROGRAMS:
        return "another version of the program was started; a new signature alone changes nothing"
    if pcr == 9 and predicted is not None and "initrd" in predicted.what:
        return "another initrd was used, or credentials were added to it"
    if pcr == 9:
        return "another command line was used"
    if pcr == 11:
        return "another image was booted, or this part of it was replaced"
    return "something else was measured in its place"

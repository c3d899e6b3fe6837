"""Events that stand where firmware does not measure them (PFP 1.06, sections 2.3.4 and 8.2).

A log with events moved replays to other values than the machine has; these checks say more about
it than that, and hold without knowing the values.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.codes import tcg as codes
from assay.model.finding import Code, Finding
from assay.tcg import names
from assay.tcg.data import SEPARATOR_ERROR, variable_of
from assay.tcg.log import Event, EventLog

CLOSED = range(8)
"""The PCRs that firmware closes with a separator before it starts a boot loader."""
_FIRMWARE = {
    names.S_CRTM_CONTENTS,
    names.S_CRTM_VERSION,
    names.EFI_HCRTM_EVENT,
    names.EFI_PLATFORM_FIRMWARE_BLOB,
    names.EFI_PLATFORM_FIRMWARE_BLOB2,
}
_ENTER, _LEAVE = b"Exit Boot Services Invocation", b"Exit Boot Services Returned"


def check_order(log: EventLog) -> Iterator[Finding]:
    """What is odd about the order. Of the registers of confidential machines, which stand for
    several PCRs each, nothing can be said."""
    if log.confidential:
        return
    closed: dict[int, Event] = {}
    started: Event | None = None
    invoked = False
    for event in log.events:
        if not event.measured:
            continue
        if event.kind == names.SEPARATOR and event.pcr in CLOSED:
            yield from _separator(event, closed)
            closed.setdefault(event.pcr, event)
        elif event.pcr == 0 and event.kind in _FIRMWARE and 0 in closed:
            yield _odd(event, f"{event.name} follows the separator of PCR 0")
        elif event.pcr == 7 and 7 in closed and event.kind == names.EFI_VARIABLE_DRIVER_CONFIG:
            found = variable_of(event)
            what = f"the variable {found.name}" if found is not None else event.name
            yield _odd(event, f"{what} was measured after PCR 7 had been closed by its separator")
        elif event.pcr == 4 and event.kind == names.EFI_BOOT_SERVICES_APPLICATION:
            started = started or event
            if 4 not in closed:
                yield _odd(event, "a program was started before PCR 4 was closed by its separator")
        elif event.kind == names.EFI_ACTION and event.data.startswith(_ENTER):
            invoked = True
        elif event.kind == names.EFI_ACTION and event.data.startswith(_LEAVE) and not invoked:
            yield _odd(event, "boot services were left before anybody asked to leave them")
    missing = [str(pcr) for pcr in CLOSED if pcr not in closed]
    if started is not None and missing and log.complete:
        yield _odd(started, f"no separator closes PCR {', '.join(missing)}")


def _separator(event: Event, closed: dict[int, Event]) -> Iterator[Finding]:
    before = closed.get(event.pcr)
    if before is not None:
        yield _odd(
            event, f"a second separator in PCR {event.pcr}; event {before.number} is the first one"
        )
    if event.data == SEPARATOR_ERROR:
        yield _odd(event, f"PCR {event.pcr} was closed with an error", codes.TCG_SEPARATOR_ERROR)


def _odd(event: Event, detail: str, code: Code = codes.TCG_EVENT_ORDER) -> Finding:
    return Finding.of(
        code, f"event[{event.number}]", f"event {event.number}: {detail}", offset=event.start
    )

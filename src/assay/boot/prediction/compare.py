"""A prediction against an event log: event by event, with what a difference usually comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from msgspec.structs import replace

from assay.boot.prediction.explain import meaning
from assay.model.codes import tcg as codes
from assay.model.finding import Finding
from assay.model.measured_boot import (
    BootComparison,
    Deviation,
    EventDifference,
    FurtherEvent,
    NotPredicted,
    PredictedEvent,
    PredictedRegister,
    Prediction,
    RegisterComparison,
    RegisterOutcome,
)
from assay.tcg import names
from assay.tcg.covered import covered_by
from assay.tcg.data import said_by
from assay.tcg.log import Event, EventLog, only
from assay.tcg.order import check_order
from assay.tcg.replay import Replayed, initial, replay

_BANK = "sha256"
_NAMED = {names.EFI_BOOT_SERVICES_APPLICATION, names.IPL, names.EVENT_TAG}
_PROGRAMS, _FILES = 4, 9
"""The PCRs that programs, and files that boot loaders read, are measured into."""


def compare_with_log(
    prediction: Prediction,
    log: EventLog,
    log_name: str,
    parts: Mapping[str, str] | None = None,
) -> BootComparison:
    """Compare. Of what is wrong with the log itself the findings tell. ``parts`` are parts of the
    image by their SHA-256 digests (hexadecimal), so that what was measured can be named."""
    parts = parts or {}
    replayed = replay(log)
    findings = [*log.findings, *replayed.findings, *check_order(log), *_lies(log)]
    banks = [
        bank.name
        for bank in log.banks
        if bank.name in prediction.banks and bank.name in replayed.values
    ]
    if banks == ["sha1"]:
        findings.append(
            Finding.of(codes.TCG_LOG_SHA1, detail="other programs may have been started")
        )
    left_out = list(prediction.not_predicted)
    registers: list[RegisterComparison] = []
    for predicted in prediction.registers:
        if banks and not log.confidential:
            registers.append(_register(predicted, log, replayed, banks, parts))
        else:
            reason = "the log has no bank that was predicted"
            left_out.append(NotPredicted((predicted.pcr,), reason))
    return BootComparison(
        prediction.image,
        log_name,
        tuple(registers),
        tuple(left_out),
        tuple(findings),
        tuple(_further(prediction, log, parts)) if parts else (),
    )


def _further(
    prediction: Prediction, log: EventLog, parts: Mapping[str, str]
) -> Iterator[FurtherEvent]:
    """What was started and read in PCRs whose events are not all predicted."""
    predicted = {each.pcr: each for each in prediction.registers}
    for pcr in (_PROGRAMS, _FILES):
        register = predicted.get(pcr)
        if register is not None and not register.unknown:
            continue
        told = {each.digests.get(_BANK) for each in register.events} if register else set()
        for event in only(log, pcr):
            digest = event.digest(_BANK)
            if digest is None or digest.hex() in told or event.kind not in _NAMED:
                continue
            yield FurtherEvent(
                pcr, event.number, event.name, said_by(event).text, parts.get(digest.hex(), "")
            )


def _lies(log: EventLog) -> Iterator[Finding]:
    for event in log.events:
        if covered_by(event).lies:
            yield Finding.of(
                codes.TCG_EVENT_DATA,
                f"event[{event.number}]",
                f"event {event.number} ({event.name}) in PCR {event.pcr} says:"
                f" {said_by(event).text}; that is not what was measured",
                offset=event.data_start,
                cause="tampering",
            )


def _register(
    predicted: PredictedRegister,
    log: EventLog,
    replayed: Replayed,
    banks: Sequence[str],
    parts: Mapping[str, str],
) -> RegisterComparison:
    pcr = predicted.pcr
    events = list(only(log, pcr))
    sizes = {bank.name: bank.size for bank in log.banks}
    logged = {
        bank: replayed.values[bank].get(pcr, initial(pcr, sizes[bank], replayed.locality)).hex()
        for bank in banks
        if pcr in replayed.values[bank] or not events
    }
    wanted = {bank: predicted.values[bank] for bank in banks if bank in predicted.values}
    found: tuple[EventDifference, ...] = ()
    # one bank tells; the others are looked at where that one has nothing to say
    for bank in sorted(banks, key=lambda each: each != _BANK):
        found = tuple(
            replace(each, measured=parts.get(each.actual, "")) if bank == _BANK else each
            for each in _differences(predicted, events, bank)
        )
        if found:
            break
    if predicted.unknown:
        found = tuple(each for each in found if each.deviation is not Deviation.EXTRA)
        outcome = RegisterOutcome.DIFFERENT if found else RegisterOutcome.AS_FAR_AS_KNOWN
        return RegisterComparison(pcr, outcome, {}, logged, found)
    equal = (
        not found
        and bool(wanted)
        and bool(logged)
        and all(logged.get(bank) == wanted[bank] for bank in wanted)
    )
    outcome = RegisterOutcome.EQUAL if equal else RegisterOutcome.DIFFERENT
    return RegisterComparison(pcr, outcome, wanted, logged, found)


def _differences(
    predicted: PredictedRegister, events: Sequence[Event], bank: str
) -> Iterator[EventDifference]:
    """The events that are not as predicted, in the order of the log."""
    wanted = [bytes.fromhex(each.digests[bank]) for each in predicted.events]
    logged = [each.digest(bank) for each in events]
    missing: list[int] = []
    extra: list[int] = []
    changed: list[tuple[int, int]] = []
    matcher = SequenceMatcher(None, wanted, logged, autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs, alone, more = _paired(predicted.events, events, range(a, a_end), range(b, b_end))
        changed += pairs
        missing += alone
        extra += more
    moved = [(a, b) for a in missing for b in extra if wanted[a] == logged[b]]
    for a, b in moved:
        if a in missing and b in extra:
            missing.remove(a)
            extra.remove(b)
            yield _told(Deviation.REORDERED, predicted.pcr, bank, predicted.events[a], events[b])
    for a, b in changed:
        yield _told(Deviation.DIFFERENT, predicted.pcr, bank, predicted.events[a], events[b])
    for a in missing:
        yield _told(Deviation.MISSING, predicted.pcr, bank, predicted.events[a], None)
    for b in extra:
        yield _told(Deviation.EXTRA, predicted.pcr, bank, None, events[b])


def _paired(
    predicted: Sequence[PredictedEvent], events: Sequence[Event], mine: range, theirs: range
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Of a stretch that differs, the events of the same type one by one, and what is left over."""
    pairs: list[tuple[int, int]] = []
    left = list(theirs)
    alone: list[int] = []
    for a in mine:
        b = next((each for each in left if events[each].name == predicted[a].type), None)
        if b is None:
            alone.append(a)
        else:
            left.remove(b)
            pairs.append((a, b))
    return pairs, alone, left


def _told(
    deviation: Deviation,
    pcr: int,
    bank: str,
    predicted: PredictedEvent | None,
    event: Event | None,
) -> EventDifference:
    logged = said_by(event).text if event is not None else ""
    what = predicted.what if predicted is not None else f"{event.name}" if event else ""
    digest = event.digest(bank) if event is not None else None
    return EventDifference(
        pcr,
        deviation,
        what,
        meaning(deviation, pcr, predicted, event),
        bank,
        event=event.number if event is not None else None,
        expected=predicted.digests[bank] if predicted is not None else "",
        actual=digest.hex() if digest is not None else "",
        component=predicted.component if predicted is not None else "",
        logged=logged,
    )

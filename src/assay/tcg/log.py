"""The event log itself (PFP 1.06, sections 10.2.1 and 10.2.2): TCG_PCR_EVENT, in which all digests
are SHA-1, and TCG_PCR_EVENT2, in which each event has one digest a bank."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits
from assay.model.codes import tcg as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Code, Finding
from assay.model.spans import Span
from assay.printable import printable
from assay.tcg import names

SPEC_ID = b"Spec ID Event03\0"
_OLD_SPEC_IDS = (b"Spec ID Event00\0", b"Spec ID Event02\0")
_HEADER = 32
"""Bytes of a TCG_PCR_EVENT before its data."""


class Recorded(Struct, frozen=True):
    """One digest of an event; ``start`` is where its value is in the log."""

    bank: str
    value: bytes
    start: int


class Event(Struct, frozen=True):
    """``number`` counts from 0, as tpm2_eventlog does; ``start`` is where the event is in the log,
    and ``data_start`` its data."""

    number: int
    pcr: int
    kind: int
    digests: tuple[Recorded, ...]
    data: bytes
    start: int
    data_start: int

    @property
    def name(self) -> str:
        """The name of its type."""
        return names.event_name(self.kind)

    @property
    def span(self) -> Span:
        """Where it is in the log."""
        return self.start, self.data_start + len(self.data)

    @property
    def measured(self) -> bool:
        """Whether a PCR was extended with its digests. EV_NO_ACTION only tells something."""
        return self.kind != names.NO_ACTION

    def digest(self, bank: str) -> bytes | None:
        """Its digest in a bank."""
        return next((each.value for each in self.digests if each.bank == bank), None)


class EventLog(Struct, frozen=True):
    """``banks`` are those that the log says it has. ``end`` is where the events end; what follows
    is filling, unless ``findings`` say otherwise. ``complete`` is False where a part of the events
    could not be read: whatever is replayed then is not what a PCR holds."""

    agile: bool
    banks: tuple[names.Bank, ...]
    events: tuple[Event, ...]
    end: int
    specification: str = ""
    vendor: bytes = b""
    findings: tuple[Finding, ...] = ()
    complete: bool = True

    @property
    def confidential(self) -> bool:
        """Whether the registers are those of a confidential virtual machine (Intel TDX) and not
        PCRs: there, firmware has 1 in the event that names the specification (UEFI Specification
        section 38.4.1). Register 0 is MRTD then, and the others RTMR 0 and so on."""
        return self.agile and self.events[0].pcr == 1


def looks_like_log(head: bytes) -> bool:
    """Whether a file that starts so is an event log: by the event that names the specification, or
    by a first event of a type and a PCR that there are, followed by a second one."""
    if len(head) < _HEADER:
        return False
    pcr, kind, size = _u32(head, 0), _u32(head, 4), _u32(head, 28)
    if kind == names.NO_ACTION:
        start = head[_HEADER : _HEADER + 16]
        return size >= 16 and (start == SPEC_ID or start in _OLD_SPEC_IDS)
    after = _HEADER + size
    if pcr > 23 or kind not in names.EVENTS or not any(head[8:28]) or after + 8 > len(head):
        return False
    # zero is a PCR, and a type of old: by themselves they say nothing
    return _u32(head, after) <= 23 and _u32(head, after + 4) in names.EVENTS.keys() - {0}


def read_log(data: bytes) -> EventLog:
    """The log. Raises AssayError where not even the beginning is as it has to be; of what is wrong
    further on, a finding tells, and the log has the events before that."""
    if len(data) > limits.TCG_LOG_SIZE:
        raise AssayError(
            Finding.of(LIMIT_EXCEEDED, detail=f"a log of more than {limits.TCG_LOG_SIZE} bytes")
        )
    first = _Reader(data, 0).old_event(0)
    if first.kind == names.NO_ACTION and first.data.startswith(SPEC_ID):
        return _agile(data, first)
    old = first.kind == names.NO_ACTION and first.data[:16] in _OLD_SPEC_IDS
    found = _events(_Reader(data, 0), 0, None)
    version = _version(first.data, 20) if old and len(first.data) >= 24 else ""
    return EventLog(
        False, (names.BANKS[names.SHA1],), found.events, found.end, version, b"", *found.rest
    )


def _agile(data: bytes, first: Event) -> EventLog:
    """PFP 1.06, section 10.4.5.1: TCG_EfiSpecIDEventStruct."""
    body, at = first.data, first.data_start
    if len(body) < 29:
        raise _malformed("the event that names the specification is cut short", at)
    count = _u32(body, 24)
    if not 0 < count <= limits.TCG_BANKS or 29 + 4 * count > len(body):
        raise _malformed(f"{count} banks in the event that names the specification", at + 24)
    banks: dict[int, names.Bank] = {}
    for number in range(count):
        place = 28 + 4 * number
        kind, size = _u16(body, place), _u16(body, place + 2)
        known = names.BANKS.get(kind)
        if kind in banks or not 0 < size <= limits.TCG_DIGEST_SIZE:
            raise _malformed(f"bank 0x{kind:04x} with digests of {size} bytes", at + place)
        if known is not None and known.size != size:
            raise _malformed(f"{known.name} digests of {size} bytes", at + place)
        banks[kind] = known or names.Bank(f"algorithm-0x{kind:04x}", size)
    vendor = body[29 + 4 * count :]
    if len(vendor) != body[28 + 4 * count]:
        raise _malformed(
            f"{body[28 + 4 * count]} bytes of vendor information, and {len(vendor)} are there",
            at + 28 + 4 * count,
        )
    found = _events(_Reader(data, first.span[1]), 1, banks)
    return EventLog(
        True,
        tuple(banks.values()),
        (first, *found.events),
        found.end,
        _version(body, 20),
        vendor,
        *found.rest,
    )


def _version(body: bytes, at: int) -> str:
    minor, major, errata = body[at], body[at + 1], body[at + 2]
    return f"{major}.{minor} errata {errata}" if errata else f"{major}.{minor}"


class _Found(Struct):
    events: tuple[Event, ...]
    end: int
    rest: tuple[tuple[Finding, ...], bool]
    """The findings, and whether that is all."""


def _events(reader: _Reader, number: int, banks: dict[int, names.Bank] | None) -> _Found:
    """All events from here on."""
    events: list[Event] = []
    while reader.at < len(reader.data):
        if reader.only_filling():
            break
        start = reader.at
        try:
            if number >= limits.TCG_EVENTS:
                raise AssayError(
                    Finding.of(
                        LIMIT_EXCEEDED, detail=f"more than {limits.TCG_EVENTS} events", offset=start
                    )
                )
            event = reader.old_event(number) if banks is None else reader.event(number, banks)
        except AssayError as error:
            return _Found(tuple(events), start, ((error.finding,), False))
        events.append(event)
        number += 1
    return _Found(tuple(events), reader.at, ((), True))


class _Reader:
    """Goes through the bytes. Every method raises AssayError (tcg-log-malformed, -truncated)."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        last = data[-1:]
        self._filling = len(data.rstrip(last)) if last in (b"\0", b"\xff") else len(data)
        """Where nothing but one byte begins, up to the end."""

    def only_filling(self) -> bool:
        """Whether nothing but zeros or nothing but ones (0xff) follow: the rest of a buffer."""
        return len(self.data) - self.at >= 8 and self.at >= self._filling

    def old_event(self, number: int) -> Event:
        """A TCG_PCR_EVENT."""
        start = self.at
        pcr, kind = self.u32(), self.u32()
        digest = Recorded(names.BANKS[names.SHA1].name, self.take(20, "a digest"), self.at - 20)
        return self._finish(number, pcr, kind, (digest,), start)

    def event(self, number: int, banks: dict[int, names.Bank]) -> Event:
        """A TCG_PCR_EVENT2."""
        start = self.at
        pcr, kind, count = self.u32(), self.u32(), self.u32()
        if count > len(banks):
            raise _malformed(
                f"event {number} has {count} digests, and the log {len(banks)} banks", self.at - 4
            )
        digests: list[Recorded] = []
        for _ in range(count):
            algorithm = int.from_bytes(self.take(2, "a digest"), "little")
            bank = banks.get(algorithm)
            if bank is None:
                raise _malformed(
                    f"event {number} has a digest of a bank that the log does not have:"
                    f" 0x{algorithm:04x}",
                    self.at - 2,
                )
            if any(each.bank == bank.name for each in digests):
                raise _malformed(f"event {number} has two {bank.name} digests", self.at - 2)
            value = self.take(bank.size, "a digest")
            digests.append(Recorded(bank.name, value, self.at - bank.size))
        return self._finish(number, pcr, kind, tuple(digests), start)

    def _finish(
        self, number: int, pcr: int, kind: int, digests: tuple[Recorded, ...], start: int
    ) -> Event:
        size, at = self.u32(), self.at
        what = f"the data of event {number} ({names.event_name(kind)}, {size} bytes)"
        return Event(number, pcr, kind, digests, self.take(size, what), start, at)

    def u32(self) -> int:
        return int.from_bytes(self.take(4, "an event"), "little")

    def take(self, length: int, what: str) -> bytes:
        """The next bytes."""
        found = self.data[self.at : self.at + length]
        if len(found) < length:
            raise AssayError(
                Finding.of(
                    codes.TCG_LOG_TRUNCATED,
                    detail=f"the log ends within {what}",
                    expected=f"{length} bytes at byte {self.at}",
                    actual=f"{len(found)} bytes",
                    offset=self.at,
                    cause="truncation",
                )
            )
        self.at += length
        return found


def text_of(data: bytes) -> str:
    """ASCII text as it stands in events, with or without a final NUL, for showing."""
    return printable(data.rstrip(b"\0"), limits.TCG_SHOWN)


def only(log: EventLog, pcr: int) -> Iterator[Event]:
    """The events that extend a PCR."""
    return (event for event in log.events if event.pcr == pcr and event.measured)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _malformed(detail: str, offset: int, code: Code = codes.TCG_LOG_MALFORMED) -> AssayError:
    return AssayError(Finding.of(code, detail=f"{detail} (at byte {offset})", offset=offset))

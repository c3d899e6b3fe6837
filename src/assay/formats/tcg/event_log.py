"""An event log as components and claims.

Each PCR of each bank is a component, derived from the digests that it was extended with, and its
value is that component's digest. Where an event's digest has to be that of its data, this component
claims the data: so who knows a PCR's value knows what the events say, as far as digests cover it,
and an event that was edited is a claim that fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay import limits
from assay.formats.unchanged import unchanged_request
from assay.measure.inflaters.replay import replay_transform
from assay.model.claim import Claim, DigestIs
from assay.model.codes import tcg as codes
from assay.model.component import Component, Derived, Slice
from assay.model.digest import ALGORITHMS, Digest, Strength
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.spans import Span
from assay.tcg.covered import Coverage, covered_by
from assay.tcg.data import said_by
from assay.tcg.log import Event, EventLog, read_log
from assay.tcg.order import check_order
from assay.tcg.replay import Replayed, initial, replay

KIND = "tcg-event-log"
MEASURED = "data-measured"
"""The label of events that says whether their digest is of their data."""
_PREFERRED = ("sha256", "sha384")


def read_event_log(site: Site) -> Reading:
    """The log at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", KIND, whole.extent, size=site.blob.size)
    reading = Reading(components=[whole], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    try:
        data = site.blob.read_at(0, limits.TCG_LOG_SIZE + 1)
        log = read_log(data)
    except AssayError as error:
        reading.findings.append(_placed(error.finding, whole.id, site))
        return reading
    reading.requests.append((whole.id, unchanged_request(data)))
    _Log(site, whole, log, reading).read(len(data))
    return reading


class _Log:
    def __init__(self, site: Site, whole: Component, log: EventLog, reading: Reading) -> None:
        self._site = site
        self._whole = whole
        self._log = log
        self._reading = reading
        strong = [bank.name for bank in log.banks if is_binding(bank.name)]
        self._bank = next((name for name in _PREFERRED if name in strong), (*strong, "")[0])
        """The bank whose digests are claims."""

    def read(self, size: int) -> None:
        log, reading = self._log, self._reading
        replayed = replay(log)
        # what fills a buffer says nothing
        filling = ((log.end, size),) if log.complete and log.end < size else ()
        reading.components[0] = replace(
            self._whole, kind=KIND, description=_description(log), excluded=filling
        )
        reading.findings += [
            _placed(found, self._whole.id, self._site)
            for found in (*log.findings, *replayed.findings, *check_order(log))
        ]
        if not self._bank:
            reading.findings.append(Finding.of(codes.TCG_LOG_SHA1, self._whole.id))
        for event in log.events:
            self._event(event, covered_by(event))
        reading.components += self._registers(replayed)

    def _event(self, event: Event, coverage: Coverage) -> None:
        size = len(event.data)
        spans = ((0, size),) if coverage.spans is None else coverage.spans
        said = said_by(event)
        name = self._site.child(f"event[{event.number}]")
        self._reading.components.append(
            Component(
                name,
                event.name,
                Slice(
                    self._whole.id,
                    tuple((event.data_start + a, event.data_start + b) for a, b in spans),
                ),
                parent=self._whole.id,
                size=sum(end - start for start, end in spans),
                labels={
                    "name": f"{self._register(event.pcr)}  {said.text}",
                    "register": str(event.pcr),
                    MEASURED: "no" if coverage.spans is None else "yes",
                    **said.fields,
                    **{f"digest-{each.bank}": each.value.hex() for each in event.digests},
                },
            )
        )
        if coverage.spans is None and not coverage.required:
            return
        if coverage.lies:
            self._reading.findings.append(
                Finding.of(
                    codes.TCG_EVENT_DATA,
                    name,
                    f"event {event.number} ({event.name}) in {self._register(event.pcr)} says:"
                    f" {said.text}; that is not what was measured",
                    offset=event.data_start,
                    cause="tampering",
                )
            )
        value = event.digest(self._bank) if self._bank else None
        if value is not None:
            said_so = self._site.child(_register_name(self._bank, event.pcr))
            expected = DigestIs(Digest(self._bank, value))
            self._reading.claims.append(Claim(name, said_so, expected, f"event {event.number}"))

    def _register(self, number: int) -> str:
        if not self._log.confidential:
            return f"PCR {number}" if number <= 23 else "no PCR"
        return f"RTMR {number - 1}" if number else "MRTD"

    def _registers(self, replayed: Replayed) -> Iterator[Component]:
        """The digests of each bank and PCR, and what they come to."""
        for bank in self._log.banks:
            used: dict[int, list[Span]] = {}
            for event in self._log.events:
                for each in event.digests if event.measured else ():
                    if each.bank == bank.name:
                        spans = used.setdefault(event.pcr, [])
                        # the PCR is what the replay reads of an event beside its digest
                        spans.append((event.start, event.start + 4))
                        spans.append((each.start, each.start + len(each.value)))
            for pcr, spans in sorted(used.items()):
                value = replayed.values.get(bank.name, {}).get(pcr)
                shown = value.hex() if value is not None else "not known"
                partly = "" if self._log.complete else " (of the events that could be read)"
                extent: Slice | Derived = Slice(self._whole.id, tuple(spans))
                size = sum(end - start for start, end in spans)
                if value is not None and not partly and bank.name in ALGORITHMS:
                    start = initial(pcr, bank.size, replayed.locality)
                    transform = replay_transform(bank.name, start)
                    extent, size = Derived(self._whole.id, transform, extent.spans), 2 * bank.size
                yield Component(
                    self._site.child(_register_name(bank.name, pcr)),
                    "pcr",
                    extent,
                    parent=self._whole.id,
                    size=size,
                    labels={
                        "name": f"{shown}{partly}",
                        "register": str(pcr),
                        "bank": bank.name,
                        **({"value": value.hex()} if value is not None and not partly else {}),
                    },
                )


def is_binding(bank: str) -> bool:
    """Whether nobody can make other data with the digests of this bank."""
    known = ALGORITHMS.get(bank)
    return known is not None and known.strength is Strength.BINDING


def _register_name(bank: str, pcr: int) -> str:
    return f"{bank}/pcr[{pcr}]"


def _description(log: EventLog) -> str:
    banks = ", ".join(bank.name for bank in log.banks)
    version = f", version {log.specification}" if log.specification else ""
    return f"{len(log.events)} events, {banks}{version}"


def _placed(finding: Finding, whole: str, site: Site) -> Finding:
    component = site.child(finding.component) if finding.component else whole
    return replace(finding, component=component)

"""What the PCRs hold after all that a log tells of (PFP 1.06, sections 2.3.4 and 10.4.5.3)."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from assay.model.codes import tcg as codes
from assay.model.finding import Finding
from assay.tcg import names
from assay.tcg.log import Event, EventLog

STARTUP_LOCALITY = b"StartupLocality\0"
_HASHLIB = {"sm3-256": "sm3"}
LAST_PCR = 23
_DYNAMIC = range(17, 23)
"""PCRs that hold ones, and not zeros, until a dynamic launch."""


class Replayed(Struct, frozen=True):
    """``values`` are by bank and PCR, of those that events extend; of a bank whose algorithm is not
    known, or in which an event has no digest, there is none. ``locality`` is the one that the TPM
    was started from, which PCR 0 begins with."""

    values: dict[str, dict[int, bytes]]
    locality: int
    findings: tuple[Finding, ...]


def digest(bank: str, data: bytes) -> bytes | None:
    """The digest in a bank; None where its algorithm cannot be computed here."""
    try:
        return hashlib.new(_HASHLIB.get(bank, bank.replace("-", "_")), data).digest()
    except ValueError:
        return None


def extend(bank: str, value: bytes, with_digest: bytes) -> bytes:
    """A PCR's value after TPM2_PCR_Extend. Raises ValueError for a bank that is not known."""
    found = digest(bank, value + with_digest)
    if found is None:
        raise ValueError(bank)
    return found


def initial(pcr: int, size: int, locality: int = 0) -> bytes:
    """What a PCR holds before the first event."""
    if pcr == 0:
        return bytes(size - 1) + bytes([locality])
    return b"\xff" * size if pcr in _DYNAMIC else bytes(size)


def replay(log: EventLog) -> Replayed:
    """Extend all PCRs. Raises nothing."""
    findings: list[Finding] = []
    locality = _locality(log, findings)
    values: dict[str, dict[int, bytes]] = {}
    for bank in log.banks:
        if digest(bank.name, b"") is None:
            findings.append(
                Finding.of(codes.TCG_BANK_UNKNOWN, detail=f"PCR values of bank {bank.name}")
            )
            continue
        values[bank.name] = _replay(log, bank, locality, findings)
    return Replayed(values, locality, tuple(findings))


def _replay(
    log: EventLog, bank: names.Bank, locality: int, findings: list[Finding]
) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    lost: set[int] = set()
    for event in log.events:
        if not event.measured or event.pcr > LAST_PCR or event.pcr in lost:
            continue
        recorded = event.digest(bank.name)
        if recorded is None:
            lost.add(event.pcr)
            values.pop(event.pcr, None)
            findings.append(
                Finding.of(
                    codes.TCG_DIGEST_MISSING,
                    f"event[{event.number}]",
                    f"event {event.number} ({event.name}) has no {bank.name} digest, so that the"
                    f" value of PCR {event.pcr} is not known in this bank",
                    offset=event.start,
                )
            )
            continue
        before = values.get(event.pcr) or initial(event.pcr, bank.size, locality)
        values[event.pcr] = extend(bank.name, before, recorded)
    return dict(sorted(values.items()))


def _locality(log: EventLog, findings: list[Finding]) -> int:
    """Where the TPM was started from: the first event that says so, if PCR 0 is as it was then."""
    found: int | None = None
    extended = False
    for event in log.events:
        if event.measured:
            extended = extended or event.pcr == 0
            continue
        if not is_locality(event):
            continue
        said = event.data[16]
        if found is not None or extended or said not in (0, 3, 4):
            why = (
                "the log says so before already"
                if found is not None
                else "PCR 0 had been extended before"
                if extended
                else "a TPM cannot be started from there"
            )
            findings.append(
                Finding.of(
                    codes.TCG_LOCALITY,
                    f"event[{event.number}]",
                    f"event {event.number} says that the TPM was started from locality {said};"
                    f" {why}",
                    offset=event.data_start,
                )
            )
            continue
        found = said
    return found or 0


def is_locality(event: Event) -> bool:
    """Whether an event says from which locality the TPM was started."""
    return (
        event.kind == names.NO_ACTION
        and len(event.data) == 17
        and event.data.startswith(STARTUP_LOCALITY)
    )

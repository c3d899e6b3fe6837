"""Which entry lets a program start, and so is measured into PCR 7 (PFP 1.06, section 3.3.4.8).

Firmware goes through the signatures in the order of the file, and for each through db; the first
entry that allows the program is measured. Without one it is the digest of the program that counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

from assay.boot.chain import rules_of
from assay.boot.databases import Databases
from assay.boot.judge import judge
from assay.boot.programs import Program as Judged
from assay.model.boot import Ground, Outcome
from assay.model.finding import Finding
from assay.uefi.signature_list import Entry, read_lists

_PLACE = re.compile(r"list\[(\d+)\]/entry\[(\d+)\]")


class Authority(Struct, frozen=True):
    """``ground`` is what lets the program start; None where it is refused, or where that cannot be
    told: ``findings`` say why."""

    ground: Ground | None
    findings: tuple[Finding, ...]


def authority_of(program: Judged, databases: Databases, shim: Judged | None = None) -> Authority:
    """Ask firmware, or the shim that starts the program."""
    findings: list[Finding] = []
    rules = rules_of(program, shim, databases, None, findings)
    judgement = judge(program, rules, datetime.now(UTC))
    if judgement.outcome is not Outcome.ALLOWED:
        return Authority(None, judgement.findings)
    by_signature = [ground for ground in judgement.allowed_by if ground.signature]
    return Authority((by_signature or list(judgement.allowed_by))[0], ())


def entry_at(data: bytes, place: str) -> Entry | None:
    """The entry of signature lists at a place (``list[0]/entry[1]``)."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return None
    return read_lists(data)[int(found[1])].entries[int(found[2])]

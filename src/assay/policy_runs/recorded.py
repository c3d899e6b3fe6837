"""Facts that were recorded: in files of facts, in reports as JSON, and in ledgers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from assay import limits, strict_json
from assay.evidence.model import read_bounded
from assay.model.codes import content as content_codes
from assay.model.finding import AssayError, Finding
from assay.model.verdict import Verdict
from assay.policy.facts import Facts, facts_from, facts_of

if TYPE_CHECKING:
    from assay.ledger.log import Log

_PAGE = 500


class Recorded(Struct, frozen=True):
    """One image on record. ``place`` says where, ``facts`` what was known of it; ``verdict`` is
    what was decided then, None where facts alone were recorded."""

    place: str
    facts: Facts
    verdict: Verdict | None = None


def recorded_in(path: Path) -> list[Recorded]:
    """What a file has on record: facts (``--record-facts``), a report as JSON or JSON Lines. Raises
    UsageError where it cannot be read, and AssayError for content that is none of these, or for a
    verdict that no policy can be judged on."""
    data = read_bounded(path, limits.FACTS_SIZE, str(path))
    try:
        documents = [strict_json.parse_object(data, str(path))]
    except AssayError:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines[:2]):
            raise
        documents = [strict_json.parse_object(line, str(path)) for line in lines]
    found = [one for document in documents for one in _in_document(document, str(path))]
    if len(found) == 1:
        return found
    return [
        Recorded(f"{one.place} ({number})", one.facts, one.verdict)
        for number, one in enumerate(found, 1)
    ]


def _in_document(document: dict[str, Any], place: str) -> Iterator[Recorded]:
    if "assay_facts" in document:
        yield Recorded(place, facts_from(document, place))
        return
    listed = document.get("verdicts", [document])
    try:
        verdicts = msgspec.convert(listed, list[Verdict])
    except msgspec.ValidationError as error:
        detail = f"neither facts nor verdicts of Assay: {error}"
        raise AssayError(Finding.of(content_codes.MALFORMED, place, detail)) from error
    for verdict in verdicts:
        yield Recorded(place, facts_of(verdict), verdict)


def recorded_by(log: Log) -> Iterator[Recorded | str]:
    """What a ledger has on record; of entries that cannot be judged again, where they are and why
    not. Raises AssayError for a ledger that cannot be read."""
    from assay.ledger.search import verdict_in

    end = log.checkpoint()[0].size
    for start in range(0, end, _PAGE):
        for row in log.rows(start, min(start + _PAGE, end)):
            place = f"entry {row.index}"
            verdict = verdict_in(row)
            if verdict is None:
                yield f"{place}: the verdict is not kept"
                continue
            try:
                facts = facts_of(verdict)
            except AssayError:
                yield f"{place}: it was recorded without what a policy is judged on"
                continue
            yield Recorded(place, facts, verdict)

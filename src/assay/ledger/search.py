"""Finding entries by what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from assay.ledger.entry import Entry, parse
from assay.ledger.log import Log
from assay.ledger.store import Row
from assay.model.verdict import Verdict

_PAGE = 500


class Found(Struct, frozen=True):
    """An entry and its index."""

    index: int
    entry: Entry


class Wanted(Struct, frozen=True):
    """Conditions, of which all have to hold; an empty one always does. ``since`` and ``until``
    are RFC 3339 in UTC, the latter exclusive. Texts are found anywhere in the name, whatever
    their case; a finding is meant by its whole code."""

    image: str = ""
    decision: str = ""
    finding: str = ""
    signer: str = ""
    ticket: str = ""
    environment: str = ""
    since: str = ""
    until: str = ""

    def fits(self, entry: Entry) -> bool:
        names = [entry.image, entry.resolved]
        signers = [text for one in entry.vouched for text in (one.anchor, one.signer)]
        return (
            _within(self.image, names)
            and self.decision in {"", entry.decision}
            and (not self.finding or any(self.finding in f.split()[1:2] for f in entry.findings))
            and _within(self.signer, signers)
            and _within(self.ticket, [entry.context.ticket])
            and _within(self.environment, [entry.context.environment])
            and (not self.since or entry.time >= self.since)
            and (not self.until or entry.time < self.until)
        )


def _within(wanted: str, texts: list[str]) -> bool:
    return not wanted or any(wanted.casefold() in text.casefold() for text in texts)


def search(log: Log, wanted: Wanted, limit: int) -> Iterator[Found]:
    """The newest entries that fit, the newest first. Raises AssayError."""
    end = log.checkpoint()[0].size
    while end > 0 and limit > 0:
        start = max(0, end - _PAGE)
        for row in reversed(log.rows(start, end)):
            found = found_in(row)
            if wanted.fits(found.entry):
                yield found
                limit -= 1
                if not limit:
                    return
        end = start


def found_in(row: Row) -> Found:
    """What a row holds. Raises AssayError (ledger-entry-malformed)."""
    return Found(row.index, parse(row.leaf))


def verdict_in(row: Row) -> Verdict | None:
    """The whole verdict, where it is still kept and is the one that the entry names."""
    if row.body is None or hashlib.sha256(row.body).hexdigest() != parse(row.leaf).body:
        return None
    try:
        return msgspec.json.decode(row.body, type=Verdict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

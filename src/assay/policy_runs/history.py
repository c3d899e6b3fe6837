"""What a ledger has on record of an image's versions, for policies that allow no rollback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.ledger.entry import Entry, parse
from assay.ledger.log import Log
from assay.ledger.search import verdict_in
from assay.ledger.store import Row
from assay.model.finding import AssayError
from assay.model.grounds import SeenVersion
from assay.model.verdict import Decision
from assay.policy.evaluate.model import Known
from assay.policy.evaluate.version import stated
from assay.policy.evaluate.versions import Version, read_version
from assay.policy.facts import facts_of
from assay.policy.judge import time_of
from assay.policy.names import registry_name

_PAGE = 500


def seen_versions(
    log: Log, name: str, wanted: Sequence[tuple[str, str]]
) -> tuple[SeenVersion, ...]:
    """The highest version of the repository of ``name`` that was ever allowed, for each place where
    one may stand, with the order by which they compare. Raises AssayError for a ledger that cannot
    be read."""
    repository = registry_name(name).repository
    if not wanted or not repository:
        return ()
    highest: dict[tuple[str, str], tuple[Version, int]] = {}
    unread = dict.fromkeys(wanted, 0)
    for row, entry in _allowed(log, repository):
        for place, order in wanted:
            said = _versions(row, entry, place)
            if said is None:
                unread[place, order] += 1
            for text in said or ():
                # what is no version says nothing of what is older
                version = read_version(text, order)
                before = highest.get((place, order))
                if version is not None and (before is None or version > before[0]):
                    highest[place, order] = (version, row.index)
    return tuple(
        SeenVersion(
            repository,
            place,
            order,
            str(found[0]) if (found := highest.get((place, order))) else "",
            found[1] if found else None,
            unread[place, order],
        )
        for place, order in wanted
    )


def _allowed(log: Log, repository: str) -> Iterator[tuple[Row, Entry]]:
    """Every entry that let an image of the repository in."""
    end = log.checkpoint()[0].size
    for start in range(0, end, _PAGE):
        for row in log.rows(start, min(start + _PAGE, end)):
            entry = parse(row.leaf)
            if entry.decision == Decision.ALLOWED.value and repository in (
                registry_name(name).repository for name in (entry.used_as or entry.image,)
            ):
                yield row, entry


def _versions(row: Row, entry: Entry, place: str) -> list[str] | None:
    """What the image said of its version, for each platform; None where that is not known."""
    found = [version for read_from, version in entry.versions if read_from == place]
    if found:
        return found
    if place == "tag":
        return [registry_name(entry.used_as or entry.image).tag]
    verdict = verdict_in(row)
    if verdict is None:
        return None
    try:
        facts = facts_of(verdict)
    except AssayError:
        return None
    known = Known(facts, time_of(facts))
    return [stated(known, target, place) for target in known.targets]

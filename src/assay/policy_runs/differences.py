"""What would change for images on record if one policy took the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from assay.model.policy_result import PolicyReport
from assay.model.verdict import Decision
from assay.policy.decide import Decider
from assay.policy.judge import decision_of, time_of
from assay.policy_runs.recorded import Recorded


class Difference(Struct, frozen=True):
    """One image under two policies."""

    image: str
    place: str
    old: Decision
    new: Decision
    old_report: PolicyReport
    new_report: PolicyReport

    @property
    def changed(self) -> bool:
        return self.old is not self.new


def differences(
    recorded: Iterable[Recorded], old: Decider, new: Decider, at: datetime | None
) -> Iterator[Difference]:
    """Judge every image by both policies at its own time; by the new one at another where that is
    given, so that the same policy twice tells what time alone would change."""
    for one in recorded:
        time = time_of(one.facts)
        before, after = old.decide(one.facts, time), new.decide(one.facts, at or time)
        yield Difference(
            one.facts.image,
            one.place,
            decision_of(one.facts, before),
            decision_of(one.facts, after),
            before.report,
            after.report,
        )

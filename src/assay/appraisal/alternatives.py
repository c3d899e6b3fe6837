"""Claims of which one has to hold (`Claim.alternatives`): a statement lists several subjects, and
does not say which of them the image is."""

from __future__ import annotations

from collections.abc import Sequence

from assay.appraisal.claims import Outcome
from assay.model.codes import statement as codes
from assay.model.finding import Finding

_SHOWN_SUBJECTS = 5


def settled(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Finding]]:
    """Of claims that are alternatives, keep those that hold; where none does, say so once."""
    groups: dict[str, list[Outcome]] = {}
    kept: list[Outcome] = []
    for outcome in outcomes:
        if outcome.claim.alternatives:
            groups.setdefault(outcome.claim.alternatives, []).append(outcome)
        else:
            kept.append(outcome)
    mismatches: list[Finding] = []
    for group in groups.values():
        right = [outcome for outcome in group if outcome.met]
        wrong = [outcome for outcome in group if outcome.checked and outcome.broken]
        if right or not wrong:
            kept += right or group[:1]
            continue
        claimed = list(dict.fromkeys(_expected(outcome) for outcome in wrong))
        more = len(claimed) - _SHOWN_SUBJECTS
        mismatches.append(
            Finding.of(
                codes.STATEMENT_SUBJECT_MISMATCH,
                wrong[0].claim.origin,
                expected=", ".join(claimed[:_SHOWN_SUBJECTS])
                + (f" and {more} more" if more > 0 else ""),
                actual=wrong[0].finding.actual if wrong[0].finding else "",
            )
        )
    return kept, mismatches


def _expected(outcome: Outcome) -> str:
    return outcome.finding.expected if outcome.finding else ""

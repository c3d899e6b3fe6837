"""How bad a vulnerability is, from the words and scores of many scanners."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assay.model.statement import Rating

ORDER = (Rating.NONE, Rating.LOW, Rating.MEDIUM, Rating.HIGH, Rating.CRITICAL)

_SCORE = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,4})?")

_WORDS = {
    "none": Rating.NONE,
    "informational": Rating.NONE,
    "info": Rating.NONE,
    "negligible": Rating.LOW,
    "unimportant": Rating.LOW,
    "minor": Rating.LOW,
    "low": Rating.LOW,
    "moderate": Rating.MEDIUM,
    "medium": Rating.MEDIUM,
    "important": Rating.HIGH,
    "high": Rating.HIGH,
    "critical": Rating.CRITICAL,
}


def rating_of(text: str) -> Rating:
    """A word, or a score from 0 to 10 (CVSS 3.1 section 5, the qualitative rating scale)."""
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    if not _SCORE.fullmatch(word):
        return Rating.UNKNOWN
    score = float(word)
    if score > 10:
        return Rating.UNKNOWN
    return next(
        rating
        for least, rating in (
            (9.0, Rating.CRITICAL),
            (7.0, Rating.HIGH),
            (4.0, Rating.MEDIUM),
            (0.1, Rating.LOW),
            (0.0, Rating.NONE),
        )
        if score >= least
    )


def worst_of(ratings: Iterable[Rating]) -> Rating:
    """The worst of what several methods say. What one does not know another may."""
    known = [rating for rating in ratings if rating is not Rating.UNKNOWN]
    return max(known, key=ORDER.index) if known else Rating.UNKNOWN

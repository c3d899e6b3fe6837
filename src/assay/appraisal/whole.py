"""The image as a whole, as far as rules about statements need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from assay.appraisal.case import Case


class Whole(Struct, frozen=True):
    """The image as rules about statements see it. ``root`` and ``targets`` are as in a `Case`,
    ``digests`` the SHA-256 digests by which each target may be meant, in hexadecimal; ``at`` is
    the effective time."""

    root: str
    targets: tuple[str, ...]
    digests: Mapping[str, Sequence[str]]
    at: datetime


def whole_of(case: Case) -> Whole:
    """The image of a case."""
    root = case.facts.hash(case.root, "sha256")
    digests = {
        target: [
            digest.hex()
            for digest in (case.facts.hash(target, "sha256"), root)
            if digest is not None
        ]
        for target in case.targets
    }
    return Whole(case.root, case.targets, digests, case.at)

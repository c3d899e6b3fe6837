"""Splits names such as ``DIR:REF``, ``FILE:NAME:TAG``, ``DIR@DIGEST`` and ``FILE:@INDEX``."""

from __future__ import annotations

import re

from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.model.selection import Selection
from assay.sources.files import exists


def split_selection(rest: str, shown: str) -> tuple[str, Selection]:
    """The path, and which image there is meant. The longest beginning that exists is the path, so
    that paths may have colons; where nothing exists, what comes before the first.

    Raises UsageError, with the name as ``shown``, for a digest or position that is none.
    """
    if exists(rest):
        return rest, Selection()
    ends = [match.start() for match in re.finditer("[:@]", rest) if match.start() > 0]
    if not ends:
        return rest, Selection()
    end = next((at for at in reversed(ends) if exists(rest[:at])), ends[0])
    chosen = rest[end:]
    return rest[:end], _selection(chosen.removeprefix(":"), shown)


def _selection(text: str, shown: str) -> Selection:
    if not text:
        raise UsageError(f"{shown}: no name follows the colon")
    if not text.startswith("@"):
        return Selection(name=text)
    if text[1:].isascii() and text[1:].isdigit() and len(text) < 10:
        return Selection(position=int(text[1:]))
    try:
        digest = Digest.parse(text[1:])
    except ValueError as error:
        raise UsageError(f"{shown}: {error}") from error
    if not digest.binding:
        raise UsageError(f"{shown}: {digest.algorithm} identifies nothing: collisions are known")
    return Selection(digest=digest)

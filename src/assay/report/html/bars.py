"""Coverage as a bar over the bytes: which stretch of a component is in which state."""

from __future__ import annotations

from msgspec import Struct

from assay.model.verdict import ComponentReport, Coverage, State

NARROWEST = 0.4
"""Percent of a bar below which a stretch is drawn wider than it is: one bad byte in a gigabyte
has to be seen."""
MOST = 400
"""Stretches in one bar; beyond, those that can't be told apart by eye are drawn as the worst."""

_WORST_FIRST = (State.BROKEN, State.UNCLAIMED, State.CONSISTENT, State.EXCLUDED, State.BOUND)


class Stretch(Struct, frozen=True):
    """``start`` and ``end`` are byte offsets, ``width`` is in percent of the bar."""

    state: str
    start: int
    end: int
    width: float


def bar_of(component: ComponentReport) -> list[Stretch]:
    """The bar of one component; empty where its size is not known or it has no bytes."""
    size = component.size or 0
    if not size:
        return []
    if not component.spans:
        return [Stretch(component.state.value, 0, size, 100.0)]
    pieces = sorted(
        (start, min(end, size), state)
        for state, spans in component.spans.items()
        for start, end in spans
        if start < size
    )
    if len(pieces) > MOST:
        pieces = _coarse(pieces, size)
    return _drawn(pieces)


def bar_of_image(coverage: Coverage) -> list[Stretch]:
    """The bar of a whole image: how much is in each state, wherever it is."""
    pieces: list[tuple[int, int, str]] = []
    at = 0
    for state in reversed(_WORST_FIRST):
        amount = getattr(coverage, state.value)
        if amount:
            pieces.append((at, at + amount, state.value))
            at += amount
    return _drawn(pieces)


def _coarse(pieces: list[tuple[int, int, str]], size: int) -> list[tuple[int, int, str]]:
    """The worst state in each of `MOST` equal parts, neighbours of one state joined."""
    rank = {state.value: number for number, state in enumerate(_WORST_FIRST)}
    worst = [len(rank)] * MOST
    for start, end, state in pieces:
        for cell in range(start * MOST // size, min(MOST, max(end - 1, start) * MOST // size + 1)):
            worst[cell] = min(worst[cell], rank[state])
    names = [state.value for state in _WORST_FIRST]
    found: list[tuple[int, int, str]] = []
    for cell, number in enumerate(worst):
        if number == len(rank):
            continue
        start, end, state = cell * size // MOST, (cell + 1) * size // MOST, names[number]
        if found and found[-1][2] == state and found[-1][1] == start:
            found[-1] = (found[-1][0], end, state)
        else:
            found.append((start, end, state))
    return found


def _drawn(pieces: list[tuple[int, int, str]]) -> list[Stretch]:
    total = sum(end - start for start, end, _ in pieces)
    if not total:
        return []
    widths = [max(100 * (end - start) / total, NARROWEST) for start, end, _ in pieces]
    scale = 100 / sum(widths)
    return [
        Stretch(state, start, end, round(width * scale, 3))
        for (start, end, state), width in zip(pieces, widths, strict=True)
    ]

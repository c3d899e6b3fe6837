"""Finds out which component of one image is which of the other."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from assay.comparison.parts import Part

_LAYER = re.compile(r"(?P<image>(?:.*/)?)layer\[(?P<number>\d+)\]\Z")
_IN_LAYER = re.compile(r"((?:.*/)?layer\[\d+\])/.*\Z")


class Pair(Struct, frozen=True):
    """The same component on both sides; None on a side that has none. ``moved`` says that it
    stands elsewhere among its siblings."""

    a: Part | None
    b: Part | None
    moved: bool = False


def match(a: Mapping[str, Part], b: Mapping[str, Part]) -> list[Pair]:
    """All components of both, each in one pair, in the order of ``a`` and then of ``b``.

    Components have the same id on both sides, except layers, of which those with the same content
    belong together wherever they stand. Where one side is a single image and the other an image of
    one platform in an index, its components are matched without the platform's name.
    """
    renamed = _aligned(a, b)
    layers = list(_layers(a, b, renamed))
    taken_a = {pair.a.id for pair in layers if pair.a is not None}
    taken_b = {pair.b.id for pair in layers if pair.b is not None}
    pairs = list(layers)
    pairs += _within(layers, a, b)
    for part in a.values():
        if part.id in taken_a or _IN_LAYER.match(part.id):
            continue
        other = b.get(renamed.get(part.id, part.id))
        pairs.append(Pair(part, other))
        if other is not None:
            taken_b.add(other.id)
    pairs += [
        Pair(None, part)
        for part in b.values()
        if part.id not in taken_b and not _IN_LAYER.match(part.id)
    ]
    order = {part: number for number, part in enumerate([*a, *b])}
    return sorted(pairs, key=lambda pair: order[(pair.a or pair.b).id])  # type: ignore[union-attr]


def _aligned(a: Mapping[str, Part], b: Mapping[str, Part]) -> dict[str, str]:
    """Ids of ``a`` that have another prefix in ``b``."""
    images = [
        [part.removesuffix("config") for part in side if part.rpartition("/")[2] == "config"]
        for side in (a, b)
    ]
    if len(images[0]) != 1 or len(images[1]) != 1 or images[0] == images[1]:
        return {}
    mine, theirs = images[0][0], images[1][0]
    return {part: theirs + part.removeprefix(mine) for part in a if part.startswith(mine)}


def _layers(
    a: Mapping[str, Part], b: Mapping[str, Part], renamed: Mapping[str, str]
) -> Iterator[Pair]:
    """The layers of each image, matched by what they hold."""
    stacks_a, stacks_b = _stacks(a), _stacks(b)
    for image, mine in stacks_a.items():
        config = f"{image}config"
        other = renamed.get(config, config).removesuffix("config")
        yield from _stack(mine, stacks_b.pop(other, []), a, b)
    for rest in stacks_b.values():
        yield from (Pair(None, part) for part in rest)


def _stacks(parts: Mapping[str, Part]) -> dict[str, list[Part]]:
    """The layers of each image, by the image's prefix, from the lowest up."""
    found: dict[str, list[tuple[int, Part]]] = {}
    for part in parts.values():
        if place := _LAYER.match(part.id):
            found.setdefault(place["image"], []).append((int(place["number"]), part))
    return {
        image: [part for _, part in sorted(layers, key=lambda layer: layer[0])]
        for image, layers in found.items()
    }


def _stack(
    mine: list[Part], theirs: list[Part], a: Mapping[str, Part], b: Mapping[str, Part]
) -> Iterator[Pair]:
    keys_a, keys_b = [_key(part, a) for part in mine], [_key(part, b) for part in theirs]
    matcher = difflib.SequenceMatcher(None, keys_a, keys_b, autojunk=False)
    blocks: list[tuple[list[int], list[int]]] = []
    for what, start_a, end_a, start_b, end_b in matcher.get_opcodes():
        if what == "equal":
            for at_a, at_b in zip(range(start_a, end_a), range(start_b, end_b), strict=True):
                yield Pair(mine[at_a], theirs[at_b])
        else:
            blocks.append((list(range(start_a, end_a)), list(range(start_b, end_b))))
    came = {keys_b[at]: at for _, added in blocks for at in added}
    moved: set[int] = set()
    for left, _ in blocks:
        for at in list(left):
            if (there := came.pop(keys_a[at], None)) is not None:
                left.remove(at)
                moved.add(there)
                yield Pair(mine[at], theirs[there], moved=True)
    for left, added in blocks:
        rest = [at for at in added if at not in moved]
        # what stands in the same place is taken for another version of the same layer
        for at_a, at_b in itertools.zip_longest(left, rest):
            yield Pair(
                mine[at_a] if at_a is not None else None,
                theirs[at_b] if at_b is not None else None,
            )


def _key(layer: Part, parts: Mapping[str, Part]) -> str:
    """What a layer is known by: the digest of its content, by measure or else by claim."""
    part = parts.get(f"{layer.id}/content", layer)
    digests = [str(digest) for digest in part.digests if digest.binding]
    return min(digests, default=str(part.claimed or part.id))


def _within(layers: list[Pair], a: Mapping[str, Part], b: Mapping[str, Part]) -> Iterator[Pair]:
    """What is within layers, paired as the layers are."""
    inside_a, inside_b = _inside(a), _inside(b)
    for pair in layers:
        mine = inside_a.get(pair.a.id, {}) if pair.a is not None else {}
        theirs = inside_b.get(pair.b.id, {}) if pair.b is not None else {}
        for name in dict.fromkeys([*mine, *theirs]):
            yield Pair(mine.get(name), theirs.get(name), pair.moved)


def _inside(parts: Mapping[str, Part]) -> dict[str, dict[str, Part]]:
    found: dict[str, dict[str, Part]] = {}
    for part in parts.values():
        if place := _IN_LAYER.match(part.id):
            found.setdefault(place[1], {})[part.id.removeprefix(place[1])] = part
    return found

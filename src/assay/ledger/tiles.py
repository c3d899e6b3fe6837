"""Tiles of a transparency log (C2SP tlog-tiles): names, widths, entry bundles, and node hashes.

A tile holds up to 256 node hashes of one tile level; tile level t is tree level 8 t. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from assay.transparency.merkle import HASH_SIZE, leaf_hash, node_hash

WIDTH = 256
HEIGHT = 8

ReadTile = Callable[[int, int], bytes]
"""Gives the hashes of a tile (level, index), as many as there are."""


class TileError(ValueError):
    """A tile or bundle is missing, short, or does not add up. ``level`` is -1 for entries."""

    def __init__(self, message: str, level: int, index: int) -> None:
        super().__init__(message)
        self.level = level
        self.index = index


def path_of(level: int | None, index: int, width: int = WIDTH) -> str:
    """The path below the log's prefix; ``level`` None names an entry bundle."""
    parts: list[str] = []
    rest = index
    while True:
        parts.append(f"{rest % 1000:03}")
        rest //= 1000
        if not rest:
            break
    name = "/".join([*(f"x{part}" for part in parts[:0:-1]), parts[0]])
    kind = "entries" if level is None else str(level)
    return f"tile/{kind}/{name}" + ("" if width == WIDTH else f".p/{width}")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Every tile (level, index, width) of a tree with ``size`` leaves, lowest level first."""
    level, count = 0, size
    while count:
        yield from ((level, index, WIDTH) for index in range(count // WIDTH))
        if count % WIDTH:
            yield level, count // WIDTH, count % WIDTH
        level, count = level + 1, count // WIDTH


def subtree_of(tile: bytes) -> bytes:
    """The hash over the nodes of a tile, whose number must be a power of two."""
    level = [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def subtree_reader(read: ReadTile) -> Callable[[int, int], bytes]:
    """How `merkle` gets perfect subtrees out of tiles. It raises TileError."""

    def subtree(level: int, index: int) -> bytes:
        tile_level, rest = divmod(level, HEIGHT)
        first = index << rest
        tile_index, start = divmod(first, WIDTH)
        wanted = 1 << rest
        tile = read(tile_level, tile_index)
        part = tile[start * HASH_SIZE : (start + wanted) * HASH_SIZE]
        if len(part) != wanted * HASH_SIZE:
            raise TileError(
                f"tile {path_of(tile_level, tile_index)} has {len(tile) // HASH_SIZE} hashes,"
                f" and {start + wanted} are needed",
                tile_level,
                tile_index,
            )
        return subtree_of(part)

    return subtree


def grow(size: int, leaves: Iterable[bytes], read: ReadTile) -> dict[tuple[int, int], bytes]:
    """The tiles that change when leaves (hashes) are added to a tree of that size, with their
    whole new content."""
    changed: dict[tuple[int, int], bytearray] = {}

    def tile(level: int, index: int, fresh: bool) -> bytearray:
        key = (level, index)
        if key not in changed:
            changed[key] = bytearray() if fresh else bytearray(read(level, index))
        return changed[key]

    for count, leaf in enumerate(leaves, start=size):
        level, position, node = 0, count, leaf
        while True:
            index, place = divmod(position, WIDTH)
            current = tile(level, index, place == 0)
            if len(current) != place * HASH_SIZE:
                raise TileError(
                    f"tile {path_of(level, index)} has {len(current) // HASH_SIZE} hashes and"
                    f" should have {place}",
                    level,
                    index,
                )
            current += node
            if place != WIDTH - 1:
                break
            level, position, node = level + 1, index, subtree_of(bytes(current))
    return {key: bytes(value) for key, value in changed.items()}


def bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in 16 bits, big endian."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def unbundle(data: bytes, index: int = 0) -> list[bytes]:
    """The entries of a bundle. Raises TileError."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise TileError(f"a length is cut short at byte {at}", -1, index)
        (length,) = struct.unpack_from(">H", data, at)
        entry = data[at + 2 : at + 2 + length]
        if len(entry) != length or len(entries) == WIDTH:
            raise TileError(f"the entry at byte {at} does not fit", -1, index)
        entries.append(entry)
        at += 2 + length
    return entries


__all__ = [
    "WIDTH",
    "TileError",
    "bundle",
    "grow",
    "leaf_hash",
    "path_of",
    "subtree_reader",
    "tiles_of",
    "unbundle",
]

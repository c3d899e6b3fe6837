"""Merkle trees and their proofs (RFC 6962 section 2.1, RFC 9162 section 2.1).

Pure: hashes, indexes and sizes in, hashes or booleans out. Sizes and indexes count leaves; a node
hash is 32 bytes (SHA-256). Subtree proofs follow draft-ietf-plants-merkle-tree-certs section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree of 2**level leaves that is the index-th of its level."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\1" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree with these leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        # an odd node moves up unchanged, which gives the same tree as RFC 6962's recursion
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def perfect_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees, as (level, index at that level), that make up leaves start..end, in
    order and as large as alignment allows."""
    found: list[tuple[int, int]] = []
    while start < end:
        level = (start & -start).bit_length() - 1 if start else (end - start).bit_length()
        while start + (1 << level) > end:
            level -= 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """The hash of a node over leaves start..end (end > start), from perfect subtrees."""
    parts = [subtree(level, index) for level, index in perfect_subtrees(start, end)]
    total = parts.pop()
    while parts:
        total = node_hash(parts.pop(), total)
    return total


def tree_root(size: int, subtree: Subtree) -> bytes:
    """The root of the tree of that size."""
    return range_hash(0, size, subtree) if size else EMPTY_ROOT


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path for leaf ``index`` in the tree of that size, lowest node first.

    Raises ValueError when the leaf is not in the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of size ``old`` is a prefix of the tree of size ``new``.

    Raises ValueError when ``old`` is larger."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while end > old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(start, end, subtree))
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2), or None when the
    proof does not fit the index and the size."""
    if not 0 <= index < size:
        return None
    position, last, root = index, size - 1, leaf
    for node in proof:
        if last == 0 or len(node) != HASH_SIZE:
            return None
        if position & 1 or position == last:
            root = node_hash(node, root)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            root = node_hash(root, node)
        position >>= 1
        last >>= 1
    return root if last == 0 else None


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof shows that ``leaf`` is at ``index`` of the tree with this root."""
    return root_from_inclusion(leaf, index, size, proof) == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the proof shows that the new tree extends the old one (RFC 9162 section 2.1.4.2).

    False for an empty old tree: every tree extends it, so nothing is shown about the new one."""
    if old < 1:
        return False
    return verify_subtree_consistency(0, old, new, proof, old_root, new_root)


def is_subtree(start: int, end: int) -> bool:
    """Whether leaves start..end form a subtree: the start is a multiple of the next power of two
    at or above their number."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether ``leaf`` is at ``index`` (in the whole tree) of the subtree start..end."""
    return (
        is_subtree(start, end)
        and start <= index < end
        and verify_inclusion(leaf, index - start, end - start, proof, root)
    )


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes
) -> bool:
    """Whether the subtree start..end with its root is part of the tree of that size and root."""
    if not is_subtree(start, end) or end > size:
        return False
    first, second, last = start, end - 1, size - 1
    while first != second and (second == last or second & 1):
        first, second, last = first >> 1, second >> 1, last >> 1
    path = list(proof)
    if first == second:
        # the subtree is one node of the tree: start from the node itself
        small = large = subtree_root
    elif path:
        small = large = path.pop(0)
    else:
        return False
    for node in path:
        if last == 0 or len(node) != HASH_SIZE:
            return False
        if second & 1 or second == last:
            if first < second:
                small = node_hash(node, small)
            large = node_hash(node, large)
            while not second & 1:
                first, second, last = first >> 1, second >> 1, last >> 1
        else:
            large = node_hash(large, node)
        first, second, last = first >> 1, second >> 1, last >> 1
    return last == 0 and small == subtree_root and large == root

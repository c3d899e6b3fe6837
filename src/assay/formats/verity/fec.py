"""Error correction beside a hash tree (Reed-Solomon parity): recognised, and never believed."""

from __future__ import annotations

from assay.formats.verity.parameters import Parameters

_CODE = 255
"""Bytes in a code word, of which 2 to 24 are parity."""


def parity_roots(parameters: Parameters, size: int) -> int:
    """With how many parity bytes in each code word error correction over data and tree takes
    ``size`` bytes; 0 where it does with no number. There is no other sign of it."""
    block = parameters.data_block_size
    covered = parameters.data_blocks + parameters.tree_size // block
    for roots in range(2, 25):
        if size and size == -(-covered // (_CODE - roots)) * roots * block:
            return roots
    return 0

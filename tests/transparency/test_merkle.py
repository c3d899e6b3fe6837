"""Merkle proofs: golden vectors, and every proof of every small tree."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from assay.transparency import merkle

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "merkle-proofs"


def _vectors(kind: str) -> list[Any]:
    return [
        pytest.param(json.loads(path.read_text("utf-8")), id=f"{path.parent.name}-{path.stem}")
        for path in sorted((VECTORS / kind).rglob("*.json"))
    ] or [pytest.param(None, marks=pytest.mark.skip(reason="merkle-proofs vectors are absent"))]


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [_bytes(node) for node in case["proof"] or []]


@pytest.mark.parametrize("case", _vectors("inclusion"))
def test_inclusion_vectors(case: dict[str, Any]) -> None:
    holds = merkle.verify_inclusion(
        _bytes(case["leafHash"]),
        case["leafIdx"],
        case["treeSize"],
        _proof(case),
        _bytes(case["root"]),
    )
    assert holds is not case["wantErr"]


@pytest.mark.parametrize("case", _vectors("consistency"))
def test_consistency_vectors(case: dict[str, Any]) -> None:
    holds = merkle.verify_consistency(
        case["size1"], case["size2"], _proof(case), _bytes(case["root1"]), _bytes(case["root2"])
    )
    assert holds is not case["wantErr"]


@pytest.mark.parametrize("case", _vectors("subtreeinclusion"))
def test_subtree_inclusion_vectors(case: dict[str, Any]) -> None:
    holds = merkle.verify_subtree_inclusion(
        _bytes(case["leafHash"]),
        case["leafIdx"],
        case["start"],
        case["end"],
        _proof(case),
        _bytes(case["root"]),
    )
    assert holds is not case["wantErr"]


@pytest.mark.parametrize("case", _vectors("subtreeconsistency"))
def test_subtree_consistency_vectors(case: dict[str, Any]) -> None:
    holds = merkle.verify_subtree_consistency(
        case["start"],
        case["end"],
        case["size"],
        _proof(case),
        _bytes(case["root1"]),
        _bytes(case["root2"]),
    )
    # an empty subtree is part of every tree: such a proof shows nothing, and we refuse it
    assert holds is (not case["wantErr"] and case["start"] != case["end"])


LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(40)]


def _subtree(level: int, index: int) -> bytes:
    return merkle.root_of(LEAVES[index << level : (index + 1) << level])


def _recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    return merkle.node_hash(_recursive_root(leaves[:middle]), _recursive_root(leaves[middle:]))


def test_roots_agree_with_the_definition() -> None:
    for size in range(len(LEAVES) + 1):
        expected = _recursive_root(LEAVES[:size])
        assert merkle.root_of(LEAVES[:size]) == expected
        assert merkle.tree_root(size, _subtree) == expected


def test_every_leaf_of_every_tree_has_a_proof_that_holds_for_it_alone() -> None:
    for size in range(1, 20):
        root = merkle.root_of(LEAVES[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, _subtree)
            assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
            for other in range(size):
                if other != index:
                    assert not merkle.verify_inclusion(LEAVES[index], other, size, proof, root)
            assert not merkle.verify_inclusion(LEAVES[index], index, size, [*proof, root], root)
            if proof:
                assert not merkle.verify_inclusion(LEAVES[index], index, size, proof[:-1], root)


def test_every_tree_is_a_prefix_of_every_later_one() -> None:
    for new in range(1, len(LEAVES) + 1):
        new_root = merkle.root_of(LEAVES[:new])
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, _subtree)
            old_root = merkle.root_of(LEAVES[:old])
            assert merkle.verify_consistency(old, new, proof, old_root, new_root)
            assert not merkle.verify_consistency(old, new, proof, new_root[::-1], new_root)
            assert not merkle.verify_consistency(old, new, proof, old_root, old_root[::-1])
            if old < new and proof:
                assert not merkle.verify_consistency(old, new, proof[:-1], old_root, new_root)


def test_a_rewritten_history_has_no_proof() -> None:
    forged = [merkle.leaf_hash(b"forged"), *LEAVES[1:]]

    def subtree(level: int, index: int) -> bytes:
        return merkle.root_of(forged[index << level : (index + 1) << level])

    for old in range(1, 20):
        proof = merkle.consistency_proof(old, 20, subtree)
        assert not merkle.verify_consistency(
            old, 20, proof, merkle.root_of(LEAVES[:old]), merkle.root_of(forged[:20])
        )

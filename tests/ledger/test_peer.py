"""The formats of the ledger, checked by another implementation of them (golang.org/x/mod)."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from assay.ledger.log import Log
from assay.ledger.static import export
from tests.ledger.support import entries, signer
from tests.signatures.support import tool


@pytest.fixture
def log(tmp_path: Path) -> Log:
    tool("tlog-peer")
    return Log.create(str(tmp_path / "ledger.db"), signer())


def peer(*words: object, status: int = 0) -> str:
    done = subprocess.run(
        ["tlog-peer", *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700])
def test_proofs_of_entries(log: Log, tmp_path: Path, size: int) -> None:
    log.append(entries(size))
    proof, leaf = tmp_path / "proof", tmp_path / "leaf"
    for row in log.rows():
        if row.index % 97 and row.index != size - 1:
            continue
        proof.write_bytes(log.prove(row.index).render())
        leaf.write_bytes(row.leaf)
        peer("proof", log.key.render(), proof, leaf)
    leaf.write_bytes(row.leaf + b" ")
    peer("proof", log.key.render(), proof, leaf, status=1)


def test_checkpoints_extend_each_other(log: Log, tmp_path: Path) -> None:
    files: list[tuple[int, Path]] = []
    for number, count in enumerate((1, 5, 250, 300)):
        log.append(entries(count, f"batch-{number}"))
        state, note = log.checkpoint()
        files.append((state.size, tmp_path / f"{state.size}.checkpoint"))
        files[-1][1].write_bytes(note)
    for at, (old, older) in enumerate(files):
        for new, newer in files[at + 1 :]:
            lines = [base64.b64encode(node).decode() for node in log.consistency(old, new)]
            (tmp_path / "nodes").write_text("\n".join(lines))
            peer("consistency", log.key.render(), older, newer, tmp_path / "nodes")


def test_an_exported_tree(log: Log, tmp_path: Path) -> None:
    log.append(entries(700))
    export(log, tmp_path / "public")
    peer("tiles", log.key.render(), tmp_path / "public")
    bundle = next((tmp_path / "public/tile/entries").rglob("002*"), None)
    bundle = next(path for path in (tmp_path / "public/tile/entries").rglob("*") if path.is_file())
    data = bytearray(bundle.read_bytes())
    data[100] ^= 1
    bundle.write_bytes(data)
    assert "is not the one in the tree" in peer(
        "tiles", log.key.render(), tmp_path / "public", status=1
    )

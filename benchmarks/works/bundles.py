"""Sigstore bundles in library mode: a loop in one process that is warm."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

from benchmarks.inputs import Inputs
from benchmarks.work import Contender, Goal, Work, benchmark

_LOOPS = Path(__file__).resolve().parent.parent / "loops"
_PEER = _LOOPS.parent / ".cache" / "sigstore" / "bin" / "python"
"""Of an environment with ``sigstore`` in it, no dependency of Assay: see docs/benchmarks.md."""
_COUNT = 200
"""More certificates than Assay keeps links of (`assay.x509.path`): each is checked anew."""
_FEW = 50


def _build(count: int, folder: Path) -> None:
    from benchmarks.minted import mint

    mint(folder, count)
    damaged = folder / "damaged"
    damaged.mkdir()
    for kind in ("identity-signed", "key-signed"):
        shutil.copytree(folder / kind, damaged / kind)
        (damaged / kind / "000").write_bytes(b"another artifact")
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, damaged)


def _loop(inputs: Inputs, kind: str, *peers: Contender, most: int = _COUNT) -> Work:
    made = _made(inputs)
    seconds = str(min(3.0, 3.0 * inputs.factor))

    def command(folder: Path) -> list[str]:
        return [sys.executable, str(_LOOPS / "bundles.py"), seconds, str(folder), kind, str(most)]

    return Work(
        f"Sigstore bundles v0.3 by {kind}, library mode",
        command(made),
        list(peers),
        [Goal(rate=700), *(Goal(peer.name, ratio=1) for peer in peers)],
        [Contender("assay", command(made / "damaged"), status=1)],
    )


def _made(inputs: Inputs) -> Path:
    count = _COUNT if inputs.factor >= 1 else 4
    return inputs.make("bundles", partial(_build, count))


def _peer(inputs: Inputs, most: int) -> Contender:
    seconds = str(min(3.0, 3.0 * inputs.factor))
    script = str(_LOOPS / "bundles_sigstore.py")
    return Contender(
        "sigstore-python",
        [str(_PEER), script, seconds, str(_made(inputs)), str(most)],
        (str(_PEER),),
    )


@benchmark("bundles")
def bundles(inputs: Inputs) -> Work:
    """Bundles by an identity, each with a certificate that was not seen before."""
    return _loop(inputs, "identity", _peer(inputs, _COUNT))


@benchmark("bundles-again")
def bundles_again(inputs: Inputs) -> Work:
    """The same few bundles again and again, as an admission controller sees them."""
    return _loop(inputs, "identity", _peer(inputs, _FEW), most=_FEW)


@benchmark("bundles-key")
def bundles_key(inputs: Inputs) -> Work:
    """Bundles by a key, with the proofs of the log."""
    return _loop(inputs, "key")

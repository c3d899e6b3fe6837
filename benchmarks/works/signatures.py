"""Signed files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.inputs import Inputs, flip_a_bit
from benchmarks.work import Contender, Goal, Work, assay, benchmark, shell

_COUNT = 50
_MANY = 1000


@benchmark("minisign", "minisign")
def minisign(inputs: Inputs) -> Work:
    """Small files, each with a minisign signature beside it, in one call."""
    return _minisign(inputs, "minisign", _COUNT)


@benchmark("minisign-many", "minisign")
def minisign_many(inputs: Inputs) -> Work:
    """The same with so many that starting up is a small part of it."""
    return _minisign(inputs, "minisign-many", inputs.size(_MANY, _COUNT))


def _minisign(inputs: Inputs, name: str, count: int) -> Work:
    def build(folder: Path) -> None:
        public, secret = folder / "key.pub", folder / "key.sec"
        generate = ["minisign", "-G", "-W", "-p", public, "-s", secret]
        subprocess.run(generate, check=True, capture_output=True)
        files = []
        for number in range(count):
            files.append(folder / f"release-{number:04}.bin")
            files[-1].write_bytes(os.urandom(20_000))
        sign = ["minisign", "-S", "-s", secret, "-m", *files]
        subprocess.run(sign, check=True, capture_output=True)
        flip_a_bit(files[0], folder / "damaged")
        (folder / "damaged.minisig").write_bytes(Path(f"{files[0]}.minisig").read_bytes())

    made = inputs.make(name, build)
    files, key = sorted(made.glob("release-*.bin")), made / "key.pub"
    loop = 'key=$1; shift; for file in "$@"; do minisign -Vqm "$file" -p "$key" || exit 1; done'
    return Work(
        f"{count} small files with minisign, one call",
        assay("verify", *files, "--key", key),
        [Contender("minisign -V in a loop", shell(loop, key, *files))],
        [Goal("minisign -V in a loop", ratio=1)],
        [Contender("assay", assay("verify", *files, made / "damaged", "--key", key), status=1)],
    )

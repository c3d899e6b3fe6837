"""Hash trees over a large file: dm-verity and fs-verity."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.inputs import GIB, MIB, Inputs, flip_a_bit, random_pieces, write
from benchmarks.work import Contender, Goal, Work, assay, benchmark

SIZE = GIB


@benchmark("dm-verity", "veritysetup")
def dm_verity(inputs: Inputs) -> Work:
    """A data device against the tree and the root hash of veritysetup."""
    size = inputs.size(SIZE)

    def build(folder: Path) -> None:
        write(folder / "data", random_pieces(size))
        flip_a_bit(folder / "data", folder / "damaged")
        said = subprocess.run(
            ["veritysetup", "format", folder / "data", folder / "tree"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        (root,) = (line.split()[-1] for line in said.splitlines() if line.startswith("Root hash"))
        (folder / "root").write_text(root)

    made = inputs.make("dm-verity", build)
    root, tree = (made / "root").read_text(), made / "tree"
    options = ["--verity-root", root, "--verity-tree", str(tree)]
    return Work(
        f"dm-verity over {size / MIB:.5g} MiB",
        assay("verify", made / "data", *options),
        [
            Contender(
                "veritysetup verify",
                ["veritysetup", "verify", str(made / "data"), str(tree), root],
                ("veritysetup",),
            )
        ],
        [Goal("veritysetup verify", ratio=1 / 1.8), Goal(peak=128 * MIB)],
        [Contender("assay", assay("verify", made / "damaged", *options), status=1)],
    )


@benchmark("fs-verity", "fsverity")
def fs_verity(inputs: Inputs) -> Work:
    """The fs-verity digest of a file."""
    size = inputs.size(SIZE)

    def build(folder: Path) -> None:
        write(folder / "file", random_pieces(size))
        flip_a_bit(folder / "file", folder / "damaged")
        said = subprocess.run(
            ["fsverity", "digest", folder / "file"], check=True, capture_output=True, text=True
        ).stdout
        (folder / "digest").write_text(said.split()[0])

    made = inputs.make("fs-verity", build)
    digest = (made / "digest").read_text()
    return Work(
        f"fs-verity digest of {size / MIB:.5g} MiB",
        assay("verify", made / "file", "--fs-verity", digest),
        [
            Contender(
                "fsverity digest",
                ["fsverity", "digest", str(made / "file")],
                ("fsverity",),
                note="computes it, compares nothing",
            )
        ],
        [Goal("fsverity digest", ratio=1 / 1.7)],
        [Contender("assay", assay("verify", made / "damaged", "--fs-verity", digest), status=1)],
    )

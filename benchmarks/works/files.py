"""Files with a checksum: one large, one sparse, one small."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from benchmarks.inputs import GIB, MIB, Inputs, flip_a_bit, random_pieces, write
from benchmarks.work import Contender, Goal, Work, assay, benchmark


def _sized(size: int) -> str:
    return f"{size / GIB:g} GiB" if size >= GIB else f"{size / MIB:.3g} MiB"


@benchmark("sha256")
def sha256(inputs: Inputs) -> Work:
    """One pass of SHA-256 over a file."""
    size = inputs.size(GIB)

    def build(folder: Path) -> None:
        digest = write(folder / "file", random_pieces(size))
        flip_a_bit(folder / "file", folder / "damaged")
        (folder / "digest").write_text(digest)
        (folder / "SHA256SUMS").write_text(f"{digest}  file\n")

    made = inputs.make("sha256", build)
    digest = f"sha256:{(made / 'digest').read_text()}"
    return Work(
        f"SHA-256 of {_sized(size)}",
        assay("verify", made / "file", "--digest", digest),
        [
            Contender(
                "openssl dgst", ["openssl", "dgst", "-sha256", str(made / "file")], ("openssl",)
            ),
            Contender("sha256sum -c", ["sh", "-c", f"cd {made} && sha256sum -c SHA256SUMS"]),
        ],
        [Goal("openssl dgst", ratio=1.1)],
        [Contender("assay", assay("verify", made / "damaged", "--digest", digest), status=1)],
    )


@benchmark("sparse")
def sparse(inputs: Inputs) -> Work:
    """A file that is almost all hole: nothing but flat memory and hashing counts."""
    size = inputs.size(8 * GIB)

    def build(folder: Path) -> None:
        with (folder / "disk.img").open("wb") as file:
            file.write(b"start")
            file.truncate(size)
        digest = hashlib.sha256(b"start")
        zeros = bytes(MIB)
        for at in range(5, size, MIB):
            digest.update(zeros[: min(MIB, size - at)])
        (folder / "digest").write_text(digest.hexdigest())

    made = inputs.make("sparse", build)
    digest = f"sha256:{(made / 'digest').read_text()}"
    other = "sha256:" + hashlib.sha256(b"another").hexdigest()
    return Work(
        f"sparse file of {_sized(size)}",
        assay("verify", made / "disk.img", "--digest", digest),
        [
            Contender(
                "openssl dgst", ["openssl", "dgst", "-sha256", str(made / "disk.img")], ("openssl",)
            )
        ],
        [Goal(peak=120 * MIB)],
        [Contender("assay", assay("verify", made / "disk.img", "--digest", other), status=1)],
    )


@benchmark("small")
def small(inputs: Inputs) -> Work:
    """One small file with a checksum: what starting up costs."""

    def build(folder: Path) -> None:
        (folder / "file").write_bytes(os.urandom(1000))
        digest = hashlib.sha256((folder / "file").read_bytes()).hexdigest()
        (folder / "SHA256SUMS").write_text(f"{digest}  file\n")
        (folder / "WRONG").write_text(f"{'0' * 64}  file\n")

    made = inputs.make("small", build)
    return Work(
        "one small file with a checksum",
        assay("verify", made / "file", "--checksums", made / "SHA256SUMS"),
        [_bare_python()],
        [Goal(seconds=0.15), Goal("python -c pass", ratio=15)],
        [
            Contender(
                "assay", assay("verify", made / "file", "--checksums", made / "WRONG"), status=1
            )
        ],
    )


@benchmark("help")
def help_(_: Inputs) -> Work:
    """``assay --help``."""
    return Work(
        "assay --help",
        assay("--help"),
        [_bare_python()],
        [Goal(seconds=0.12), Goal("python -c pass", ratio=12)],
        [Contender("assay", assay("--hlep"), status=2)],
    )


def _bare_python() -> Contender:
    return Contender("python -c pass", [sys.executable, "-c", "pass"])

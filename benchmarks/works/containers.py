"""Container images in an OCI layout."""

from __future__ import annotations

import random
import shutil
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from benchmarks.inputs import GIB, MIB, Inputs, LayoutWriter, flip_a_bit, real_layers
from benchmarks.work import Contender, Goal, Work, assay, benchmark, shell

_PER_LAYER = 'for layer in "$@"; do gzip -dc "$layer" | sha256sum || exit 1; done'


def _layers(folder: Path) -> list[Path]:
    """The blobs that are gzip streams, the largest first."""
    blobs = sorted((folder / "blobs" / "sha256").iterdir(), key=lambda path: -path.stat().st_size)
    return [path for path in blobs if path.open("rb").read(2) == b"\x1f\x8b"]


def _damage(folder: Path) -> Path:
    """A copy of a layout with a bit changed in the middle of its largest layer."""
    damaged = folder.with_name(folder.name + "-damaged")
    shutil.copytree(folder, damaged)
    largest = _layers(damaged)[0]
    flip_a_bit(largest, damaged / "new").replace(largest)
    return damaged


def _emptied(folder: Path) -> Callable[[], None]:
    return partial(shutil.rmtree, folder, ignore_errors=True)


@benchmark("layout")
def layout(inputs: Inputs) -> Work:
    """Every digest and diffID of an image of real files, about 320 MB in gzip layers."""
    size = inputs.size(320_000_000, 400_000)

    def build(folder: Path) -> None:
        writer = LayoutWriter(folder / "image")
        real_layers(writer, size, 5)
        writer.finish()
        _damage(folder / "image")

    made = inputs.make("layout", build)
    image, target = made / "image", made.with_name("layout-target")
    digest = (image / "digest").read_text()
    stored = sum(path.stat().st_size for path in _layers(image))
    return Work(
        f"OCI layout, {len(_layers(image))} gzip layers, {stored / 1e6:.3g} MB",
        assay("verify", f"oci:{image}", "--digest", digest),
        [
            Contender(
                "umoci unpack",
                ["umoci", "unpack", "--rootless", "--image", f"{image}:image", str(target)],
                ("umoci",),
                _emptied(target),
                "also writes the files",
            ),
            Contender(
                "gzip -dc | sha256sum", shell(_PER_LAYER, *_layers(image)), note="diffIDs only"
            ),
            Contender(
                "skopeo copy",
                ["skopeo", "copy", "-q", f"oci:{image}:image", f"dir:{target}"],
                ("skopeo",),
                _emptied(target),
                "no diffIDs; also writes the blobs",
            ),
        ],
        [
            Goal("umoci unpack", ratio=1 / 5),
            Goal("gzip -dc | sha256sum", ratio=1 / 3.5),
            Goal("skopeo copy", ratio=1.3),
        ],
        [Contender("assay", assay("verify", f"oci:{image}-damaged", "--digest", digest), status=1)],
    )


@benchmark("large-layer")
def large_layer(inputs: Inputs) -> Work:
    """One layer that expands to 4 GiB: memory has to stay flat."""
    size = inputs.size(4 * GIB, MIB)

    def fill(out: BinaryIO) -> None:
        source = random.Random(4)
        block = b"".join(source.randbytes(48) * 4 for _ in range(64 * 1024 // 192))
        with tarfile.open(fileobj=out, mode="w|") as archive:
            info = tarfile.TarInfo("disk.img")
            info.size = size
            archive.addfile(info, _Repeated(block))  # type: ignore[arg-type]

    def build(folder: Path) -> None:
        writer = LayoutWriter(folder / "image")
        writer.layer(fill, level=1)
        writer.finish()
        _damage(folder / "image")

    made = inputs.make("large-layer", build)
    image = made / "image"
    digest = (image / "digest").read_text()
    return Work(
        f"one layer, {size / GIB:.2g} GiB of content",
        assay("verify", f"oci:{image}", "--digest", digest),
        [Contender("gzip -dc | sha256sum", shell(_PER_LAYER, *_layers(image)), note="diffID only")],
        [Goal(peak=120 * MIB)],
        [Contender("assay", assay("verify", f"oci:{image}-damaged", "--digest", digest), status=1)],
    )


class _Repeated:
    """A file that repeats a block, each time a little different."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._count = 0

    def read(self, size: int) -> bytes:
        made = bytearray()
        while len(made) < size:
            made += self._block[:-8] + self._count.to_bytes(8, "big")
            self._count += 1
        return bytes(made[:size])

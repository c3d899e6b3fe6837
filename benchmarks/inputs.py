"""The inputs of benchmarks, made once and kept in a cache folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

MIB = 1024 * 1024
GIB = 1024 * MIB

REAL_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/share", "/usr/bin", "/opt")
"""Where the files in layers come from: what real images hold."""


class Inputs:
    """Makes inputs, ``factor`` times as large as those that the goals speak of."""

    def __init__(self, cache: Path, factor: float) -> None:
        self.folder = cache / f"{factor:g}"
        self.factor = factor

    def size(self, full: int, least: int = 4096) -> int:
        return max(least, int(full * self.factor))

    def make(self, name: str, build: Callable[[Path], object]) -> Path:
        """The folder ``name``, filled by ``build`` unless that was done before."""
        folder = self.folder / name
        if not folder.is_dir():
            unfinished = folder.with_name(name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            build(unfinished)
            unfinished.rename(folder)
        return folder


def random_pieces(size: int, seed: int = 1) -> Iterator[bytes]:
    """``size`` bytes that no compressor makes smaller, the same each time."""
    source = random.Random(seed)
    for at in range(0, size, MIB):
        yield source.randbytes(min(MIB, size - at))


def write(path: Path, pieces: Iterator[bytes]) -> str:
    """Write a file; its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def flip_a_bit(path: Path, copy: Path, at: float = 0.5) -> Path:
    """A copy of a file with one bit changed, ``at`` of its length (0 to 1) from the start."""
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        offset = int(copy.stat().st_size * at)
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
    return copy


class LayoutWriter:
    """Writes an OCI image layout with gzip layers as image builders do (zlib, level 6)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        self._layers: list[dict[str, Any]] = []
        self._diff_ids: list[str] = []

    def layer(self, fill: Callable[[BinaryIO], object], level: int = 6) -> int:
        """Add a layer: ``fill`` writes the archive. The size of the compressed layer."""
        path = self._blobs / "new"
        with path.open("wb") as file:
            stored = _Hashing(file)
            with gzip.GzipFile("", "wb", level, stored, mtime=0) as packed:  # type: ignore[arg-type]
                plain = _Hashing(packed)
                fill(plain)  # type: ignore[arg-type]
        path.rename(self._blobs / stored.digest.hexdigest())
        self._diff_ids.append(f"sha256:{plain.digest.hexdigest()}")
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        self._layers.append(_descriptor(kind, stored.digest.hexdigest(), stored.size))
        return stored.size

    def _document(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(document).encode()
        digest = hashlib.sha256(data).hexdigest()
        (self._blobs / digest).write_bytes(data)
        return _descriptor(kind, digest, len(data))

    def finish(self) -> str:
        """Write the documents; the manifest's digest."""
        config = {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": self._diff_ids},
            "history": [{"created_by": "benchmarks"} for _ in self._layers],
            "config": {},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self._document("application/vnd.oci.image.config.v1+json", config),
            "layers": self._layers,
        }
        entry = self._document(str(manifest["mediaType"]), manifest)
        digest = str(entry["digest"])
        entry["annotations"] = {"org.opencontainers.image.ref.name": "image"}
        index = {"schemaVersion": 2, "manifests": [entry]}
        (self._folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (self._folder / "index.json").write_text(json.dumps(index))
        (self._folder / "digest").write_text(digest)
        return digest


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


class _Hashing:
    """A file to write to that keeps the digest of what was written."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._inner.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._inner.flush()


def real_files(most: int) -> Iterator[Path]:
    """Regular files of this machine, always in the same order, up to ``most`` bytes each."""
    for top in REAL_FOLDERS:
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
                    continue
                if path.stat().st_size <= most:
                    yield path


def real_layers(writer: LayoutWriter, compressed: int, layers: int) -> None:
    """Fill layers with real files until they are ``compressed`` bytes in all; the first is the
    largest, as a base image is. Random files stand in where the machine has too few."""
    files = real_files(most=max(MIB, compressed // 8))
    shares = [1 / 2, *[1 / (2 * (layers - 1))] * (layers - 1)] if layers > 1 else [1.0]
    for share in shares:
        wanted = int(compressed * share)

        def fill(out: BinaryIO, wanted: int = wanted) -> None:
            written = 0
            with tarfile.open(fileobj=out, mode="w|") as archive:
                while written < wanted * 2.9:
                    path = next(files, None)
                    data = path.read_bytes() if path else next(random_pieces(MIB, written))
                    name = str(path).lstrip("/") if path else f"random/{written}"
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    info.mode = 0o644
                    archive.addfile(info, io.BytesIO(data))
                    written += len(data)

        writer.layer(fill)

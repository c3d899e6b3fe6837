"""A first look: builds a real image of several layers on this machine, verifies it, damages one
byte of a copy, and verifies that.

Run it with the Python that Assay is installed in. It writes to the folder given (``first-look`` by
default) and needs no network and no other tool.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def layer_of(folder: Path) -> bytes:
    """An uncompressed, reproducible tar of the Python files of a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*.py")):
            entry = tarfile.TarInfo(f"usr/lib/{folder.name}/{path.relative_to(folder)}")
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return buffer.getvalue()


def build(root: Path) -> str:
    """Write an OCI image layout with one layer a package; returns the manifest's digest."""
    library = Path(sysconfig.get_path("stdlib"))
    layers = [
        layer_of(library / name)
        for name in ("asyncio", "email", "encodings", "unittest")
        if (library / name).is_dir()
    ]

    def put(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        path = root / "blobs" / "sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"org.opencontainers.image.title": "first look"}},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers],
        },
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [
            put(gzip.compress(layer, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
            for layer in layers
        ],
    }
    descriptor = put(json.dumps(manifest).encode(), MANIFEST_TYPE)
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    return str(descriptor["digest"])


def damage(root: Path, digest: str) -> None:
    """Flip one bit in the middle of the third layer."""
    blobs = root / "blobs" / "sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())
    layer = blobs / manifest["layers"][2]["digest"].removeprefix("sha256:")
    data = bytearray(layer.read_bytes())
    data[len(data) // 2] ^= 1
    layer.write_bytes(data)


def assay(*arguments: str) -> int:
    """Show a command, run it, and return its exit status."""
    print(f"\n$ assay {' '.join(arguments)}", flush=True)
    status = subprocess.run([sys.executable, "-m", "assay", *arguments], check=False).returncode
    print(f"[exit status {status}]", flush=True)
    return status


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "first-look")
    shutil.rmtree(folder, ignore_errors=True)
    image, damaged = folder / "image", folder / "damaged"
    digest = build(image)
    shutil.copytree(image, damaged)
    damage(damaged, digest)
    good = assay("verify", f"oci:{image}", "--digest", digest)
    bad = assay("verify", f"oci:{damaged}", "--digest", digest)
    return 0 if (good, bad) == (0, 1) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The thinnest whole path: a file with a signed checksum file, an OCI layout with a digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust


def _layout(folder: Path) -> str:
    """A one-layer OCI layout; returns the manifest's digest."""
    import gzip
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("etc/hostname")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"assay"))
    layer = gzip.compress(buffer.getvalue(), mtime=0)

    def put(data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        path = folder / "blobs" / "sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    config = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {
            "type": "layers",
            "diff_ids": ["sha256:" + hashlib.sha256(buffer.getvalue()).hexdigest()],
        },
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            **put(json.dumps(config).encode()),
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(layer)},
        ],
    }
    described = put(json.dumps(manifest).encode())
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(
        json.dumps(
            {
                "schemaVersion": 2,
                "manifests": [{"mediaType": manifest["mediaType"], **described}],
            }
        )
    )
    return str(described["digest"])


def test_a_file_that_matches_its_checksum_is_allowed(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay" * 1000)
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{hashlib.sha256(image.read_bytes()).hexdigest()}  disk.img\n")
    trust = Trust()
    trust.add_checksums(str(sums))
    [verdict] = verify(str(image), VerifyOptions(trust))
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay" * 1000)
    trust = Trust()
    trust.add_digest("sha256:" + hashlib.sha256(b"other").hexdigest())
    [verdict] = verify(str(image), VerifyOptions(trust))
    assert verdict.exit_status == 1
    assert "digest-mismatch" in {finding.code for finding in verdict.findings}


def test_nothing_to_trust_is_not_a_pass(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    [verdict] = verify(str(image), VerifyOptions(Trust()))
    assert verdict.exit_status == 3


def test_a_layout_with_the_right_digest_is_bound_to_the_last_byte(tmp_path: Path) -> None:
    digest = _layout(tmp_path / "image")
    trust = Trust()
    trust.add_digest(digest)
    [verdict] = verify(f"oci:{tmp_path / 'image'}", VerifyOptions(trust))
    assert verdict.findings == ()
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1


@pytest.mark.parametrize("which", ["layer", "config", "manifest"])
def test_a_flipped_bit_in_any_blob_is_refused(tmp_path: Path, which: str) -> None:
    digest = _layout(tmp_path / "image")
    blobs = tmp_path / "image" / "blobs" / "sha256"
    manifest_path = blobs / digest.removeprefix("sha256:")
    manifest = json.loads(manifest_path.read_bytes())
    name = {
        "layer": manifest["layers"][0]["digest"],
        "config": manifest["config"]["digest"],
        "manifest": digest,
    }[which]
    path = blobs / name.removeprefix("sha256:")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    trust = Trust()
    trust.add_digest(digest)
    [verdict] = verify(f"oci:{tmp_path / 'image'}", VerifyOptions(trust))
    assert verdict.exit_status == 1

"""Images made by other people's tools: nothing to complain about, and damage is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from assay.model.finding import Severity
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.formats.oci.support import odd

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "oci-layouts"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="no shared vectors")
needs_tools = pytest.mark.skipif(
    shutil.which("umoci") is None or shutil.which("skopeo") is None, reason="needs umoci, skopeo"
)


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout by umoci: files of this machine in two layers, one of them with a whiteout."""
    root = tmp_path_factory.mktemp("real")
    layout, image = root / "layout", f"{root / 'layout'}:latest"
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", image)
    content = root / "content"
    content.mkdir()
    source = Path("/etc")
    for path in sorted(source.rglob("*")):
        target = content / path.relative_to(source)
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.readlink())
        elif path.is_file() and path.stat().st_mode & 0o004:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    (content / "link").hardlink_to(content / "passwd")
    run("umoci", "insert", "--image", image, content, "/etc")
    run("umoci", "insert", "--image", image, Path(__file__).parent, "/src")
    run("umoci", "insert", "--image", image, "--whiteout", "/etc/passwd")
    run("umoci", "config", "--image", image, "--architecture", "amd64", "--os", "linux")
    return layout


@needs_tools
@pytest.mark.parametrize("form", ["as it is", "docker", "plain", "zstd"])
def test_what_skopeo_makes_of_an_image_is_in_order(real: Path, tmp_path: Path, form: str) -> None:
    copy, source = tmp_path / "copy", f"oci:{real}:latest"
    name = f"dir:{copy}"
    if form == "as it is":
        name = f"oci:{copy}"
        run("skopeo", "copy", "-q", source, name)
    elif form == "docker":
        run("skopeo", "copy", "-q", "--format=v2s2", source, name)
    else:
        run("skopeo", "copy", "-q", "--dest-decompress", source, name)
    if form == "zstd":
        name = f"oci:{tmp_path / 'zstd'}"
        run("skopeo", "copy", "-q", "--dest-compress-format=zstd", f"dir:{copy}", name)
    [verdict] = verify(name, VerifyOptions(Trust()))
    codes = {finding.code for finding in verdict.findings if finding.code != "no-anchor"}
    assert codes <= {"archive-end-missing", "layer-privileged-file"}
    assert verdict.claims_broken == 0
    assert verdict.claims_held >= 11
    layers = [component for component in verdict.components if component.kind == "oci-layer"]
    assert len(layers) == 3
    assert all(("zstd" in layer.media_type) is (form == "zstd") for layer in layers)


@needs_tools
def test_a_damaged_layer_of_a_real_image_is_named(real: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(real, copy)
    [entry] = json.loads((copy / "index.json").read_text())["manifests"]
    blobs = copy / "blobs" / "sha256"
    manifest = json.loads((blobs / entry["digest"][7:]).read_text())
    layer = blobs / manifest["layers"][1]["digest"][7:]
    data = bytearray(layer.read_bytes())
    data[len(data) // 2] ^= 0x10
    layer.write_bytes(data)
    trust = Trust()
    trust.add_digest(entry["digest"])
    [verdict] = verify(f"oci:{copy}", VerifyOptions(trust))
    assert verdict.exit_status == 1
    places = {f.component for f in verdict.findings if f.severity is Severity.ERROR}
    assert places <= {"layer[1]", "layer[1]/content"}


@pytest.mark.parametrize("tool", ["tar", "python"])
def test_directories_of_this_machine_as_layers_give_no_noise(tmp_path: Path, tool: str) -> None:
    from tests.formats.layer.support import scan, worst

    source = next(path for path in (Path("/usr/lib/python3"), Path("/usr/lib")) if path.is_dir())
    archive = tmp_path / "layer.tar"
    if tool == "tar":
        run("tar", "-C", "/", "-cf", archive, str(source)[1:], "bin", "etc/alternatives")
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(source, str(source)[1:])
    with archive.open("rb") as file:
        data = file.read(64 * 1024 * 1024)
    result = scan(data)
    codes = set(worst(result.findings)) - {"archive-truncated"}
    assert codes <= {"layer-privileged-file", "layer-name-encoding"}
    assert result.entries > 10


@needs_vectors
def test_layouts_of_go_containerregistry() -> None:
    root = VECTORS / "layout" / "testdata"
    for name, expected in (
        ("test_index", {"media-type-mismatch"}),
        ("test_index_one_image", set()),
        ("test_index_media_type", set()),
    ):
        # Docker's manifests are listed as OCI's in the first one
        for verdict in verify(f"oci:{root / name}", VerifyOptions(Trust())):
            assert set(odd(verdict)) - {"no-anchor"} == expected, name

"""``assay inspect --files``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from click.testing import CliRunner

from assay.cli.main import cli
from tests.support.images import Entry, Layout, folder, hard_link, symlink, whiteout


def inspect(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["inspect", *arguments])
    return result.exit_code, result.stdout


def image(path: Path) -> str:
    layout = Layout()
    return layout.write(
        path / "image",
        layout.image(
            [
                [folder("etc"), Entry("etc/os", b"linux"), Entry("etc/gone"), Entry("app", b"1")],
                [
                    whiteout("etc/gone"),
                    Entry("app", b"2", mode=0o4755),
                    hard_link("again", "app"),
                    symlink("sh", "/bin/sh"),
                    Entry("b\x1b[31mad"),
                ],
            ]
        ),
    )


def test_files_are_listed_for_people(tmp_path: Path) -> None:
    status, text = inspect(image(tmp_path), "--files")
    assert status == 0
    lines = text[text.index("files of manifest") :].splitlines()
    assert lines[0] == "files of manifest: 6, in 2 layers (consistent)"
    app = hashlib.sha256(b"2").hexdigest()
    assert f"  -rwsr-xr-x 0:0           1 sha256:{app} app  [layer[1]]" in lines
    assert any(line.endswith("again (hard link to app)  [layer[1]]") for line in lines)
    assert any(line.endswith("sh -> /bin/sh  [layer[1]]") for line in lines)
    assert "etc/gone" not in text
    assert "\x1b" not in text


def test_files_are_listed_for_programs(tmp_path: Path) -> None:
    status, text = inspect(image(tmp_path), "--files", "--format", "json")
    assert status == 0
    [verdict] = json.loads(text)["verdicts"]
    [index] = verdict["file_indexes"]
    assert index["image"] == "manifest"
    assert index["complete"] is True
    assert index["layers"]["layer[1]/content"]["state"] == "consistent"
    files = {file["path"]: file for file in index["files"]}
    assert files["etc/os"] == {
        "path": "etc/os",
        "type": "file",
        "mode": "0644",
        "user": 0,
        "group": 0,
        "size": 5,
        "digest": "sha256:" + hashlib.sha256(b"linux").hexdigest(),
        "layer": "layer[0]/content",
    }
    assert files["sh"]["link"] == "/bin/sh"
    assert files["again"]["hard_link"] == "app"


def test_files_are_only_listed_when_asked_for(tmp_path: Path) -> None:
    _, text = inspect(image(tmp_path), "--format", "json")
    assert "file_indexes" not in text
    _, text = inspect(image(tmp_path))
    assert "files of" not in text


def test_a_file_has_no_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"data")
    status, text = inspect(str(path), "--files")
    assert status == 0
    assert "files of" not in text


def test_a_damaged_image_is_listed_as_far_as_it_goes(tmp_path: Path) -> None:
    layout = Layout()
    bad = layout.layer({"b": b"2" * 3000})
    described = layout.image([{"a": b"1"}, bad])
    layout.blobs[bad.descriptor["digest"]] = b"damaged"
    status, text = inspect(layout.write(tmp_path / "image", described), "--files")
    assert status == 1
    assert "the list is not complete" in text
    assert " a  [layer[0]]" in text

"""`assay baseline` on the command line: what is written, and what never is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def assay(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay", *(str(word) for word in words)]
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "disk.img").write_bytes(b"assay" * 10_000)
    return tmp_path


def test_a_baseline_is_written_and_finds_the_damage(folder: Path) -> None:
    made = assay("baseline", "disk.img", "--chunk-size", "4K", "-o", "b.json", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert made.stdout == "b.json: 1 component of disk.img (48.8 KiB), 13 chunks of 4.0 KiB\n"
    assert assay("verify", "disk.img", "--baseline", "b.json", cwd=folder).returncode == 0
    with (folder / "disk.img").open("r+b") as image:
        image.seek(9000)
        image.write(b"x")
    verdict = assay("verify", "disk.img", "--baseline", "b.json", cwd=folder)
    assert verdict.returncode == 1
    assert "chunk-mismatch  at file, byte 8192" in verdict.stdout
    assert "bytes 8192-12287" in " ".join(verdict.stdout.split())


def test_without_a_file_it_goes_to_standard_output(folder: Path) -> None:
    made = assay("baseline", "disk.img", cwd=folder)
    assert made.returncode == 0
    assert json.loads(made.stdout)["_type"] == "https://in-toto.io/Statement/v1"
    assert made.stderr == ""


def test_a_file_that_exists_is_only_replaced_by_force(folder: Path) -> None:
    (folder / "b.json").write_text("precious")
    made = assay("baseline", "disk.img", "-o", "b.json", cwd=folder)
    assert made.returncode == 2
    assert "--force" in made.stderr
    assert (folder / "b.json").read_text() == "precious"
    assert assay("baseline", "disk.img", "-o", "b.json", "--force", cwd=folder).returncode == 0
    assert json.loads((folder / "b.json").read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["b.json", "disk.img"]


def test_a_dangling_link_is_a_file_that_exists(folder: Path) -> None:
    (folder / "b.json").symlink_to(folder / "nowhere")
    assert assay("baseline", "disk.img", "-o", "b.json", cwd=folder).returncode == 2
    assert not (folder / "nowhere").exists()


def test_the_image_itself_is_never_written_over(folder: Path) -> None:
    (folder / "link.img").symlink_to("disk.img")
    before = (folder / "disk.img").read_bytes()
    for target in ("disk.img", "link.img", "./disk.img"):
        made = assay("baseline", "disk.img", "-o", target, "--force", cwd=folder)
        assert made.returncode == 2
        assert "the image itself" in made.stderr
    assert (folder / "disk.img").read_bytes() == before


@pytest.mark.parametrize("target", [".", "nowhere/b.json"])
def test_a_place_that_cannot_be_written_is_said_first(folder: Path, target: str) -> None:
    assert assay("baseline", "disk.img", "-o", target, cwd=folder).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_status_3(folder: Path) -> None:
    made = assay("baseline", "disk.img", "-o", "/dev/full", "--force", cwd=folder)
    assert made.returncode == 3
    assert "No space left" in made.stderr
    assert "Traceback" not in made.stderr


def test_a_disk_that_fills_up_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.cli import files

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (folder / "b.json").write_text("precious")
    with pytest.raises(OSError, match="No space"):
        files.write_whole(folder / "b.json", b"{}", force=True)
    assert (folder / "b.json").read_text() == "precious"
    assert sorted(path.name for path in folder.iterdir()) == ["b.json", "disk.img"]


def test_an_image_that_is_refused_gets_none(folder: Path) -> None:
    made = assay(
        "baseline", "disk.img", "--digest", "sha256:" + "0" * 64, "-o", "b.json", cwd=folder
    )
    assert made.returncode == 1
    assert made.stdout == ""
    assert "digest-mismatch" in made.stderr
    assert "no baseline was written" in made.stderr
    assert not (folder / "b.json").exists()


def test_an_image_that_cannot_be_read_is_status_3(folder: Path) -> None:
    made = assay("baseline", "nothing.img", "-o", "b.json", cwd=folder)
    assert made.returncode == 3
    assert not (folder / "b.json").exists()


@pytest.mark.parametrize("size", ["0", "1", "4095", "2G", "1T", "M", "-1", "1.5M", "\u0664K"])
def test_a_chunk_size_out_of_bounds_is_wrong_usage(folder: Path, size: str) -> None:
    assert assay("baseline", "disk.img", "--chunk-size", size, cwd=folder).returncode == 2


def test_broken_algorithms_are_not_offered(folder: Path) -> None:
    assert assay("baseline", "disk.img", "--algorithm", "md5", cwd=folder).returncode == 2
    made = assay(
        "baseline", "disk.img", "--algorithm", "sha512", "--algorithm", "blake3", cwd=folder
    )
    assert set(json.loads(made.stdout)["subject"][0]["digest"]) == {"sha512", "blake3"}

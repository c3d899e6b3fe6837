"""`assay compare` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.images import Entry, Layout


def assay(*words: str, cwd: Path, stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "assay", *words],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.img").write_bytes(b"assay" * 10_000)
    (tmp_path / "b.img").write_bytes(b"assay" * 5000 + b"X" + b"assay" * 5000)
    return tmp_path


def test_two_files(folder: Path) -> None:
    status, out, _ = assay("compare", "a.img", "b.img", cwd=folder)
    assert status == 1
    assert out.startswith("DIFFERENT  a.img  b.img\n")
    assert "b has 1 bytes more at byte 25000; all else is the same" in out
    assert assay("compare", "a.img", "a.img", cwd=folder)[0] == 0


def test_standard_input(folder: Path) -> None:
    data = (folder / "a.img").read_bytes()
    assert assay("compare", "-", "a.img", cwd=folder, stdin=data)[0] == 0
    assert assay("compare", "b.img", "-", cwd=folder, stdin=data)[0] == 1
    status, _, err = assay("compare", "-", "-", cwd=folder)
    assert status == 2
    assert "once" in err


def test_json(folder: Path) -> None:
    status, out, _ = assay("compare", "a.img", "b.img", "--format", "json", cwd=folder)
    value = json.loads(out)
    assert (status, value["exit_status"], value["outcome"]) == (1, 1, "different")


def test_quiet_says_it_by_its_status(folder: Path) -> None:
    assert assay("compare", "a.img", "b.img", "-q", cwd=folder) == (1, "", "")


def test_what_cannot_be_read_is_status_3(folder: Path) -> None:
    status, out, err = assay("compare", "a.img", "nothing.img", cwd=folder)
    assert status == 3
    assert "not-found" in out
    assert "Traceback" not in out + err


def test_hostile_names_do_not_reach_the_terminal(folder: Path) -> None:
    layout = Layout()
    plain = layout.write(folder / "plain", layout.image())
    hostile = layout.image([[Entry("evil\x1b[2Jname\u202e", b"x")]])
    status, out, _ = assay("compare", plain, layout.write(folder / "h", hostile), cwd=folder)
    assert status == 1
    assert "evil" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_limit_is_at_least_one(folder: Path) -> None:
    assert assay("compare", "a.img", "b.img", "--limit", "0", cwd=folder)[0] == 2

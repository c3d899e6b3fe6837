"""The table of a disk's partitions."""

from __future__ import annotations

from pathlib import Path

from assay.report.tree import render
from tests.formats.disk.ddi import Image, some_data, tree_of
from tests.support.disks import Fat12, Gpt, Part, entry_of, inspect


def test_partitions_are_listed_with_what_is_known_of_them(tmp_path: Path) -> None:
    image = Image().add("root", tree_of(tmp_path, some_data(1, 40)))
    image.content["esp"] = Fat12(entry_of("A", 2, 5), {2: 0xFFF}).build()
    (tmp_path / "disk.img").write_bytes(image.build())
    shown = render(inspect(tmp_path / "disk.img"))
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("  partition")}
    assert "FAT12" in rows["partition[ESP]"]
    assert "100 %" in rows["partition[root-x86-64]"]
    assert "root (x86-64) hash tree" in rows["partition[root-x86-64-verity]"]


def test_a_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    disk = Gpt([Part(40, 59, name="a\x1b[2Jb")]).build()
    (tmp_path / "disk.img").write_bytes(disk)
    shown = render(inspect(tmp_path / "disk.img"))
    assert "\x1b" not in shown
    assert "unknown" in shown


def test_a_file_has_no_partitions(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"plain")
    assert "offset" not in render(inspect(tmp_path / "file"))

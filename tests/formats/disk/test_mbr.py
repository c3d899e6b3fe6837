"""MBR disks: primary and logical partitions, as sfdisk has them, and chains that lead astray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.formats.disk.mbr import read_mbr
from assay.model.verdict import Verdict
from assay.sources.blobs import MemoryBlob
from tests.formats.disk.test_gpt import errors, ids, look
from tests.signatures.support import run, tool
from tests.support.checking import codes_of
from tests.support.disks import Gpt, inspect, mbr_sector


def disk(records: dict[int, bytes], sectors: int = 300) -> bytes:
    data = bytearray(sectors * 512)
    for at, record in records.items():
        data[at * 512 : at * 512 + 512] = record
    return bytes(data)


EXTENDED = mbr_sector([(0x83, 8, 40), (0x05, 100, 200)])


def chained(tmp_path: Path, **changed: list[tuple[int, int, int]]) -> Verdict:
    """A disk with logical partitions at 104 and 204; ``changed`` replaces the records."""
    first = changed.get("first", [(0x83, 4, 50), (0x05, 100, 60)])
    second = changed.get("second", [(0x83, 4, 50)])
    return look(tmp_path, disk({0: EXTENDED, 100: mbr_sector(first), 200: mbr_sector(second)}))


def test_primary_and_logical_partitions(tmp_path: Path) -> None:
    verdict = chained(tmp_path)
    assert codes_of(verdict) == set()
    assert {"partition[1]", "partition[5]", "partition[6]", "ebr[0]", "ebr[1]"} <= set(ids(verdict))
    assert verdict.format == "disk"


def test_what_sfdisk_makes_is_read_as_sfdisk_reads_it(tmp_path: Path) -> None:
    sfdisk, image = tool("sfdisk"), tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(60 << 20)
    script = "label: dos\n,10M,ef,*\n,5M,83\n,40M,E\n,3M,82\n,4M,83\n,5M,83\n,6M,b\n"
    run(sfdisk, "-q", image, stdin=script.encode())
    said = json.loads(run(sfdisk, "--json", image))["partitiontable"]["partitions"]
    assert codes_of(inspect(image)) == set()
    assert "partition[ESP]" in ids(inspect(image))
    table = read_mbr(MemoryBlob(image.read_bytes()), 60 << 20)
    assert [(part.number, part.span) for part in table.partitions] == [
        (int(p["node"].rpartition("img")[2]), (p["start"] * 512, (p["start"] + p["size"]) * 512))
        for p in said
        if p["type"] not in ("5", "f")
    ]
    assert table.partitions[0].attributes == ("active",)


def test_a_chain_that_comes_back_to_itself(tmp_path: Path) -> None:
    assert errors(chained(tmp_path, second=[(0x83, 4, 50), (0x05, 0, 60)])) == {"mbr-chain"}
    assert errors(chained(tmp_path, second=[(0x83, 4, 50), (0x05, 100, 60)])) == {"mbr-chain"}


def test_a_chain_without_end(tmp_path: Path) -> None:
    records = {100 + at: mbr_sector([(0x05, at + 1, 1)]) for at in range(1000)} | {
        0: mbr_sector([(0x05, 100, 1100)])
    }
    assert errors(look(tmp_path, disk(records, 1300))) == {"mbr-chain"}


def test_a_chain_that_leaves_the_extended_partition(tmp_path: Path) -> None:
    for target in (201, 250, 0xFFFFFFFF):
        assert errors(chained(tmp_path, first=[(0x83, 4, 50), (0x05, target, 9)])) == {"mbr-chain"}


def test_a_record_with_two_partitions_or_two_links(tmp_path: Path) -> None:
    two = [(0x83, 4, 10), (0x83, 20, 10), (0x05, 100, 60)]
    assert errors(chained(tmp_path, first=two)) == {"mbr-chain"}
    two = [(0x83, 4, 10), (0x05, 100, 60), (0x05, 150, 10)]
    assert errors(chained(tmp_path, first=two)) == {"mbr-chain"}


def test_a_record_that_is_none(tmp_path: Path) -> None:
    assert errors(look(tmp_path, disk({0: EXTENDED}))) == {"mbr-chain"}


def test_a_logical_partition_beyond_the_extended_one(tmp_path: Path) -> None:
    found = errors(chained(tmp_path, second=[(0x83, 4, 500)]))
    assert found == {"mbr-chain", "partition-out-of-bounds"}


def test_two_extended_partitions(tmp_path: Path) -> None:
    data = disk({
        0: mbr_sector([(0x05, 100, 50), (0x0F, 200, 50)]),
        100: mbr_sector([(0x83, 4, 10)]), 200: mbr_sector([(0x83, 4, 10)]),
    })  # fmt: skip
    assert errors(look(tmp_path, data)) == {"mbr-chain"}


@pytest.mark.parametrize("second", [(0x83, 40, 20), (0x83, 8, 10)])
def test_overlapping_partitions(tmp_path: Path, second: tuple[int, int, int]) -> None:
    data = disk({0: mbr_sector([(0x83, 8, 40), second])})
    assert errors(look(tmp_path, data)) == {"partition-overlap"}


def test_a_partition_that_ends_behind_the_disk(tmp_path: Path) -> None:
    data = disk({0: mbr_sector([(0x83, 8, 40), (0x83, 60, 4000)])})
    assert errors(look(tmp_path, data)) == {"partition-out-of-bounds"}


def test_a_gpt_that_was_left_at_the_end(tmp_path: Path) -> None:
    data = Gpt().build()
    data[:1024] = mbr_sector([(0x83, 8, 40)]) + bytes(512)
    assert "stale-gpt" in codes_of(look(tmp_path, data))


def test_a_boot_loader_behind_the_mbr_is_told(tmp_path: Path) -> None:
    data = disk({0: mbr_sector([(0x83, 8, 40)], b"\xeb\x63\x90"), 1: b"GRUB".ljust(512, b"\x90")})
    assert codes_of(look(tmp_path, data)) == {"disk-gap-not-zero"}


def test_other_files_with_the_mark_of_a_boot_sector_are_no_disks(tmp_path: Path) -> None:
    kernel = bytearray(4096)
    kernel[510:518] = b"\x55\xaa\xeb\x66HdrS"
    kernel[0x1F1:0x1F6] = bytes((4, 1, 0, 9, 9))
    for data in (bytes(kernel), mbr_sector([]) + bytes(2000), mbr_sector([(0x83, 0, 9)]) * 4):
        assert look(tmp_path, data).format != "disk"

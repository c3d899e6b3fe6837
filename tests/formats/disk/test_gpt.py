"""GPT disks: what others' tools make is read as they read it, and what is odd is told."""

from __future__ import annotations

import json
import random
import re
import zlib
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.disk import gpt
from assay.formats.disk.image import names
from assay.formats.disk.types import by_guid
from assay.model.finding import Severity
from assay.model.verdict import Verdict
from assay.sources.blobs import MemoryBlob
from assay.trust.anchors import Trust
from tests.signatures.support import run, tool
from tests.support.checking import codes_of
from tests.support.disks import ESP, Fat12, Gpt, Part, entry_of, guid_of, inspect


def look(folder: Path, data: bytes) -> Verdict:
    path = folder / "disk.img"
    path.write_bytes(data)
    verdict = inspect(path)
    assert verdict.coverage.total == len(data)
    return verdict


def errors(verdict: Verdict) -> set[str]:
    return {each.code for each in verdict.findings if each.severity is Severity.ERROR}


def ids(verdict: Verdict) -> list[str]:
    return [each.id for each in verdict.components]


@pytest.mark.parametrize("sector", [512, 4096])
def test_partitions_tables_and_gaps_make_up_the_disk(tmp_path: Path, sector: int) -> None:
    verdict = look(tmp_path, Gpt(sector=sector).build())
    assert codes_of(verdict) == set()
    assert {"partition[1]", "partition[ESP]", "mbr", "header", "backup-header"} <= set(ids(verdict))
    top = [each for each in verdict.components if each.parent == "file"]
    assert sum(each.size or 0 for each in top) == 200 * sector


def test_what_sfdisk_makes_is_read_as_sfdisk_reads_it(tmp_path: Path) -> None:
    sfdisk, image = tool("sfdisk"), tmp_path / "disk.img"
    types = [ESP, guid_of("unknown"), "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"]
    for seed in range(6):
        chance = random.Random(seed)
        script, at = "label: gpt\n", 2048
        for number in range(chance.randrange(1, 9)):
            size = chance.randrange(1, 5000)
            attributes = chance.choice(["", ', attrs="RequiredPartition GUID:63"'])
            script += (
                f"start={at}, size={size}, type={chance.choice(types)}, name=p{number}ä"
                f"{attributes}\n"
            )
            at += size + chance.randrange(0, 3000)
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(40 << 20)
        run(sfdisk, "-q", image, stdin=script.encode())
        said = json.loads(run(sfdisk, "--json", image))["partitiontable"]["partitions"]
        verdict = inspect(image)
        assert codes_of(verdict) == set()
        table = gpt.read_gpt(MemoryBlob(image.read_bytes()), 40 << 20, 512)
        assert [
            (part.span, str(UUID(bytes=part.uuid)).upper(), part.name) for part in table.partitions
        ] == [
            ((p["start"] * 512, (p["start"] + p["size"]) * 512), p["uuid"], p["name"]) for p in said
        ]
        assert [part.attributes for part in table.partitions] == [
            ("required", "no-auto") if "attrs" in p else () for p in said
        ]


def test_what_sgdisk_makes_is_in_order(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(10 << 20)
    run(tool("sgdisk"), "-n", "1:0:+1M", "-t", "1:ef00", "-n", "2:0:+2M", "-A", "2:set:60", image)
    verdict = inspect(image)
    assert codes_of(verdict) == set()
    assert "partition[ESP]" in ids(verdict)
    labels = next(each for each in verdict.components if each.id == "partition[2]").labels
    assert labels["attributes"] == "read-only"


def test_sfdisk_knows_types_by_the_same_guids() -> None:
    listed = run(tool("sfdisk"), "--label", "gpt", "-T").decode()
    found = 0
    for guid, title in re.findall(r"^([0-9A-F-]{36})\s+(.+)$", listed, re.MULTILINE):
        known = by_guid(UUID(guid))
        if match := re.match(r"Linux (root|/usr) (verity )?(sign\. )?\((.+)\)", title):
            found += 1
            assert known.designator == match[1].strip("/"), title
            role = "verity-sig" if match[3] else "verity" if match[2] else "data"
            assert known.role == role, title
            plain = re.sub("[^a-z0-9]", "", match[4].lower())
            other = {"mips32le": "mipsle", "arm64": "arm64", "ppc64be": "ppc64"}
            assert re.sub("[^a-z0-9]", "", known.architecture) in (plain, other.get(plain)), title
    assert found > 50


def test_ids_are_by_type_where_there_is_one_of_it_and_by_number_else() -> None:
    table = gpt.read_gpt(MemoryBlob(bytes(Gpt().build())), 200 * 512, 512)
    assert names(table.partitions) == ["partition[1]", "partition[ESP]"]
    twice = Gpt(parts=[Part(40, 59, ESP), Part(64, 99, ESP)])
    table = gpt.read_gpt(MemoryBlob(bytes(twice.build())), 200 * 512, 512)
    assert names(table.partitions) == ["partition[1]", "partition[2]"]


def test_a_digest_vouches_for_the_whole_disk(tmp_path: Path) -> None:
    from hashlib import sha256

    from assay.pipeline import VerifyOptions, verify

    data = bytes(Gpt().build())
    (tmp_path / "disk.img").write_bytes(data)
    trust = Trust().add_digest(f"sha256:{sha256(data).hexdigest()}")
    [verdict] = verify(str(tmp_path / "disk.img"), VerifyOptions(trust))
    assert verdict.exit_status == 0
    assert verdict.coverage.bound == len(data)


# what others did to the disk


def test_an_entry_of_the_backup_that_differs(tmp_path: Path) -> None:
    gpt_ = Gpt()
    gpt_.backup = [Part(40, 59), Part(70, 99, ESP, guid_of("64"))]
    verdict = look(tmp_path, gpt_.build())
    assert errors(verdict) == {"gpt-backup-mismatch"}
    [found] = [each for each in verdict.findings if each.code == "gpt-backup-mismatch"
               and "entry" in each.detail]  # fmt: skip
    assert found.offset == (199 - 32) * 512 + 128
    assert "entry 2" in found.detail


def test_a_disk_guid_of_the_backup_that_differs(tmp_path: Path) -> None:
    disk = Gpt().build()
    at = 199 * 512
    disk[at + 56] ^= 1
    disk[at + 16 : at + 20] = bytes(4)
    disk[at + 16 : at + 20] = zlib.crc32(disk[at : at + 92]).to_bytes(4, "little")
    assert errors(look(tmp_path, disk)) == {"gpt-backup-mismatch"}


@pytest.mark.parametrize("place", [512 + 40, 1024 + 32, 199 * 512 + 48, (199 - 32) * 512 + 5])
def test_a_flipped_bit_in_either_table(tmp_path: Path, place: int) -> None:
    disk = Gpt().build()
    disk[place] ^= 4
    verdict = look(tmp_path, disk)
    assert errors(verdict) == {"gpt-checksum"}
    # the other table still says where the partitions are
    assert "partition[ESP]" in ids(verdict)


def test_a_primary_table_that_was_wiped(tmp_path: Path) -> None:
    disk = Gpt().build()
    disk[512 : 34 * 512] = bytes(33 * 512)
    verdict = look(tmp_path, disk)
    assert errors(verdict) == {"partition-table-malformed"}
    assert "partition[ESP]" in ids(verdict)


def test_a_backup_table_that_was_cut_off(tmp_path: Path) -> None:
    verdict = look(tmp_path, Gpt().build()[: 150 * 512])
    assert "gpt-backup-missing" in errors(verdict)
    assert verdict.exit_status == 1


def test_data_appended_behind_the_backup_table(tmp_path: Path) -> None:
    verdict = look(tmp_path, bytes(Gpt().build()) + b"more".ljust(5120, b"!"))
    assert {"gpt-backup-misplaced", "disk-gap-not-zero", "protective-mbr"} == codes_of(verdict)


@pytest.mark.parametrize(
    "parts",
    [
        [Part(40, 59), Part(59, 80)],
        [Part(40, 99), Part(50, 60)],
        [Part(40, 59), Part(40, 59, guid=guid_of("other"))],
    ],
)
def test_overlapping_partitions(tmp_path: Path, parts: list[Part]) -> None:
    assert errors(look(tmp_path, Gpt(parts).build())) == {"partition-overlap"}


@pytest.mark.parametrize("part", [Part(1, 2), Part(20, 40), Part(160, 170), Part(190, 199)])
def test_a_partition_over_the_table(tmp_path: Path, part: Part) -> None:
    found = errors(look(tmp_path, Gpt([part]).build()))
    assert {"partition-out-of-bounds"} <= found <= {"partition-out-of-bounds", "partition-overlap"}


@pytest.mark.parametrize("part", [Part(60, 40), Part(40, 1 << 40), Part((1 << 64) - 1, 0)])
def test_a_partition_that_is_nowhere(tmp_path: Path, part: Part) -> None:
    verdict = look(tmp_path, Gpt([part]).build())
    assert errors(verdict) == {"partition-out-of-bounds"}
    assert not any(each.startswith("partition") for each in ids(verdict))


def test_two_partitions_with_one_guid(tmp_path: Path) -> None:
    parts = [Part(40, 59, guid=guid_of("a")), Part(64, 99, guid=guid_of("a"))]
    assert errors(look(tmp_path, Gpt(parts).build())) == {"partition-guid"}


def test_data_hidden_between_partitions(tmp_path: Path) -> None:
    verdict = look(tmp_path, Gpt(content={62: b"hidden"}).build())
    [found] = [each for each in verdict.findings if each.code == "disk-gap-not-zero"]
    assert (found.component, found.offset) == ("gap[2]", 1024)
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize("place", [512 + 92, 1024 + 128 * 5 + 60])
def test_data_hidden_within_the_table(tmp_path: Path, place: int) -> None:
    gpt_ = Gpt()
    disk = gpt_.build()
    disk[place] = 1
    for at, array in ((1, 2), (199, 167)):
        entries = disk[array * 512 : (array + 32) * 512]
        if place > 1024:
            disk[array * 512 + place - 1024] = 1
            entries = disk[array * 512 : (array + 32) * 512]
        disk[at * 512 + 88 : at * 512 + 92] = zlib.crc32(entries).to_bytes(4, "little")
        disk[at * 512 + 16 : at * 512 + 20] = bytes(4)
        crc = zlib.crc32(disk[at * 512 : at * 512 + 92])
        disk[at * 512 + 16 : at * 512 + 20] = crc.to_bytes(4, "little")
    assert codes_of(look(tmp_path, disk)) == {"disk-gap-not-zero"}


def test_no_protective_mbr(tmp_path: Path) -> None:
    disk = Gpt().build()
    disk[:512] = bytes(512)
    assert errors(look(tmp_path, disk)) == {"protective-mbr"}


def test_a_hybrid_mbr_with_the_same_partition(tmp_path: Path) -> None:
    verdict = look(tmp_path, Gpt(mbr=[(0xEE, 1, 199), (0xEF, 64, 36)]).build())
    assert (errors(verdict), codes_of(verdict)) == (set(), {"hybrid-mbr"})


def test_a_hybrid_mbr_with_another_partition(tmp_path: Path) -> None:
    verdict = look(tmp_path, Gpt(mbr=[(0xEE, 1, 199), (0x0C, 64, 30)]).build())
    assert errors(verdict) == {"hybrid-mbr"}


def test_tables_for_two_sizes_of_a_sector(tmp_path: Path) -> None:
    disk = Gpt(sectors=200, count=8).build()
    large = Gpt(sectors=25, sector=4096, parts=[Part(7, 9)]).build()
    disk[4096:8192] = large[4096:8192]
    assert "ambiguous-format" in codes_of(look(tmp_path, disk))


@pytest.mark.parametrize(
    "changed",
    [
        {"own": 2},
        {"revision": 0x20000},
        {"entry_size": 96},
        {"entry_size": 0},
        {"count": 0},
        {"count": 0xFFFFFFFF},
        {"last_usable": 1 << 50},
        {"first_usable": 180},
        {"place": 1 << 60},
        {"place": 0},
        {"place": 199},
        {"size": 4096},
        {"size": 12},
    ],
)
def test_a_header_with_a_right_checksum_that_makes_no_sense(
    tmp_path: Path, changed: dict[str, int]
) -> None:
    disk = Gpt(
        header=changed, backup_header={**changed, "own": 198} if "own" in changed else changed
    )
    verdict = look(tmp_path, disk.build())
    assert verdict.exit_status == 1
    assert errors(verdict) & {"partition-table-malformed", "gpt-checksum"}


_TABLES = st.integers(512, 34 * 512 - 1) | st.integers(167 * 512, 200 * 512 - 1)
_CHANGES = st.dictionaries(
    st.integers(446, 1400) | st.integers(199 * 512, 200 * 512 - 1), st.integers(0, 255), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(place=_TABLES, bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_table_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    disk = Gpt().build()
    disk[place] ^= 1 << bit
    assert codes_of(look(tmp_path_factory.mktemp("disk"), disk))


@settings(max_examples=60, deadline=None)
@given(changes=_CHANGES, size=st.integers(1, 200 * 512))
def test_nothing_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[int, int], size: int
) -> None:
    disk = Gpt().build()
    for place, value in changes.items():
        disk[place] = value
    verdict = look(tmp_path_factory.mktemp("disk"), disk[:size])
    assert "internal-error" not in codes_of(verdict)


def test_a_file_system_whose_reserved_sectors_hold_a_table(tmp_path: Path) -> None:
    """One program mounts the file, another one finds partitions in it."""
    disk = Gpt(mbr=[]).build()
    disk[:62] = Fat12(sectors=200).build()[:62]
    assert "ambiguous-format" in codes_of(look(tmp_path, disk))


def test_partitions_that_overlap_are_not_looked_into(tmp_path: Path) -> None:
    system = Fat12(entry_of("A", 2, 5), {2: 0xFFF}).build()
    parts = [Part(40, 103, guid=guid_of(str(number))) for number in range(60)]
    verdict = look(tmp_path, Gpt(parts, content={40: system}).build())
    assert errors(verdict) == {"partition-overlap"}
    assert "file" not in {each.kind for each in verdict.components}
    assert len(verdict.not_checked) == 60

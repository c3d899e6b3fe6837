"""FAT file systems: what mkfs.fat and mtools write is read, and what is odd is told."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.claim import Claim, DigestIs
from assay.model.digest import Digest
from assay.model.finding import Severity
from assay.model.verdict import State, Verdict
from tests.signatures.support import run, tool
from tests.support.checking import codes_of
from tests.support.disks import Fat12, entry_of, inspect, long_entries

KINDS = {12: ("4M", []), 16: ("24M", []), 32: ("40M", ["-s", "1"])}


def look(folder: Path, data: bytes) -> Verdict:
    path = folder / "fs.img"
    path.write_bytes(data)
    verdict = inspect(path)
    assert verdict.coverage.total == len(data)
    return verdict


def errors(verdict: Verdict) -> set[str]:
    return {each.code for each in verdict.findings if each.severity is Severity.ERROR}


def files(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    return {each.id: each.digests for each in verdict.components if each.kind == "file"}


def digest(data: bytes) -> tuple[str]:
    return (f"sha256:{sha256(data).hexdigest()}",)


@pytest.mark.parametrize("bits", KINDS)
def test_every_file_that_mtools_writes_is_found(tmp_path: Path, bits: int) -> None:
    size, options = KINDS[bits]
    image = tmp_path / "fs.img"
    run("truncate", "-s", size, image)
    run(tool("mkfs.fat"), "-F", str(bits), "-n", "ESP", *options, image)
    run(tool("mmd"), "-i", image, "::/EFI", "::/EFI/BOOT", "::/loader")
    chance = random.Random(bits)
    expected = {}
    for number in range(60):
        place = chance.choice(["", "EFI/", "EFI/BOOT/", "loader/"])
        style = chance.choice(["F{}.BIN", "a longer name {}.config.txt", "grüße-{}", "mixed{}.Efi"])
        name = place + style.format(number)
        data = chance.randbytes(chance.choice([0, 1, 511, 512, 513, 5000, 30_000]))
        (tmp_path / "data").write_bytes(data)
        run(tool("mcopy"), "-i", image, tmp_path / "data", f"::/{name}")
        expected[name] = digest(data)
    # make holes, so that what comes next is in pieces
    for name in list(expected)[::2]:
        run(tool("mdel"), "-i", image, f"::/{name}")
        del expected[name]
    for number in range(3):
        data = chance.randbytes(300_000)
        (tmp_path / "data").write_bytes(data)
        run(tool("mcopy"), "-i", image, tmp_path / "data", f"::/large{number}")
        expected[f"large{number}"] = digest(data)
    verdict = inspect(image)
    assert codes_of(verdict) == set()
    assert files(verdict) == expected
    assert f"FAT{bits}" in verdict.components[0].description
    assert verdict.coverage.total == image.stat().st_size


def test_a_file_in_pieces_in_any_order(tmp_path: Path) -> None:
    image = Fat12(
        root=entry_of("A.BIN", 9, 1400) + entry_of("B.BIN", 3, 600),
        chains={9: 4, 4: 7, 7: 0xFFF, 3: 2, 2: 0xFFF},
        clusters={number: bytes([number]) * 512 for number in range(2, 12)},
    ).build()
    verdict = look(tmp_path, image)
    assert errors(verdict) == set()
    one = bytes([9]) * 512 + bytes([4]) * 512 + bytes([7]) * 376
    assert files(verdict) == {
        "A.BIN": digest(one),
        "B.BIN": digest(bytes([3]) * 512 + bytes([2]) * 88),
    }
    # slack and free clusters have something in them
    assert [each.component for each in verdict.findings if each.code == "fat-remains"] == [
        "slack", "free",
    ]  # fmt: skip


def test_a_claim_about_a_file_in_pieces_binds_its_bytes_and_no_others(tmp_path: Path) -> None:
    from assay.appraisal.appraise import appraise
    from assay.measure.engine import measure
    from assay.model.anchor import Anchor
    from assay.pipeline import VerifyOptions, discover, judgeable
    from assay.trust.anchors import Trust

    content = bytes([9]) * 512 + bytes([4]) * 512 + bytes([7]) * 376
    (tmp_path / "fs.img").write_bytes(
        Fat12(
            root=entry_of("A.BIN", 9, 1400),
            chains={9: 4, 4: 7, 7: 0xFFF},
            clusters={number: bytes([number]) * 512 for number in range(2, 12)},
        ).build()
    )
    for right in (True, False):
        request = VerifyOptions(Trust())
        [gathered] = discover(str(tmp_path / "fs.img"), request)
        value = sha256(content if right else b"other").digest()
        gathered.anchors.append(Anchor("digest:1", "digest", "given"))
        gathered.reading.claims.append(
            Claim("A.BIN", "digest:1", DigestIs(Digest("sha256", value)), "given")
        )
        facts = measure(gathered.components, gathered.blobs, gathered.requests([]))
        verdict = appraise(judgeable(gathered, facts, request))
        assert verdict.coverage.bound == (1400 if right else 0)
        state = next(each.state for each in verdict.components if each.id == "A.BIN")
        assert state is (State.BOUND if right else State.BROKEN)


def test_long_names_of_any_length(tmp_path: Path) -> None:
    names = ["x" * length for length in (1, 12, 13, 14, 26, 255)]
    root, chains = b"", {}
    for number, name in enumerate(names):
        short = entry_of(f"X~{number}", number + 2, 1)
        entries = long_entries(name, short) + short
        root += entries
        chains[number + 2] = 0xFFF
    directory = {number: root[at : at + 512] for number, at in
                 enumerate(range(0, len(root), 512), 20)}  # fmt: skip
    last = max(directory)
    chains |= {number: number + 1 for number in directory} | {last: 0xFFF}
    image = Fat12(entry_of("EFI", 20, 0, 0x10), chains, directory).build()
    verdict = look(tmp_path, image)
    assert set(files(verdict)) == {f"EFI/{name}" for name in names}
    assert errors(verdict) == set()


# what others did to the file system


def hostile(folder: Path, name: str = "A.BIN", size: int = 1500, **more: object) -> set[str]:
    made: dict[str, object] = {
        "root": entry_of(name, 2, size),
        "chains": {2: 3, 3: 4, 4: 0xFFF},
    }
    return errors(look(folder, Fat12(**(made | more)).build()))  # type: ignore[arg-type]


def test_a_chain_that_comes_back_to_itself(tmp_path: Path) -> None:
    assert hostile(tmp_path) == set()
    assert hostile(tmp_path, chains={2: 3, 3: 4, 4: 2}) == {"fat-chain"}
    assert hostile(tmp_path, chains={2: 2}) == {"fat-chain"}


def test_two_files_with_the_same_clusters(tmp_path: Path) -> None:
    root = entry_of("A.BIN", 2, 1500) + entry_of("B.BIN", 3, 1000)
    assert hostile(tmp_path, root=root) == {"fat-chain"}


@pytest.mark.parametrize("chains", [{2: 3, 3: 0xFFF}, {2: 3}, {2: 3, 3: 0xFF7}, {2: 3, 3: 900}, {}])
def test_a_chain_that_ends_before_the_file_does(tmp_path: Path, chains: dict[int, int]) -> None:
    assert hostile(tmp_path, chains=chains) == {"fat-chain"}


@pytest.mark.parametrize("cluster", [0, 1, 700, 0xFFFF])
def test_a_file_that_begins_nowhere(tmp_path: Path, cluster: int) -> None:
    assert hostile(tmp_path, root=entry_of("A.BIN", cluster, 1500)) == {"fat-chain"}


def test_a_directory_that_contains_itself(tmp_path: Path) -> None:
    root = entry_of("EFI", 2, 0, 0x10)
    clusters = {2: entry_of("EFI", 2, 0, 0x10)}
    found = hostile(tmp_path, root=root, chains={2: 0xFFF}, clusters=clusters)
    assert found == {"fat-chain"}


def test_directories_deeper_than_anybody_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAT_DEPTH", 3)
    clusters = {number: entry_of("D", number + 1, 0, 0x10) for number in range(2, 9)}
    chains = dict.fromkeys(range(2, 10), 0xFFF)
    root = entry_of("D", 2, 0, 0x10)
    assert hostile(tmp_path, root=root, chains=chains, clusters=clusters) == {"limit-exceeded"}


def test_more_files_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FAT_ENTRIES", 5)
    root = b"".join(entry_of(f"F{number}", 0) for number in range(8))
    assert hostile(tmp_path, root=root, chains={}) == {"limit-exceeded"}


def test_two_files_with_the_same_name(tmp_path: Path) -> None:
    for other in ("A.BIN", "a.bin"):
        root = entry_of("A.BIN", 0) + entry_of(other, 0)
        verdict = look(tmp_path, Fat12(root).build())
        assert errors(verdict) == {"fat-ambiguous"}
        assert len(files(verdict)) == 2


def test_a_long_name_that_is_the_short_name_of_another_file(tmp_path: Path) -> None:
    short = entry_of("X~1", 0)
    root = entry_of("A.BIN", 0) + long_entries("a.bin", short) + short
    assert hostile(tmp_path, root=root, chains={}) == {"fat-ambiguous"}


def test_entries_behind_the_end_of_a_directory(tmp_path: Path) -> None:
    root = entry_of("A.BIN", 0) + bytes(32) + entry_of("HIDDEN.EFI", 0)
    verdict = look(tmp_path, Fat12(root).build())
    assert errors(verdict) == {"fat-ambiguous"}
    [found] = [each for each in verdict.findings if each.code == "fat-ambiguous"]
    assert (found.component, found.offset) == ("root-directory", 64)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "x\ny", "a:b", "\u202eexe"])
def test_a_name_that_is_a_path_or_hides_itself(tmp_path: Path, name: str) -> None:
    short = entry_of("X~1", 0)
    verdict = look(tmp_path, Fat12(long_entries(name, short) + short).build())
    assert errors(verdict) == {"fat-ambiguous"}
    [found] = files(verdict)
    assert "/" not in found
    assert found.isprintable()


def test_a_long_name_for_another_file(tmp_path: Path) -> None:
    short = entry_of("X~1", 0)
    root = long_entries("good.efi", entry_of("OTHER", 0)) + short
    assert hostile(tmp_path, root=root, chains={}) == {"fat-ambiguous"}
    parts = long_entries("a name that takes two", short)
    assert hostile(tmp_path, root=parts[32:] + short, chains={}) == {"fat-ambiguous"}
    assert hostile(tmp_path, root=parts, chains={}) == {"fat-ambiguous"}


def test_a_file_that_is_called_like_a_part_of_the_file_system(tmp_path: Path) -> None:
    short = entry_of("X~1", 0)
    verdict = look(tmp_path, Fat12(long_entries("boot-sector", short) + short).build())
    assert errors(verdict) == set()
    assert set(files(verdict)) == {"boot-sector#2"}


def test_tables_that_differ(tmp_path: Path) -> None:
    image = Fat12(entry_of("A.BIN", 2, 9), {2: 0xFFF}, second={2: 0xFFF, 5: 0xFFF}).build()
    verdict = look(tmp_path, image)
    assert codes_of(verdict) == {"fat-copies-differ"}


def test_clusters_that_no_file_has(tmp_path: Path) -> None:
    image = Fat12(entry_of("A.BIN", 2, 9), {2: 0xFFF, 5: 6, 6: 0xFFF}).build()
    verdict = look(tmp_path, image)
    assert codes_of(verdict) == {"fat-lost-clusters"}
    assert next(each.size for each in verdict.components if each.id == "lost") == 1024


@pytest.mark.parametrize(
    ("offset", "value"),
    [(11, b"\0\x02\x03"), (14, b"\xff\xff"), (17, b"\xff\xff"), (19, b"\xff\x7f"), (19, b"\x03\0"),
     (22, b"\xff\0"), (22, b"\0\0")],
)  # fmt: skip
def test_a_boot_sector_that_cannot_be(tmp_path: Path, offset: int, value: bytes) -> None:
    def change(disk: bytearray) -> None:
        disk[offset : offset + len(value)] = value

    verdict = look(tmp_path, Fat12(change=change).build())
    assert verdict.format == "raw" or errors(verdict) == {"fat-malformed"}


def test_a_file_system_that_was_cut_short(tmp_path: Path) -> None:
    verdict = look(tmp_path, Fat12().build()[:-512])
    assert errors(verdict) == {"fat-malformed"}
    assert "truncation" in {each.cause for each in verdict.findings}


@settings(max_examples=100, deadline=None)
@given(
    changes=st.dictionaries(
        st.integers(0, 62) | st.integers(512, 2600), st.integers(0, 255), max_size=8
    ),
    size=st.integers(1, 64 * 512),
)
def test_nothing_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[int, int], size: int
) -> None:
    short = entry_of("LONGNA~1.TXT", 4, 900)
    root = long_entries("long name.text", short) + short + entry_of("EFI", 2, 0, 0x10)
    disk = bytearray(
        Fat12(root, {2: 0xFFF, 3: 0xFFF, 4: 3, 5: 0xFFF}, {2: entry_of("BOOT.EFI", 5, 10)}).build()
    )
    for place, value in changes.items():
        disk[place] = value
    verdict = look(tmp_path_factory.mktemp("fat"), bytes(disk[:size]))
    assert "internal-error" not in codes_of(verdict)


def test_files_in_more_pieces_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAT_FRAGMENTS", 5)
    clusters = list(range(40, 2, -4))
    chains = dict(zip(clusters, [*clusters[1:], 0xFFF], strict=True))
    root = entry_of("A.BIN", clusters[0], 100)
    found = hostile(tmp_path, root=root, chains=chains)
    assert found == {"limit-exceeded"}


def test_very_many_files_of_one_name(tmp_path: Path) -> None:
    """Each has an id of its own, and finding it takes no longer for the last one."""
    chains = {at: at + 1 for at in range(2, 301)} | {301: 0xFFF}
    rows = entry_of("A.BIN", 0) * 16
    made = Fat12(entry_of("D", 2, 0, 0x10), chains, dict.fromkeys(chains, rows), sectors=330)
    verdict = look(tmp_path, made.build())
    found = [each.id for each in verdict.components if each.id.startswith("D/A.BIN")]
    assert len(set(found)) == len(found) == 4800
    assert "fat-ambiguous" in errors(verdict)

"""Disks whose signed kernel names the root hash of what it will mount."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.disk.command_line import command_lines, parse_command_line
from assay.formats.pe.sections import SECTION
from assay.model.component import Component, Slice
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.blobs import MemoryBlob
from assay.trust.anchors import Trust
from tests.formats.disk.ddi import DATA, Image, Tree, some_data, tree_of
from tests.formats.disk.test_discoverable import state
from tests.formats.pe.test_authenticode import ROOT, SIGNER
from tests.support import pe, uki
from tests.support.certificates import NOW, make
from tests.support.checking import codes_of
from tests.support.disks import Fat12, entry_of

LINE = "partition[ESP]/LINUX.EFI/section[.cmdline]"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return tree_of(tmp_path_factory.mktemp("tree"), some_data(7, 20))


def kernel(line: str, signer: object = SIGNER) -> bytes:
    program = uki.program(uki.BASE[0], (".cmdline", line.encode()), uki.LINUX)
    return pe.signed(program, signer)  # type: ignore[arg-type]


def file_system(content: bytes) -> bytes:
    """A FAT file system with one file, whose two halves are in the wrong order on the disk."""
    count = -(-len(content) // 512)
    first = count // 2
    clusters = [*range(100, 100 + first), *range(2, 2 + count - first)]
    pieces = [content[at : at + 512] for at in range(0, len(content), 512)]
    return Fat12(
        root=entry_of("LINUX.EFI", 100, len(content)),
        chains=dict(zip(clusters, [*clusters[1:], 0xFFF], strict=True)),
        clusters=dict(zip(clusters, pieces, strict=True)),
        sectors=240,
    ).build()


def check(folder: Path, image: Image, content: bytes) -> Verdict:
    image.content["esp"] = file_system(content)
    disk = image.build()
    path = folder / "disk.img"
    path.write_bytes(disk)
    (folder / "ca.pem").write_bytes(ROOT.pem)
    trust = Trust().add_ca(folder / "ca.pem")
    [verdict] = verify(str(path), VerifyOptions(trust, at=NOW))
    assert verdict.coverage.total == len(disk)
    return verdict


def test_a_signed_kernel_vouches_for_the_root_hash_that_it_names(
    tmp_path: Path, tree: Tree
) -> None:
    verdict = check(tmp_path, Image().add("root", tree), kernel(f"quiet roothash={tree.root}"))
    assert verdict.exit_status == 0, verdict.findings
    assert state(verdict, f"{DATA}/verity-data") is State.BOUND
    assert state(verdict, LINE) is State.BOUND


def test_a_kernel_for_usr(tmp_path: Path, tree: Tree) -> None:
    image = Image().add("usr", tree)
    assert check(tmp_path, image, kernel(f"usrhash={tree.root}")).exit_status == 0
    # what is meant for /usr is not taken for the root directory
    assert check(tmp_path, image, kernel(f"roothash={tree.root}")).exit_status == 1


def test_a_kernel_that_somebody_else_signed(tmp_path: Path, tree: Tree) -> None:
    content = kernel(f"roothash={tree.root}", make("Other"))
    verdict = check(tmp_path, Image().add("root", tree), content)
    assert verdict.exit_status == 1
    assert verdict.coverage.bound == 0


def test_a_kernel_of_another_version(tmp_path: Path, tree: Tree) -> None:
    verdict = check(tmp_path, Image().add("root", tree), kernel(f"roothash={'ab' * 32}"))
    assert verdict.exit_status == 1
    assert "verity-partition-uuid" in codes_of(verdict)
    assert state(verdict, f"{DATA}/verity-data") is State.CONSISTENT


def test_a_command_line_that_was_changed(tmp_path: Path, tree: Tree) -> None:
    content = kernel(f"roothash={'ab' * 32}").replace(b"ab" * 32, tree.root.encode())
    assert check(tmp_path, Image().add("root", tree), content).exit_status == 1


def test_a_file_that_is_called_like_a_section(tree: Tree) -> None:
    """Whoever vouches for the bytes of a file does not say that they are a command line."""
    for kind, found in (("file", 0), ("pe-section", 1)):
        labels = {SECTION: ".cmdline"} if kind == "pe-section" else {}
        text = f"roothash={tree.root}".encode()
        component = Component("x/section[.cmdline]", kind, Slice("disk", ((0, len(text)),)), "disk",
                              len(text), labels=labels)  # fmt: skip
        lines = command_lines(MemoryBlob(text), "disk", {component.id: component})
        assert len(list(lines)) == found


def test_another_root_partition_beside_the_one_that_is_named(tmp_path: Path, tree: Tree) -> None:
    image = Image().add("root", tree)
    image.content["root#2"] = some_data(9, 5)
    verdict = check(tmp_path, image, kernel(f"roothash={tree.root}"))
    assert verdict.exit_status == 1


def test_the_last_root_hash_counts() -> None:
    assert parse_command_line(b'a=b roothash=aabb "roothash=ccdd" usrhash="ee"\0roothash=00') == {
        "root": b"\xcc\xdd",
        "usr": b"\xee",
    }
    assert parse_command_line(b"roothash=aabb roothash=none usrhash") == {}


def test_a_root_hash_behind_a_quotation_mark_that_is_never_closed() -> None:
    """systemd takes all that follows for one word, and finds no root hash."""
    assert parse_command_line(b'a=b" roothash=aabb') == {}
    assert parse_command_line(b'roothash=aabb b="roothash=ccdd') == {"root": b"\xaa\xbb"}


def test_a_later_root_hash_in_single_quotation_marks() -> None:
    assert parse_command_line(b"roothash=aabb 'roothash=ccdd'") == {"root": b"\xcc\xdd"}
    assert parse_command_line(b"""a='b roothash=aabb' c="it's" """) == {}


def test_a_root_hash_behind_a_space_of_unicode() -> None:
    """It is a part of the word before it."""
    assert parse_command_line("a=b\u00a0roothash=aabb c\u2003roothash=ccdd".encode()) == {}
    assert parse_command_line(b"a=b\nroothash=aabb\tc") == {"root": b"\xaa\xbb"}


def test_a_root_hash_for_the_initrd_alone_replaces_the_other() -> None:
    assert parse_command_line(b"roothash=aabb rd.roothash=ccdd") == {"root": b"\xcc\xdd"}
    assert parse_command_line(b"usrhash=aabb -- rd.usrhash=none") == {}


@given(st.binary(max_size=200))
def test_any_command_line_is_read(line: bytes) -> None:
    parse_command_line(line)

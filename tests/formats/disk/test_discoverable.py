"""Discoverable disk images: who vouches for what, and what becomes of parts put together anew."""

from __future__ import annotations

import base64
from pathlib import Path
from uuid import UUID

import pytest

from assay.formats.verity.parameters import Given
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.formats.disk.ddi import (
    DATA,
    SIG,
    TREE,
    Image,
    Tree,
    publisher,
    signature_json,
    signed,
    some_data,
    tree_of,
)
from tests.formats.disk.test_gpt import errors
from tests.signatures.support import run, tool
from tests.support.certificates import Holder, key_of, make
from tests.support.checking import codes_of
from tests.support.disks import Part, guid_of, inspect

AUTHORITY, SIGNER = publisher()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return tree_of(tmp_path_factory.mktemp("tree"), some_data())


@pytest.fixture(scope="module")
def signature(tmp_path_factory: pytest.TempPathFactory, tree: Tree) -> bytes:
    folder = tmp_path_factory.mktemp("signature")
    return signature_json(tree.root, signed(folder, tree.root, SIGNER), SIGNER)


def check(folder: Path, image: bytes, *authorities: Holder, **given: object) -> Verdict:
    path = folder / "disk.img"
    path.write_bytes(image)
    trust = Trust()
    for number, holder in enumerate(authorities):
        trust.add_ca(holder.write(folder, f"ca{number}")[0])
    if authorities:
        trust.add_ca_intermediate(SIGNER.write(folder, "signer")[0])
    if "root" in given:
        trust.add_verity_root(Given(bytes.fromhex(str(given["root"]))))
    [verdict] = verify(str(path), VerifyOptions(trust))
    assert verdict.coverage.total == len(image)
    return verdict


def state(verdict: Verdict, component: str) -> State:
    return next(each.state for each in verdict.components if each.id == component)


def test_a_signature_partition_vouches_for_data_and_tree(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    verdict = check(tmp_path, Image().add("root", tree, signature).build(), AUTHORITY)
    assert verdict.exit_status == 0, verdict.findings
    assert codes_of(verdict) == {"unclaimed-bytes"}
    assert state(verdict, f"{DATA}/verity-data") is State.BOUND
    assert verdict.coverage.bound == len(tree.data) + len(tree.content) - 4096 + 64
    assert state(verdict, SIG) in (State.BOUND, State.EXCLUDED)


def test_the_certificate_may_be_in_the_signature_and_the_text_may_have_attributes(
    tmp_path: Path, tree: Tree
) -> None:
    certificate, key = SIGNER.write(tmp_path, "signer")
    (tmp_path / "text").write_text(tree.root)
    der = run(
        tool("openssl"), "cms", "-sign", "-binary", "-in", tmp_path / "text", "-inkey", key,
        "-signer", certificate, "-outform", "der",
    )  # fmt: skip
    image = Image().add("root", tree, signature_json(tree.root, der, SIGNER)).build()
    assert check(tmp_path, image, AUTHORITY).exit_status == 0


def test_sfdisk_can_lay_out_the_disk(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(8 << 20)
    digest = bytes.fromhex(tree.root)
    script = (
        "label: gpt\nfirst-lba: 34\n"
        f"start=2048, size={len(tree.data) // 512}, type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709,"
        f" uuid={UUID(bytes=digest[:16])}\n"
        f"start=8192, size={len(tree.content) // 512}, uuid={UUID(bytes=digest[-16:])},"
        " type=2c7357ed-ebd2-46d9-aec1-23d437ec2bf5\n"
        "start=12288, size=32, type=41092b05-9fc8-4523-994f-2def0408b176\n"
    )
    run(tool("sfdisk"), "-q", path, stdin=script.encode())
    image = bytearray(path.read_bytes())
    for at, data in ((2048, tree.data), (8192, tree.content), (12288, signature)):
        image[at * 512 : at * 512 + len(data)] = data
    assert check(tmp_path, bytes(image), AUTHORITY).exit_status == 0


def test_somebody_else_signed(tmp_path: Path, tree: Tree) -> None:
    other = make("Other", key=key_of("rsa2048", 2))
    signature = signature_json(tree.root, signed(tmp_path, tree.root, other), other)
    verdict = check(tmp_path, Image().add("root", tree, signature).build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert verdict.coverage.bound == 0


def test_without_a_signature_the_uuids_make_a_claim_that_nobody_vouches_for(
    tmp_path: Path, tree: Tree
) -> None:
    image = Image().add("root", tree).build()
    (tmp_path / "disk.img").write_bytes(image)
    verdict = inspect(tmp_path / "disk.img")
    assert codes_of(verdict) == set()
    assert state(verdict, f"{DATA}/verity-data") is State.CONSISTENT
    assert check(tmp_path, image, AUTHORITY).exit_status == 1


def test_a_root_hash_finds_its_partitions(tmp_path: Path, tree: Tree) -> None:
    verdict = check(tmp_path, Image().add("root", tree).build(), root=tree.root)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.bound == len(tree.data) + len(tree.content) - 4096
    assert check(tmp_path, Image().add("root", tree).build(), root="ab" * 32).exit_status == 1


@pytest.mark.parametrize("place", [0, 77 * 4096 + 5, 200 * 4096 - 1])
def test_damaged_data_is_told_by_block(
    tmp_path: Path, tree: Tree, signature: bytes, place: int
) -> None:
    image = bytearray(Image().add("root", tree, signature).build())
    image[40 * 512 + place] ^= 1
    verdict = check(tmp_path, bytes(image), AUTHORITY)
    assert verdict.exit_status == 1
    [found] = [each for each in verdict.findings if each.code == "chunk-mismatch"]
    assert found.offset == place // 4096 * 4096


# what others did to the image


def test_data_of_another_version(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    other = Tree(some_data(2), tree.content, tree.root)
    verdict = check(tmp_path, Image().add("root", other, signature).build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "chunk-mismatch" in errors(verdict)


def test_data_and_tree_of_another_version(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    other = tree_of(tmp_path, some_data(2))
    verdict = check(tmp_path, Image().add("root", other, signature).build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "verity-partition-uuid" in errors(verdict)
    # and with the UUIDs of the signed one
    image = Image().add("root", other, signature)
    image.guids = Image().add("root", tree).guids
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "chunk-mismatch" in errors(verdict)
    assert state(verdict, f"{DATA}/verity-data") is not State.BOUND


@pytest.mark.parametrize("part", ["root", "root-verity"])
def test_a_partition_with_another_uuid(
    tmp_path: Path, tree: Tree, signature: bytes, part: str
) -> None:
    image = Image().add("root", tree, signature)
    image.guids[part] = guid_of("other")
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "verity-partition-uuid" in errors(verdict)


def test_a_tree_with_a_foreign_salt(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    content = bytearray(tree.content)
    content[88] ^= 1
    image = Image().add("root", Tree(tree.data, bytes(content), tree.root), signature)
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "chunk-mismatch" in errors(verdict)
    # another tree over the same data, with the UUIDs of this one
    other = tree_of(tmp_path, tree.data, "--salt", "00" * 32)
    image = Image().add("root", Tree(tree.data, other.content, tree.root), signature)
    assert check(tmp_path, image.build(), AUTHORITY).exit_status == 1


def test_a_tree_that_says_it_is_over_fewer_blocks(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    content = bytearray(tree.content)
    content[72:80] = (100).to_bytes(8, "little")
    image = Image().add("root", Tree(tree.data, bytes(content), tree.root), signature)
    assert check(tmp_path, image.build(), AUTHORITY).exit_status == 1


def test_a_tree_over_more_than_the_partition(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    short = Tree(tree.data[: 150 * 4096], tree.content, tree.root)
    verdict = check(tmp_path, Image().add("root", short, signature).build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "verity-out-of-bounds" in errors(verdict)
    cut = Tree(tree.data, tree.content[:8192], tree.root)
    verdict = check(tmp_path, Image().add("root", cut, signature).build(), AUTHORITY)
    assert "verity-out-of-bounds" in errors(verdict)


def test_data_and_tree_in_overlapping_partitions(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    image = Image().add("root", tree, signature)
    digest = bytes.fromhex(tree.root)
    content = image.content
    inside = 40 + 100 * 8
    image.content = {"root": content["root"], "root-verity-sig": content["root-verity-sig"]}
    image.extra = [
        Part(inside, inside + len(tree.content) // 512 - 1, "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
             str(UUID(bytes=digest[-16:])))
    ]  # fmt: skip
    disk = bytearray(image.build())
    disk[inside * 512 : inside * 512 + len(tree.content)] = tree.content
    verdict = check(tmp_path, bytes(disk), AUTHORITY)
    assert verdict.exit_status == 1
    assert "partition-overlap" in errors(verdict)
    assert verdict.coverage.bound == 64  # the root hash alone


def test_the_signature_of_usr_in_the_place_of_that_of_root(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    """What was signed as /usr must not be started as the root directory."""
    image = Image().add("usr", tree)
    image.content["root-verity-sig"] = signature.ljust(4096, b"\0")
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert "verity-partition-uuid" in errors(verdict)


def test_an_unsigned_root_partition_beside_a_signed_usr(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    image = Image().add("usr", tree, signature)
    assert check(tmp_path, image.build(), AUTHORITY).exit_status == 0
    image.content["root"] = some_data(3, 10)
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert verdict.coverage.bound > 0


def test_two_versions_of_which_each_is_signed(tmp_path: Path, tree: Tree, signature: bytes) -> None:
    other = tree_of(tmp_path, some_data(5, 30))
    second = signature_json(other.root, signed(tmp_path, other.root, SIGNER), SIGNER)
    image = Image().add("root", tree, signature)
    again = Image().add("root", other, second)
    image.content |= {f"{name}#2": data for name, data in again.content.items()}
    image.guids |= {f"{name}#2": guid for name, guid in again.guids.items()}
    verdict = check(tmp_path, image.build(), AUTHORITY)
    assert verdict.exit_status == 0, verdict.findings
    # one of them without its signature
    del image.content["root-verity-sig#2"]
    assert check(tmp_path, image.build(), AUTHORITY).exit_status == 1


def test_a_signature_of_another_text(tmp_path: Path, tree: Tree) -> None:
    for text in (tree.root + "\n", tree.root.upper(), "ab" * 32):
        content = signature_json(tree.root, signed(tmp_path, text, SIGNER), SIGNER)
        image = Image().add("root", tree, content).build()
        assert check(tmp_path, image, AUTHORITY).exit_status == 1


@pytest.mark.parametrize(
    "change",
    [
        {"rootHash": None},
        {"signature": None},
        {"rootHash": 5},
        {"rootHash": "abc"},
        {"rootHash": "AB" * 32},
        {"rootHash": "ab" * 33},
        {"rootHash": ""},
        {"signature": "!!!!"},
        {"signature": ""},
        {"signature": base64.b64encode(b"no signature").decode()},
        {"certificateFingerprint": "zz"},
        {"certificateFingerprint": "ab"},
        {"Signature": "other"},
    ],
)
def test_json_that_is_not_as_it_has_to_be(
    tmp_path: Path, tree: Tree, change: dict[str, object]
) -> None:
    content = signature_json(tree.root, b"signature", SIGNER, **change)
    verdict = check(tmp_path, Image().add("root", tree, content).build(), AUTHORITY)
    assert verdict.exit_status == 1
    assert errors(verdict) & {"verity-signature-malformed", "signature-malformed", "ambiguous-key"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"rootHash"', b'{"rootHash": "00", "rootHash"'),
        (b'"rootHash": "', b'"rootHash": "\\u0030\\u0030'),
        (b"}", b"} behind"),
        (b"}", b"}\0\0behind"),
        (b"{", b"["),
    ],
)
def test_json_that_can_be_read_in_two_ways(
    tmp_path: Path, tree: Tree, signature: bytes, old: bytes, new: bytes
) -> None:
    assert old in signature
    image = Image().add("root", tree, signature.replace(old, new)).build()
    assert check(tmp_path, image, AUTHORITY).exit_status == 1


def test_fields_of_later_versions_are_passed_over_and_not_covered(
    tmp_path: Path, tree: Tree
) -> None:
    content = signature_json(tree.root, signed(tmp_path, tree.root, SIGNER), SIGNER, later=[1])
    verdict = check(tmp_path, Image().add("root", tree, content).build(), AUTHORITY)
    assert verdict.exit_status == 0
    assert verdict.coverage.excluded == 4096  # the superblock


def test_any_flipped_bit_of_what_is_signed_is_refused(
    tmp_path: Path, tree: Tree, signature: bytes
) -> None:
    image = Image().add("root", tree, signature).build()
    where = image.index(tree.root.encode())
    tree_at = image.index(b"verity\0\0") + 4096
    data_at = image.index(tree.data[:64])
    for place in (where, where + 63, tree_at, tree_at + 4096, data_at, data_at + 12345):
        changed = bytearray(image)
        changed[place] ^= 1
        assert check(tmp_path, bytes(changed), AUTHORITY).exit_status == 1, place
    assert TREE in {each.id for each in check(tmp_path, image, AUTHORITY).components}


def test_a_root_hash_does_not_reach_into_a_disk_within_a_disk(tmp_path: Path, tree: Tree) -> None:
    inner = Image().add("root", tree).build()
    outer = Image(content={"home": inner}).build()
    verdict = check(tmp_path, outer, root=tree.root)
    assert verdict.exit_status == 1
    # the tree is found, and no data is where it would have to be
    assert verdict.coverage.bound == len(tree.content) - 4096
    # what is in there is read all the same
    assert any(each.id.endswith("[root-x86-64]/verity-data") for each in verdict.components)

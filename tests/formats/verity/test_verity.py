"""dm-verity: what a root hash vouches for, and everything that may be wrong with a tree."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.verity import superblock
from assay.formats.verity.parameters import Given
from assay.model.finding import AssayError, UsageError
from assay.model.verdict import Decision, Verdict
from assay.trust.anchors import Trust
from tests.cli.support import assay_here
from tests.formats.verity.support import BLOCK, SALT, against, bound, check, make
from tests.signatures.support import codes_of, run, tool

DATA = bytes(range(256)) * 2 * 300
MADE = make(DATA)
"""300 blocks: 19 hash blocks speak of them, 2 of these, and one on top."""


def test_an_image_is_bound_through_its_tree(tmp_path: Path) -> None:
    verdict = against(tmp_path, DATA, MADE.tree, MADE.root)
    assert verdict.decision is Decision.ALLOWED
    assert verdict.coverage.bound == len(DATA)
    assert not verdict.findings


def test_data_and_tree_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(DATA + MADE.tree)
    for tree in ("", str(tmp_path / "image")):
        verdict = check(tmp_path / "image", Given(MADE.root, tree=tree, offset=len(DATA)))
        assert verdict.decision is Decision.ALLOWED
        assert verdict.coverage.excluded == BLOCK
        assert verdict.coverage.bound == len(DATA) + len(MADE.tree) - BLOCK


def test_a_tree_without_a_superblock(tmp_path: Path) -> None:
    tree = MADE.tree[BLOCK:]
    sizes = {"data_block_size": BLOCK, "hash_block_size": BLOCK, "salt": SALT}
    verdict = against(tmp_path, DATA, tree, MADE.root, superblock=False, **sizes)
    assert verdict.decision is Decision.ALLOWED
    (tmp_path / "image").write_bytes(DATA + tree)
    stated = Given(MADE.root, offset=len(DATA), superblock=False, **sizes)
    assert check(tmp_path / "image", stated).decision is Decision.ALLOWED


def test_one_block_of_data_needs_no_tree(tmp_path: Path) -> None:
    made = make(DATA[:BLOCK])
    assert against(tmp_path, DATA[:BLOCK], made.tree, made.root).decision is Decision.ALLOWED
    other = against(tmp_path, bytes(BLOCK), made.tree, made.root)
    assert other.decision is Decision.REFUSED


def test_what_follows_the_data_is_unclaimed(tmp_path: Path) -> None:
    verdict = against(tmp_path, DATA + b"more", MADE.tree, MADE.root)
    assert verdict.coverage.unclaimed == 4
    assert codes_of(verdict) == {"unclaimed-bytes"}


def test_damaged_blocks_are_named_by_number(tmp_path: Path) -> None:
    data = bytearray(DATA)
    for number in (0, 17, 18, 299):
        data[number * BLOCK + 100] ^= 1
    verdict = against(tmp_path, bytes(data), MADE.tree, MADE.root)
    [finding] = [one for one in verdict.findings if one.code == "chunk-mismatch"]
    assert "4 of 300 chunks" in finding.detail
    assert "(number 0, 17-18, 299)" in finding.detail
    assert (finding.component, finding.offset) == ("verity/data", 0)
    assert verdict.coverage.broken == 4 * BLOCK
    assert verdict.coverage.bound == 296 * BLOCK


def test_damage_at_an_inner_level_leaves_the_rest_bound(tmp_path: Path) -> None:
    """Of what a damaged hash block speaks, nothing is known, though the data is right."""
    tree = bytearray(MADE.tree)
    tree[BLOCK + BLOCK + 40] ^= 1  # the first block of the second level from the top
    verdict = against(tmp_path, DATA, bytes(tree), MADE.root)
    assert verdict.decision is Decision.REFUSED
    found = {one.component: one for one in verdict.findings if one.code == "chunk-mismatch"}
    assert "1 of 2 chunks" in found["verity/level[1]"].detail
    assert "of 16 chunks nothing is known (number 0-15)" in found["verity/level[0]"].detail
    assert "of 256 chunks nothing is known (number 0-255)" in found["verity/data"].detail
    assert verdict.coverage.bound == 44 * BLOCK
    assert verdict.coverage.unclaimed == 256 * BLOCK


def test_another_root_hash_binds_nothing(tmp_path: Path) -> None:
    verdict = against(tmp_path, DATA, MADE.tree, make(DATA[::-1]).root)
    assert codes_of(verdict) >= {"chunk-mismatch", "not-vouched"}
    assert verdict.coverage.bound == 0


def test_a_tree_of_a_foreign_salt(tmp_path: Path) -> None:
    foreign = make(DATA, salt=b"foreign")
    assert against(tmp_path, DATA, foreign.tree, MADE.root).coverage.bound == 0
    verdict = against(tmp_path, DATA, foreign.tree, foreign.root, salt=SALT)
    assert "verity-parameters-differ" in codes_of(verdict)
    assert verdict.coverage.bound == 0
    relabelled = MADE.superblock.ljust(BLOCK, b"\0") + foreign.tree[BLOCK:]
    assert against(tmp_path, DATA, relabelled, MADE.root).coverage.bound == 0


def test_a_tree_that_overlaps_the_data(tmp_path: Path) -> None:
    """Bytes that are data and proof at once."""
    (tmp_path / "image").write_bytes(DATA[:-BLOCK] + MADE.tree)
    verdict = check(tmp_path / "image", Given(MADE.root, offset=len(DATA) - BLOCK))
    assert "verity-out-of-bounds" in codes_of(verdict)
    assert verdict.coverage.bound == 0


def test_a_tree_that_is_cut_short(tmp_path: Path) -> None:
    for size in (len(MADE.tree) - 1, BLOCK + 1, BLOCK):
        verdict = against(tmp_path, DATA, MADE.tree[:size], MADE.root)
        assert "verity-out-of-bounds" in codes_of(verdict)
        assert verdict.decision is Decision.REFUSED
    for size in (511, 0):
        verdict = against(tmp_path, DATA, MADE.tree[:size], MADE.root)
        assert "verity-superblock-malformed" in codes_of(verdict)


def test_data_that_is_cut_short(tmp_path: Path) -> None:
    verdict = against(tmp_path, DATA[:-1], MADE.tree, MADE.root)
    assert "verity-out-of-bounds" in codes_of(verdict)
    assert verdict.coverage.bound == 0


@pytest.mark.parametrize("blocks", [0, 1, 16, 256, 290, 299, 301, 304, 1 << 40, (1 << 64) - 1])
def test_a_superblock_that_lies_about_the_number_of_blocks(tmp_path: Path, blocks: int) -> None:
    """Fewer would leave the last blocks of the image to whoever wants to write there."""
    made = make(DATA, blocks=blocks)
    verdict = against(tmp_path, DATA + bytes(100 * BLOCK), made.tree, MADE.root)
    assert verdict.decision is Decision.REFUSED


@pytest.mark.parametrize("offset", [64, 68])
@pytest.mark.parametrize("size", [0, 256, 500, 1024, 4096, 1 << 20, (1 << 32) - 1])
def test_a_superblock_that_lies_about_block_sizes(tmp_path: Path, offset: int, size: int) -> None:
    tree = bytearray(MADE.tree)
    struct.pack_into("<I", tree, offset, size)
    verdict = against(tmp_path, DATA, bytes(tree), MADE.root)
    assert verdict.decision is Decision.REFUSED
    assert verdict.coverage.bound == 0


def test_a_hash_block_size_other_than_was_given(tmp_path: Path) -> None:
    verdict = against(tmp_path, DATA, MADE.tree, MADE.root, hash_block_size=4096)
    [finding] = [one for one in verdict.findings if one.code == "verity-parameters-differ"]
    assert (finding.expected, finding.actual) == ("4096", "512")


def test_digests_beyond_the_last_block_are_refused(tmp_path: Path) -> None:
    """The tree is right for its root, and has room for a block that the superblock leaves out."""
    whole = make(DATA[: 20 * BLOCK])
    short = make(DATA[: 20 * BLOCK], blocks=19)
    verdict = against(tmp_path, DATA[: 20 * BLOCK], short.tree, whole.root)
    assert "verity-spare-not-zero" in codes_of(verdict)


def test_a_root_hash_of_another_length(tmp_path: Path) -> None:
    for root in (MADE.root[:20], MADE.root * 2, b""):
        verdict = against(tmp_path, DATA, MADE.tree, root)
        assert "verity-root-length" in codes_of(verdict)


def test_there_is_one_root_hash_for_an_image() -> None:
    trust = Trust().add_verity_root(Given(MADE.root))
    with pytest.raises(UsageError, match="one root hash"):
        trust.add_verity_root(Given(MADE.root))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8 * 40 * BLOCK - 1))
def test_every_flipped_bit_of_data_and_tree_is_refused(bit: int) -> None:
    data = DATA[: 36 * BLOCK]
    made = make(data)
    file = bytearray(data + made.tree)
    assert len(file) == 41 * BLOCK
    bit %= 8 * len(file)
    position = bit // 8
    file[position] ^= 1 << bit % 8
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        image.write_bytes(file)
        verdict = check(image, Given(made.root, offset=len(data)))
    in_uuid = 16 <= position - len(data) < 32
    assert (verdict.decision is Decision.ALLOWED) == in_uuid
    if not in_uuid:
        assert not bound(verdict, "file")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.booleans())
def test_a_superblock_of_any_content_is_read_or_refused(data: bytes, begun: bool) -> None:
    if begun:
        data = (MADE.superblock[:80] + data)[:600]
    with contextlib.suppress(AssayError):
        found = superblock.parse(data, "", 0)
        assert superblock.encode(found) == data[:512]


def root_in(said: bytes) -> bytes:
    """The root hash that veritysetup prints."""
    return bytes.fromhex(said.decode().partition("Root hash:")[2].split()[0])


VARIANTS = {
    "usual": [],
    "chrome": ["--format=0"],
    "sha512": ["--hash=sha512"],
    "sha1": ["--hash=sha1"],
    "sha384": ["--hash=sha384"],
    "chrome sha1": ["--format=0", "--hash=sha1"],
    "no salt": ["--salt=-"],
    "long salt": [f"--salt={'5a' * 256}"],
    "small blocks": ["--data-block-size=512", "--hash-block-size=1024"],
    "mixed blocks": ["--data-block-size=4096", "--hash-block-size=512"],
    "no superblock": ["--no-superblock", f"--salt={SALT.hex()}"],
    "fec": ["--fec-device=parity", "--fec-roots=4"],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_veritysetup_formats_is_verified(tmp_path: Path, variant: str) -> None:
    tool("veritysetup")
    (tmp_path / "data").write_bytes(os.urandom(4096 * 333))
    options = VARIANTS[variant]
    root = root_in(run("veritysetup", "format", "data", "tree", *options, cwd=tmp_path))
    more = {"superblock": False, "salt": SALT} if variant == "no superblock" else {}
    stated = Given(root, tree=str(tmp_path / "tree"), **more)
    verdict = check(tmp_path / "data", stated)
    sha1 = "sha1" in variant
    assert (verdict.decision is Decision.ALLOWED) != sha1
    assert verdict.coverage.bound == (0 if sha1 else 4096 * 333)
    assert "chunk-mismatch" not in codes_of(verdict)
    assert ("weak-digest-only" in {finding.code for finding in verdict.findings}) == sha1


@pytest.mark.parametrize("name", ["whirlpool", "ripemd160", "sm3"])
def test_an_algorithm_that_is_not_computed_is_told_as_such(tmp_path: Path, name: str) -> None:
    """And not as a superblock that cannot be read."""
    tree = MADE.tree[:32] + name.encode().ljust(32, b"\0") + MADE.tree[64:]
    verdict = against(tmp_path, DATA, tree, MADE.root)
    assert verdict.decision is Decision.REFUSED
    assert "unsupported-algorithm" in codes_of(verdict)
    assert "verity-superblock-malformed" not in codes_of(verdict)


def test_error_correction_is_recognised_and_vouches_for_nothing(tmp_path: Path) -> None:
    tool("veritysetup")
    (tmp_path / "data").write_bytes(os.urandom(4096 * 333))
    root = root_in(
        run("veritysetup", "format", "data", "tree", "--fec-device=parity", cwd=tmp_path)
    )
    tree, parity = (tmp_path / "tree").read_bytes(), (tmp_path / "parity").read_bytes()
    image = tmp_path / "image"
    image.write_bytes((tmp_path / "data").read_bytes() + tree + parity)
    verdict = check(image, Given(root, offset=4096 * 333))
    assert verdict.decision is Decision.ALLOWED
    assert "verity-error-correction" in {finding.code for finding in verdict.findings}
    assert verdict.coverage.unclaimed == len(parity)


UUID = "6dce9b2e-5d5a-4a6a-9c3c-6a8ab0f9a111"
MAKINGS = {
    "usual": [],
    "chrome": ["--verity-parameter=hash-type=0"],
    "sha512": ["--algorithm=sha512"],
    "sha384": ["--algorithm=sha384"],
    "chrome sha384": ["--algorithm=sha384", "--verity-parameter=hash-type=0"],
    "no superblock": ["--verity-parameter=superblock=no"],
    "mixed blocks": [
        "--verity-parameter=data-block-size=1024",
        "--verity-parameter=hash-block-size=512",
    ],
    "one block": ["--verity-parameter=data-blocks=1"],
    "two blocks": ["--verity-parameter=data-blocks=2"],
}
THEIRS = {
    "hash-type": "--format",
    "data-block-size": "--data-block-size",
    "hash-block-size": "--hash-block-size",
    "data-blocks": "--data-blocks",
}


def theirs(options: list[str]) -> list[str]:
    """The same in the words of veritysetup."""
    found = []
    for option in options:
        name, _, value = option.removeprefix("--verity-parameter=").partition("=")
        if name == "superblock":
            found.append("--no-superblock")
        elif name == "--algorithm":
            found.append(f"--hash={value}")
        else:
            found.append(f"{THEIRS[name]}={value}")
    return found


@pytest.mark.parametrize("making", MAKINGS)
@pytest.mark.parametrize("salt", ["-", SALT.hex()])
def test_trees_are_those_of_veritysetup(tmp_path: Path, making: str, salt: str) -> None:
    tool("veritysetup")
    (tmp_path / "data").write_bytes(os.urandom(4096 * 260))
    options = MAKINGS[making]
    done = assay_here(
        "baseline", "data", "--verity", "-o", "ours", "-q", f"--verity-salt={salt}",
        f"--verity-uuid={UUID}", *options, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    root = done.stdout.strip()
    said = run(
        "veritysetup", "format", "data", "theirs", f"--salt={salt}", f"--uuid={UUID}",
        *theirs(options), cwd=tmp_path,
    )  # fmt: skip
    assert root_in(said).hex() == root
    ours, peers = (tmp_path / "ours").read_bytes(), (tmp_path / "theirs").read_bytes()
    assert ours == peers
    if making != "no superblock":
        run("veritysetup", "verify", "data", "ours", root, cwd=tmp_path)
        mine = assay_here(
            "verify", "data", "--verity-tree", "ours", "--verity-root", root, cwd=tmp_path
        )
        assert mine.returncode == 0, mine.stdout


def test_a_damaged_image_gets_no_tree(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA[: 4096 * 8])
    done = assay_here(
        "baseline", "data", "--verity", "-o", "tree", f"--digest=sha256:{'0' * 64}", cwd=tmp_path
    )
    assert done.returncode == 1
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "data", "--verity-offset", "0"],
        ["verify", "data", "--verity-root", "xyz", "--verity-tree", "data"],
        ["verify", "data", "--verity-root", MADE.root.hex(), "--verity-tree", "absent"],
        ["verify", "data", "--verity-root", "00", "--verity-parameter", "superblock=no"],
        ["verify", "data", "--verity-root", "00", "--verity-offset", "0",
         "--verity-parameter", "superblock=no"],
        ["verify", "data", "--verity-root", "00", "--verity-tree", "data",
         "--verity-parameter", "data-blocks=many"],
        ["baseline", "data", "--verity"],
        ["baseline", "data", "--verity", "-o", "tree"],
        ["baseline", "data", "--verity", "--fs-verity", "-o", "tree"],
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_wrong_usage(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "data").write_bytes(DATA + b"no whole block")
    done = assay_here(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert not (tmp_path / "tree").exists()


def test_a_tree_in_the_same_file_is_found_by_its_root_hash(tmp_path: Path) -> None:
    verdict = check_one_file(tmp_path, DATA + MADE.tree)
    assert verdict.decision is Decision.ALLOWED
    assert bound(verdict, "verity/data")
    # with something between them, and behind them
    verdict = check_one_file(tmp_path, DATA + bytes(1024) + MADE.tree + bytes(512))
    assert verdict.decision is Decision.ALLOWED
    assert verdict.coverage.unclaimed == 1536


def test_superblocks_in_the_data_are_not_mistaken_for_that_of_the_tree(tmp_path: Path) -> None:
    inner = make(DATA[: 16 * BLOCK])
    data = DATA[: 16 * BLOCK] + inner.tree + DATA
    made = make(data)
    verdict = check_one_file(tmp_path, data + made.tree, made.root)
    assert verdict.decision is Decision.ALLOWED
    assert bound(verdict, "verity/data")


def test_a_damaged_tree_in_the_same_file_is_found_all_the_same(tmp_path: Path) -> None:
    image = bytearray(DATA + MADE.tree)
    image[len(DATA) + BLOCK + 3] ^= 1
    assert "chunk-mismatch" in codes_of(check_one_file(tmp_path, bytes(image)))


def test_a_file_without_a_tree_or_with_more_than_anybody_needs(tmp_path: Path) -> None:
    assert "verity-superblock-malformed" in codes_of(check_one_file(tmp_path, DATA))
    assert check_one_file(tmp_path, DATA + MADE.tree, bytes(32)).decision is Decision.REFUSED
    many = DATA + MADE.superblock * 100 + MADE.tree
    assert "limit-exceeded" in codes_of(check_one_file(tmp_path, many))


def check_one_file(folder: Path, data: bytes, root: bytes = MADE.root) -> Verdict:
    (folder / "image").write_bytes(data)
    return check(folder / "image", Given(root))

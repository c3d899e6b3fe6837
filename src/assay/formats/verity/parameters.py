"""How a dm-verity tree is made: what a superblock says, or the user."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from assay.model.codes import verity as codes
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ChunkRequest

SMALLEST_BLOCK = 512
LARGEST_BLOCK = 512 * 1024
LONGEST_SALT = 256
MOST_BLOCKS = 1 << 48


class Level(Struct, frozen=True):
    """One level of a tree: its first hash block, counted from the tree's start, and how many."""

    start: int
    blocks: int


class Parameters(Struct, frozen=True):
    """Sizes are in bytes. ``hash_type`` is 1, or 0 for the form of early Chrome OS, which appends
    the salt instead of putting it in front, and packs digests without padding."""

    hash_type: int = 1
    algorithm: str = "sha256"
    data_block_size: int = 4096
    hash_block_size: int = 4096
    data_blocks: int = 0
    salt: bytes = b""

    def check(self, component: str) -> Parameters:
        """The same; raises AssayError where no tree can be made like that."""
        algorithm = ALGORITHMS.get(self.algorithm)
        if self.hash_type not in (0, 1):
            raise _unusable(component, f"hash type {self.hash_type}", "0 or 1")
        if algorithm is None:
            raise _unusable(component, f"the algorithm {self.algorithm[:40]!r}", "a known one")
        for size in (self.data_block_size, self.hash_block_size):
            if not SMALLEST_BLOCK <= size <= LARGEST_BLOCK or size & (size - 1):
                raise _unusable(
                    component,
                    f"a block size of {size}",
                    f"a power of two from {SMALLEST_BLOCK} to {LARGEST_BLOCK}",
                )
        if self.hash_block_size // algorithm.size < 2:
            raise _unusable(component, f"hash blocks of {self.hash_block_size} bytes", "larger")
        if not 0 < self.data_blocks <= MOST_BLOCKS:
            raise _unusable(component, f"{self.data_blocks} data blocks", "at least one")
        if len(self.salt) > LONGEST_SALT:
            raise _unusable(component, f"{len(self.salt)} bytes of salt", f"up to {LONGEST_SALT}")
        return self

    @property
    def digest_size(self) -> int:
        return ALGORITHMS[self.algorithm].size

    @property
    def slot(self) -> int:
        """How far apart digests are in a hash block."""
        size = self.digest_size
        return 1 << (size - 1).bit_length() if self.hash_type == 1 else size

    @property
    def fan_out(self) -> int:
        """Digests in one hash block: the largest power of two that fits."""
        return 1 << ((self.hash_block_size // self.digest_size).bit_length() - 1)

    @property
    def data_size(self) -> int:
        return self.data_blocks * self.data_block_size

    @property
    def levels(self) -> list[Level]:
        """From the one that speaks of the data up to the one that the root hash is of; on disk
        they are the other way round. None at all where the data is one block."""
        counts: list[int] = []
        count = self.data_blocks
        while count > 1:
            count = -(-count // self.fan_out)
            counts.append(count)
        return [Level(sum(counts[at + 1 :]), blocks) for at, blocks in enumerate(counts)]

    @property
    def tree_size(self) -> int:
        return sum(level.blocks for level in self.levels) * self.hash_block_size

    def request(self, block_size: int) -> ChunkRequest:
        """What to measure for the digests of all blocks."""
        before, after = (self.salt, b"") if self.hash_type == 1 else (b"", self.salt)
        return ChunkRequest(self.algorithm, block_size, before, after)


class Given(Struct, frozen=True):
    """What the user says of a tree; what is unset, the superblock says, or what is usual.

    ``root`` is trusted. ``tree`` is the file with the tree, empty where it is in the image's own;
    ``offset`` is where in it the superblock is, or with ``superblock`` False, the tree. With
    neither, the tree is looked for in the image.
    """

    root: bytes
    tree: str = ""
    offset: int = 0
    superblock: bool = True
    hash_type: int | UnsetType = UNSET
    algorithm: str | UnsetType = UNSET
    data_block_size: int | UnsetType = UNSET
    hash_block_size: int | UnsetType = UNSET
    data_blocks: int | UnsetType = UNSET
    salt: bytes | UnsetType = UNSET

    @property
    def is_somewhere(self) -> bool:
        """Whether nothing says where the tree is: at the start of the image there is data."""
        return not self.tree and not self.offset and self.superblock

    @property
    def stated(self) -> dict[str, object]:
        """The parameters that are given."""
        names = Parameters.__struct_fields__
        return {name: value for name, value in asdict(self).items()
                if name in names and value is not UNSET}  # fmt: skip

    def over(self, base: Parameters) -> Parameters:
        """The parameters of ``base``, with those that are given instead."""
        return replace(base, **self.stated)


def _unusable(component: str, actual: str, expected: str) -> AssayError:
    return AssayError(
        Finding.of(
            codes.VERITY_PARAMETERS_UNUSABLE,
            component,
            f"no hash tree has {actual}",
            expected=expected,
            actual=actual,
        )
    )

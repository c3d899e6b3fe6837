"""Hash trees of dm-verity: the digests that a root hash vouches for, and how a tree is built."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits
from assay.formats.verity.parameters import Level, Parameters
from assay.measure.hashing import new_hasher
from assay.model.claim import ChunksAre
from assay.model.codes import verity as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import SpanSet


class Walked(Struct, frozen=True):
    """What the root hash says of each level (as `Parameters.levels`; only of those down to the
    first one of which nothing is right), and of the data (None where it says nothing)."""

    levels: dict[int, ChunksAre]
    data: ChunksAre | None
    findings: list[Finding]


def walk(blob: Blob, start: int, parameters: Parameters, root: bytes, component: str) -> Walked:
    """Go down the tree that begins at ``start``. Of a hash block only what a right one above it
    vouches for is believed: what a damaged one says is left out (`ChunksAre.gaps`).

    Memory is that of the digests of all data blocks. Raises AssayError when the tree ends too
    early or is larger than the limits."""
    if parameters.data_blocks > limits.CHUNKS:
        detail = f"{parameters.data_blocks} data blocks"
        raise _limit(component, detail, f"at most {limits.CHUNKS} blocks")
    claims: dict[int, ChunksAre] = {}
    findings: list[Finding] = []
    request = parameters.request(parameters.hash_block_size)
    values, gaps = root, SpanSet()
    levels = parameters.levels
    for number in reversed(range(len(levels))):
        claims[number] = ChunksAre(request, values, gaps.spans)
        children = levels[number - 1].blocks if number else parameters.data_blocks
        reader = _Level(blob, start, parameters, levels[number], children, component)
        values, gaps = reader.digests(values, gaps, findings)
        if len(gaps) == children:
            return Walked(claims, None, findings)
    request = parameters.request(parameters.data_block_size)
    return Walked(claims, ChunksAre(request, values, gaps.spans), findings)


class _Level:
    def __init__(
        self,
        blob: Blob,
        start: int,
        parameters: Parameters,
        level: Level,
        children: int,
        component: str,
    ) -> None:
        self._blob = blob
        self._made = parameters
        self._start = start + level.start * parameters.hash_block_size
        self._blocks = level.blocks
        self._children = children
        self._component = component

    def digests(
        self, expected: bytes, unknown: SpanSet, findings: list[Finding]
    ) -> tuple[bytes, SpanSet]:
        """The digests of the blocks below, and the numbers of those of which there are none."""
        made, width = self._made, self._made.digest_size
        found = bytearray()
        missing: list[tuple[int, int]] = []
        skipped = {number for first, end in unknown for number in range(first, end)}
        for number, block in enumerate(self._read()):
            first = number * made.fan_out
            count = min(made.fan_out, self._children - first)
            wanted = expected[number * width : (number + 1) * width]
            if number in skipped or block_digest(made, block) != wanted:
                found += bytes(count * width)
                missing.append((first, first + count))
                continue
            digests, clean = unpack(made, block, count)
            if not clean:
                findings.append(
                    Finding.of(
                        codes.VERITY_SPARE_NOT_ZERO,
                        self._component,
                        f"a hash block with {count} digests has more in it than these",
                        expected="zero bytes",
                        offset=self._start + number * made.hash_block_size,
                    )
                )
            found += digests
        return bytes(found), SpanSet(missing)

    def _read(self) -> Iterator[bytes]:
        step = self._made.hash_block_size
        piece = max(limits.READ_CHUNK // step, 1)
        for first in range(0, self._blocks, piece):
            count = min(piece, self._blocks - first)
            at = self._start + first * step
            data = self._blob.read_at(at, count * step)
            if len(data) != count * step:
                raise AssayError(
                    Finding.of(
                        codes.VERITY_OUT_OF_BOUNDS,
                        self._component,
                        "the hash tree ends too early",
                        expected=f"{count * step} bytes at {at}",
                        actual=f"{len(data)} bytes",
                        offset=at + len(data),
                        cause="truncation",
                    )
                )
            for offset in range(0, len(data), step):
                yield data[offset : offset + step]


def block_digest(parameters: Parameters, block: bytes) -> bytes:
    """The salted digest of one block."""
    hasher = new_hasher(parameters.algorithm)
    first, last = (parameters.salt, block) if parameters.hash_type else (block, parameters.salt)
    hasher.update(first)
    hasher.update(last)
    return hasher.digest()


def unpack(parameters: Parameters, block: bytes, count: int) -> tuple[bytes, bool]:
    """The first ``count`` digests of a hash block, and whether all that is not one is zero: else
    a superblock could leave out blocks that the tree speaks of."""
    slot, width = parameters.slot, parameters.digest_size
    used, rest = block[: count * slot], block[count * slot :]
    if slot == width:
        return used, not any(rest)
    digests = b"".join(used[at : at + width] for at in range(0, len(used), slot))
    clean = not any(rest) and not any(
        any(used[at + width : at + slot]) for at in range(0, len(used), slot)
    )
    return digests, clean


def build(parameters: Parameters, leaves: bytes) -> tuple[bytes, list[bytes]]:
    """The root hash, and the levels as they stand on disk (the top first), of a tree over data
    blocks with these digests."""
    levels: list[bytes] = []
    values, width = leaves, parameters.digest_size
    while len(values) > width:
        step = parameters.fan_out * width
        blocks = [pack(parameters, values[at : at + step]) for at in range(0, len(values), step)]
        levels.append(b"".join(blocks))
        values = b"".join(block_digest(parameters, block) for block in blocks)
    return values, levels[::-1]


def pack(parameters: Parameters, digests: bytes) -> bytes:
    """A hash block with these digests."""
    slot, width = parameters.slot, parameters.digest_size
    if slot != width:
        digests = b"".join(
            digests[at : at + width].ljust(slot, b"\0") for at in range(0, len(digests), width)
        )
    return digests.ljust(parameters.hash_block_size, b"\0")


def _limit(component: str, detail: str, expected: str) -> AssayError:
    from assay.model.codes.content import LIMIT_EXCEEDED

    return AssayError(Finding.of(LIMIT_EXCEEDED, component, detail, expected=expected))

"""Makes what stands for every block of an image: dm-verity trees and fs-verity digests."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.formats.verity import superblock, tree
from assay.formats.verity.parameters import Parameters
from assay.model.digest import Digest
from assay.model.finding import AssayError, UsageError
from assay.model.measurement import FsVerityRequest, Request
from assay.model.verdict import Decision, Verdict
from assay.pipeline import Examined, Gathered, VerifyOptions, examine


class Grown(Struct, frozen=True):
    """A hash tree: what `veritysetup format` writes to the hash device, and the root hash. Both are
    None where the image is not worth one: the verdict says why."""

    verdict: Verdict
    root: bytes | None = None
    file: bytes | None = None


def grow_tree(name: str, request: VerifyOptions, wanted: Parameters, uuid: bytes | None) -> Grown:
    """The tree over an image, which is verified first, as ``request`` says. Without a number of
    data blocks it is over all of them; ``uuid`` goes into the superblock, None is for a tree
    without one. Raises UsageError."""
    made: list[Parameters] = []

    def measurements(gathered: Gathered) -> list[tuple[str, Request]]:
        made.append(_fitting(name, wanted, gathered.image.root.size))
        return [(gathered.root, made[0].request(made[0].data_block_size))]

    examined = _examine(name, replace(request, also_measure=measurements))
    if examined.gathered is None or examined.facts is None or not _allowed(examined):
        return Grown(examined.verdict)
    parameters = made[0]
    ask = parameters.request(parameters.data_block_size)
    leaves: bytes = examined.facts.answers[examined.gathered.root, ask]
    leaves = leaves[: parameters.data_blocks * parameters.digest_size]
    root, levels = tree.build(parameters, leaves)
    head = b""
    if uuid is not None:
        head = superblock.encode(superblock.Superblock(parameters, uuid))
        step = parameters.hash_block_size
        head = head.ljust(-(-len(head) // step) * step, b"\0")
    return Grown(examined.verdict, root, head + b"".join(levels))


def _fitting(name: str, wanted: Parameters, size: int | None) -> Parameters:
    """The parameters for an image of this size."""
    if size is None:
        raise UsageError(f"{name}: a hash tree is over a file or a device, not a pipe")
    block = wanted.data_block_size
    try:
        found = replace(wanted, data_blocks=wanted.data_blocks or size // (block or 1)).check("")
    except AssayError as error:
        raise UsageError(f"{name}: {error.finding.detail}") from error
    if not wanted.data_blocks and size % block:
        raise UsageError(
            f"{name} has {size} bytes, which is no whole number of blocks of {block}: fill it up,"
            " or say with --verity-parameter data-blocks=NUMBER where its data ends"
        )
    if found.data_size > size:
        raise UsageError(f"{name} has {size} bytes, and so many data blocks take more")
    if found.data_blocks > limits.CHUNKS:
        raise UsageError(f"{name}: more than {limits.CHUNKS} blocks; take larger ones")
    return found


def take_fs_verity(
    name: str, request: VerifyOptions, wanted: FsVerityRequest
) -> tuple[Verdict, Digest | None]:
    """The fs-verity digest of a file, which is verified first, as ``request`` says; None where it
    was refused. Raises UsageError."""
    examined = _examine(
        name, replace(request, also_measure=lambda gathered: [(gathered.root, wanted)])
    )
    if examined.gathered is None or examined.facts is None or not _allowed(examined):
        return examined.verdict, None
    value: bytes = examined.facts.answers[examined.gathered.root, wanted]
    return examined.verdict, Digest(wanted.algorithm, value)


def _examine(name: str, request: VerifyOptions) -> Examined:
    found = examine(name, request)
    if len(found) != 1:
        raise UsageError(f"{name} stands for {len(found)} images; name one of them")
    return found[0]


def _allowed(examined: Examined) -> bool:
    return examined.verdict.decision is Decision.ALLOWED

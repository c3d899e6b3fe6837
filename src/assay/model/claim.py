"""Claims: what a document says about the bytes of a component."""

from __future__ import annotations

from msgspec import Struct

from assay.model.digest import Digest
from assay.model.measurement import ChunkRequest, FsVerityRequest
from assay.model.spans import Span


class DigestIs(Struct, frozen=True, tag="digest"):
    """The component has this digest."""

    digest: Digest


class SizeIs(Struct, frozen=True, tag="size"):
    """The component is this many bytes long."""

    size: int


class ChunksAre(Struct, frozen=True, tag="chunks"):
    """Each chunk of the component has its digest; ``values`` concatenates them in order.

    This serves baselines, hash lists and the levels of a Merkle tree alike: a chunk that
    disagrees leaves the others bound. Of the chunks whose numbers are in ``gaps`` nothing is
    claimed, though something should be (their digests are damaged themselves); their values
    there only fill the place.
    """

    request: ChunkRequest
    values: bytes
    gaps: tuple[Span, ...] = ()


class FsVerityIs(Struct, frozen=True, tag="fs-verity"):
    """The component has this fs-verity digest."""

    request: FsVerityRequest
    value: bytes


Expectation = DigestIs | SizeIs | ChunksAre | FsVerityIs


class Claim(Struct, frozen=True):
    """``origin`` (a component id) says of ``subject`` (a component id) what ``expected`` holds.

    ``field`` is where in the origin it says so (``layers[2].digest``, ``line 14``).
    ``alternatives`` groups claims of which one has to hold, and only those that do say anything:
    a statement that lists several subjects does not say which of them the image is. ``vouches``
    is False where the origin says what it is about, and not that this is good: who vouches for a
    scan that found something does not vouch for what was scanned.
    """

    subject: str
    origin: str
    expected: Expectation
    field: str = ""
    alternatives: str = ""
    vouches: bool = True

"""The digest of fs-verity (Documentation/filesystems/fsverity.rst of Linux, "File digest
computation"): over a descriptor that holds the size of the file and the root of its hash tree."""

from __future__ import annotations

import struct

from assay.measure.hashing import ChunkSink, hash_bytes
from assay.model.codes import content as codes
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ChunkRequest, FsVerityRequest

NUMBERS = {"sha256": 1, "sha512": 2}
LONGEST_SALT = 32
_HASH_BLOCK = {"sha256": 64, "sha512": 128}
"""To which the salt is filled up with zero bytes, so that it can be hashed in advance."""


def check_request(request: FsVerityRequest) -> None:
    """Raises ValueError where there is no such fs-verity digest."""
    if request.algorithm not in NUMBERS:
        raise ValueError(f"{request.algorithm} is none of its algorithms, {' and '.join(NUMBERS)}")
    size = request.block_size
    if not 1024 <= size <= 65536 or size & (size - 1):
        raise ValueError(f"blocks of {size} bytes; expected a power of two from 1024 to 65536")
    if len(request.salt) > LONGEST_SALT:
        raise ValueError(f"{len(request.salt)} bytes of salt; expected at most {LONGEST_SALT}")


class FsVeritySink:
    """Answers an `FsVerityRequest` with the digest's raw value."""

    def __init__(self, request: FsVerityRequest) -> None:
        try:
            check_request(request)
        except ValueError as error:
            detail = f"no fs-verity digest: {error}"
            raise AssayError(Finding.of(codes.UNSUPPORTED_ALGORITHM, detail=detail)) from error
        self._request = request
        salt = request.salt
        self._prefix = salt and salt.ljust(_HASH_BLOCK[request.algorithm], b"\0")
        self._leaves = ChunkSink(
            ChunkRequest(request.algorithm, request.block_size, self._prefix, pad=True)
        )
        self._size = 0

    @property
    def request(self) -> ChunkRequest:
        """What is asked of the blocks."""
        return self._leaves.request

    def accept(self, values: bytes, size: int) -> None:
        """Take ``size`` bytes, a number of whole blocks, whose digests are known already."""
        self._size += size
        self._leaves.accept(values, size)

    def update(self, data: memoryview) -> None:
        self._size += len(data)
        self._leaves.update(data)

    def finish(self) -> bytes:
        algorithm, block = self._request.algorithm, self._request.block_size
        width = ALGORITHMS[algorithm].size
        values = self._leaves.finish()
        while len(values) > width:
            values = b"".join(
                hash_bytes(algorithm, self._prefix + values[at : at + block].ljust(block, b"\0"))
                for at in range(0, len(values), block)
            )
        return hash_bytes(algorithm, descriptor(self._request, self._size, values))


def descriptor(request: FsVerityRequest, size: int, root: bytes) -> bytes:
    """``struct fsverity_descriptor`` of a file of ``size`` bytes; an empty file has no root."""
    return struct.pack(
        "<BBBBIQ64s32s144s",
        1,
        NUMBERS[request.algorithm],
        request.block_size.bit_length() - 1,
        len(request.salt),
        0,
        size,
        root,
        request.salt,
        b"",
    )


def formatted_digest(request: FsVerityRequest, value: bytes) -> bytes:
    """``struct fsverity_formatted_digest``: what a built-in signature is over."""
    return b"FSVerity" + struct.pack("<HH", NUMBERS[request.algorithm], len(value)) + value

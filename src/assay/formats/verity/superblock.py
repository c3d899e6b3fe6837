"""The superblock of cryptsetup's dm-verity format, version 1. It is not signed, and not hashed."""

from __future__ import annotations

import struct

from msgspec import Struct

from assay.formats.verity.parameters import LONGEST_SALT, Parameters
from assay.model.codes import verity as codes
from assay.model.codes.content import UNSUPPORTED_ALGORITHM
from assay.model.digest import algorithm_named
from assay.model.finding import AssayError, Finding

MAGIC = b"verity\0\0"
SIZE = 512
_LAYOUT = struct.Struct("<8sII16s32sIIQH6s256s168s")
_NOT_COMPUTED = frozenset(
    ("md4", "ripemd160", "rmd160", "sm3", "streebog256", "streebog512", "whirlpool", "wp512")
)
"""Digests that a kernel may know, and Assay does not compute."""
_KERNEL_NAMES = {"blake2b": "blake2b-512", "blake2s": "blake2s-256"}


class Superblock(Struct, frozen=True):
    parameters: Parameters
    uuid: bytes


def parse(data: bytes, component: str, offset: int) -> Superblock:
    """Read a superblock that was found at ``offset``. Raises AssayError; the parameters are within
    bounds (`Parameters.check`)."""
    if len(data) < SIZE or data[:8] != MAGIC:
        raise _malformed(component, offset, "there is no superblock", MAGIC, data[:8])
    fields = _LAYOUT.unpack(data[:SIZE])
    _, version, hash_type, uuid, name, data_size, hash_size, blocks, length, pad, salt, rest = (
        fields
    )
    if version != 1:
        raise _malformed(component, offset + 8, f"a superblock of version {version}", 1, version)
    spelled, _, after = name.partition(b"\0")
    if not any(after) and spelled.decode("latin-1") in _NOT_COMPUTED:
        detail = f"the hash tree is made with {spelled.decode('latin-1')}"
        raise AssayError(Finding.of(UNSUPPORTED_ALGORITHM, component, detail, offset=offset + 32))
    algorithm = algorithm_named(spelled.decode("latin-1"))
    if algorithm is None or any(after):
        detail = f"an unknown algorithm {name.rstrip(bytes(1))!r}"
        raise _malformed(component, offset + 32, detail, "a known digest", name[:20])
    if length > LONGEST_SALT:
        raise _malformed(component, offset + 80, f"{length} bytes of salt", LONGEST_SALT, length)
    if any(pad) or any(salt[length:]) or any(rest):
        raise _malformed(component, offset + 82, "unused bytes of the superblock are not zero")
    found = Parameters(hash_type, algorithm.name, data_size, hash_size, blocks, salt[:length])
    return Superblock(found.check(component), uuid)


def encode(superblock: Superblock) -> bytes:
    """The 512 bytes, as `veritysetup format` writes them."""
    made = superblock.parameters
    name = _KERNEL_NAMES.get(made.algorithm, made.algorithm).encode()
    return _LAYOUT.pack(
        MAGIC, 1, made.hash_type, superblock.uuid, name, made.data_block_size,
        made.hash_block_size, made.data_blocks, len(made.salt), b"", made.salt, b"",
    )  # fmt: skip


def _malformed(
    component: str, offset: int, detail: str, expected: object = "zero", actual: object = ""
) -> AssayError:
    return AssayError(
        Finding.of(
            codes.VERITY_SUPERBLOCK_MALFORMED,
            component,
            detail,
            expected=expected,
            actual=actual,
            offset=offset,
        )
    )

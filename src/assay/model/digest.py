"""Digests: an algorithm's name and its value, and how much each algorithm may be believed."""

from __future__ import annotations

import re
from enum import Enum

from msgspec import Struct


class Strength(Enum):
    """What agreement of two digests proves."""

    BINDING = "binding"
    """Collision resistant: nobody can make other bytes with the same digest."""

    CORRUPTION_ONLY = "corruption-only"
    """Collisions are known (MD5, SHA-1): agreement rules out accidents, never an attacker."""


class Algorithm(Struct, frozen=True):
    """A digest algorithm as Assay knows it.

    ``name`` is the OCI spelling (lower case), ``size`` the length of a value in bytes.
    """

    name: str
    size: int
    strength: Strength = Strength.BINDING


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("sha256", 32),
        Algorithm("sha384", 48),
        Algorithm("sha512", 64),
        Algorithm("sha512-256", 32),
        Algorithm("sha224", 28),
        Algorithm("sha3-224", 28),
        Algorithm("sha3-256", 32),
        Algorithm("sha3-384", 48),
        Algorithm("sha3-512", 64),
        Algorithm("blake2b", 64),
        Algorithm("blake2b-256", 32),
        Algorithm("blake2s", 32),
        Algorithm("blake3", 32),
        Algorithm("shake256-512", 64),
        Algorithm("sha1", 20, Strength.CORRUPTION_ONLY),
        Algorithm("md5", 16, Strength.CORRUPTION_ONLY),
    )
}
"""Every algorithm that Assay can compute, by its canonical name."""

_ALIASES = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha2-224": "sha224",
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha512/256": "sha512-256",
    "sha512_256": "sha512-256",
    "sha2-512/256": "sha512-256",
    "sha3_224": "sha3-224",
    "sha3_256": "sha3-256",
    "sha3_384": "sha3-384",
    "sha3_512": "sha3-512",
    "blake2b512": "blake2b",
    "blake2b-512": "blake2b",
    "blake2s256": "blake2s",
    "blake2s-256": "blake2s",
}

_HEX = re.compile(r"[0-9a-f]+\Z")


def algorithm_named(name: str) -> Algorithm | None:
    """Return the algorithm with this name or common alias, whatever its case; None when unknown."""
    lowered = name.lower()
    return ALGORITHMS.get(_ALIASES.get(lowered, lowered))


class Digest(Struct, frozen=True, order=True):
    """One digest value. ``algorithm`` is canonical, ``value`` holds the raw bytes."""

    algorithm: str
    value: bytes

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:hex`` (OCI image-spec, descriptor.md, "Digests").

        Raises ValueError, saying what is wrong, for an unknown algorithm, upper-case or
        non-hexadecimal digits, or a value of the wrong length.
        """
        name, colon, hexadecimal = text.partition(":")
        if not colon:
            raise ValueError(f"expected algorithm:hex, found {text[:80]!r}")
        algorithm = ALGORITHMS.get(name)
        if algorithm is None:
            raise ValueError(f"unsupported digest algorithm {name[:40]!r}")
        if not _HEX.match(hexadecimal) or len(hexadecimal) != 2 * algorithm.size:
            raise ValueError(
                f"expected {2 * algorithm.size} lower-case hexadecimal digits for {name},"
                f" found {hexadecimal[:140]!r}"
            )
        return cls(name, bytes.fromhex(hexadecimal))

    @property
    def hex(self) -> str:
        return self.value.hex()

    @property
    def binding(self) -> bool:
        """Whether agreement with this digest proves that the bytes are the same."""
        return ALGORITHMS[self.algorithm].strength is Strength.BINDING

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value.hex()}"

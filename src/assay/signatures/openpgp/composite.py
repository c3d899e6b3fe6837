"""Keys of two kinds in one: ML-DSA with EdDSA ("Post-Quantum Cryptography in OpenPGP",
draft-ietf-openpgp-pqc, section 5). A signature counts when both of its halves do, so that it is as
good as the better of the two."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

from msgspec import Struct

from assay.crypto import spki
from assay.model.anchor import Algorithm
from assay.signatures.openpgp import algorithms
from assay.signatures.openpgp.wire import Reader, Source


class _Sizes(Struct, frozen=True):
    """Bytes of the two keys, and of the first half of a signature."""

    edwards_key: int
    lattice_key: int
    edwards_signature: int


_SIZES = {
    algorithms.ML_DSA_65_ED25519: _Sizes(32, 1952, 64),
    algorithms.ML_DSA_87_ED448: _Sizes(57, 2592, 114),
}


class CompositeKey:
    """An EdDSA key and an ML-DSA key. Both have to confirm a signature."""

    short = False
    size = 0

    def __init__(self, reader: Reader, algorithm: int, source: Source) -> None:
        """Read both keys. Raises AssayError."""
        from cryptography.hazmat.primitives.asymmetric.mldsa import (
            MLDSA65PublicKey,
            MLDSA87PublicKey,
        )

        sizes = _SIZES[algorithm]
        first = reader.take(sizes.edwards_key, "an EdDSA key")
        second = reader.take(sizes.lattice_key, "an ML-DSA key")
        small = algorithm == algorithms.ML_DSA_65_ED25519
        self._edwards = (spki.read_ed25519 if small else spki.read_ed448)(first, source.name)
        native: Any = MLDSA65PublicKey if small else MLDSA87PublicKey
        try:
            self._lattice = spki.from_native(native.from_public_bytes(second), source.name)
        except ValueError as error:
            raise reader.fail(f"{error}") from error
        self._split = sizes.edwards_signature
        self.name = f"{self._lattice.name} with {self._edwards.name}"

    def algorithm(self, digest: str) -> Algorithm:
        """How this key made a signature over ``digest``."""
        return Algorithm("ML-DSA", self.name, digest=digest)

    @cached_property
    def fingerprint(self) -> str:
        both = self._edwards.spki + self._lattice.spki
        return "sha256:" + hashlib.sha256(both).hexdigest()

    def confirms(self, signature: bytes, digest: bytes) -> bool:
        """Whether both keys made their half of a signature of a digest."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._edwards.native.verify(signature[: self._split], digest)
            self._lattice.native.verify(signature[self._split :], digest)
        except (InvalidSignature, ValueError):
            return False
        return True

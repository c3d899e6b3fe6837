"""scrypt (RFC 7914), within bounds: what it costs is written in the file that is read."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from assay import limits
from assay.model.secret import Secret
from assay.produce.keys.form import unsupported


class Cost(Struct, frozen=True):
    """``n``, ``r`` and ``p`` of RFC 7914 section 2; it takes 128 * n * r bytes of memory."""

    n: int
    r: int
    p: int

    def check(self) -> None:
        """Raises AssayError (private-key-unsupported) when this cannot be, or asks for more
        than a key should: reading one must end."""
        if not (self.n > 1 and self.n & (self.n - 1) == 0 and self.r > 0 and self.p > 0):
            raise unsupported(
                "a cost of encryption that scrypt does not have",
                actual=f"{self.n},{self.r},{self.p}",
            )
        memory = 128 * self.n * self.r
        if memory > limits.SCRYPT_MEMORY or memory * self.p > limits.SCRYPT_WORK:
            raise unsupported(
                "the passphrase is made harder to guess than a key needs",
                f"{limits.SCRYPT_MEMORY} bytes of memory at most",
                f"{memory} bytes, {self.p} times",
            )


def derive(passphrase: Secret, salt: bytes, cost: Cost, length: int) -> bytes:
    """``length`` bytes from a passphrase. Raises AssayError (private-key-unsupported)."""
    cost.check()
    memory = 128 * cost.r * (cost.n + cost.p + 2)
    return hashlib.scrypt(
        passphrase.reveal(),
        salt=salt,
        n=cost.n,
        r=cost.r,
        p=cost.p,
        maxmem=min(memory + (1 << 20), (1 << 31) - 1),
        dklen=length,
    )

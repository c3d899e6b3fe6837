"""How a signature is computed, apart from the key. A signature scheme says which one it means."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DIGESTS = (
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512-256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
)
"""Digest algorithms that RSA and ECDSA signatures may use. MD5 and SHA-1 signatures can be forged:
a scheme that meets one says so (weak-signature) and asks nothing further."""


def shown(digest: str) -> str:
    """A digest algorithm's name as its standard spells it (``SHA-256``, ``SHA-512/256``)."""
    name = digest.upper()
    if name.startswith("SHA3-"):
        return name
    family, _, truncated = name.partition("-")
    return family.replace("SHA", "SHA-") + (f"/{truncated}" if truncated else "")


def _check(digest: str, legacy: bool = False) -> None:
    if digest not in DIGESTS and not (legacy and digest == "sha1"):
        raise ValueError(f"no signature over {digest or 'an unknown digest'} is accepted")


class RsaPkcs1(Struct, frozen=True):
    """RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2). Raises ValueError for a digest not accepted.

    ``legacy`` accepts SHA-1, for a verifier that has to say what old firmware would accept, and
    that says beside it how little that proves.
    """

    digest: str
    legacy: bool = False

    def __post_init__(self) -> None:
        _check(self.digest, self.legacy)

    def __str__(self) -> str:
        return f"RSA PKCS#1 v1.5 with {shown(self.digest)}"


class RsaPss(Struct, frozen=True):
    """RSASSA-PSS with MGF1 (RFC 8017 section 8.1). ``mgf1`` is MGF1's digest, the same as
    ``digest`` when empty; ``salt_length`` is in bytes, None accepts any. Raises ValueError for a
    digest not accepted."""

    digest: str
    mgf1: str = ""
    salt_length: int | None = None

    def __post_init__(self) -> None:
        _check(self.digest)
        _check(self.mgf1 or self.digest)

    def __str__(self) -> str:
        mask = f", MGF1 with {shown(self.mgf1)}" if self.mgf1 not in ("", self.digest) else ""
        return f"RSA-PSS with {shown(self.digest)}{mask}"


class Ecdsa(Struct, frozen=True):
    """ECDSA (FIPS 186-5 section 6.4). ``encoding`` of the signature is ``der`` (RFC 3279 section
    2.2.3) or ``p1363``: r and s, each as long as the curve's order (IEEE P1363). Raises ValueError
    for a digest not accepted."""

    digest: str
    encoding: Literal["der", "p1363"] = "der"

    def __post_init__(self) -> None:
        _check(self.digest)

    def __str__(self) -> str:
        return f"ECDSA with {shown(self.digest)}"


class EdDsa(Struct, frozen=True):
    """Pure Ed25519 or Ed448, by the key (RFC 8032)."""

    def __str__(self) -> str:
        return "EdDSA"


class MlDsa(Struct, frozen=True):
    """Pure ML-DSA (FIPS 204 section 5.3). ``context`` has at most 255 bytes; raises ValueError
    for a longer one."""

    context: bytes = b""

    def __post_init__(self) -> None:
        if len(self.context) > 255:
            raise ValueError("an ML-DSA context has at most 255 bytes")

    def __str__(self) -> str:
        return "ML-DSA"


SignatureAlgorithm = RsaPkcs1 | RsaPss | Ecdsa | EdDsa | MlDsa


def digest_of(algorithm: SignatureAlgorithm) -> str:
    """The digest that is signed; empty where the algorithm takes one of its own."""
    return "" if isinstance(algorithm, EdDsa | MlDsa) else algorithm.digest


NAMED: dict[str, SignatureAlgorithm] = {
    **{f"rsa-pkcs1-{digest}": RsaPkcs1(digest) for digest in DIGESTS},
    **{f"rsa-pss-{digest}": RsaPss(digest) for digest in DIGESTS},
    **{f"ecdsa-{digest}": Ecdsa(digest) for digest in DIGESTS},
    "eddsa": EdDsa(),
    "ml-dsa": MlDsa(),
}
"""Algorithms as users name them (``--signature-algorithm``)."""

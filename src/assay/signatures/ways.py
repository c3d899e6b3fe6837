"""How a value may have been made by a plain key: RSA tells by its padding, ECDSA by its encoding;
the digest, where nothing tells it, is one of SHA-2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from assay.asn1.der import INTEGER, SEQUENCE, Der
from assay.crypto.algorithms import (
    NAMED,
    Ecdsa,
    EdDsa,
    MlDsa,
    RsaPkcs1,
    RsaPss,
    SignatureAlgorithm,
    shown,
)
from assay.crypto.check import Check
from assay.crypto.public_key import Family, PublicKey
from assay.crypto.rsa_padding import Padding, padding_of
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code

DEMAND = "signature-algorithm"
USUAL_DIGESTS = ("sha256", "sha384", "sha512")
"""Tried where the signature does not tell its digest, and none is asked for."""

_FORGEABLE = ("md5", "sha1")
_SIZES = {
    "Ed25519": 64,
    "Ed448": 114,
    "ML-DSA-44": 2420,
    "ML-DSA-65": 3309,
    "ML-DSA-87": 4627,
}
"""Bytes of a signature, by the key's name."""
_CURVE_BYTES = (32, 48, 66)
_RSA_BYTES = range(256, 2049)


class Way(Struct, frozen=True):
    """One way in which a key may have made a value."""

    check: Check
    value: bytes


class Misfit(Struct, frozen=True):
    """Why a key cannot have made a value, or one by it does not count."""

    reason: str
    code: Code | None = None
    """Set when the key did make it."""


def plausible(value: bytes) -> bool:
    """Whether a value has the length or shape of some signature."""
    size = len(value)
    return (
        size in _SIZES.values()
        or size in _RSA_BYTES
        or size in (2 * width for width in _CURVE_BYTES)
        or _is_ecdsa_der(value, _CURVE_BYTES[-1])
    )


def _is_ecdsa_der(value: bytes, width: int) -> bool:
    """Whether a value is SEQUENCE { INTEGER, INTEGER }, positive and of at most ``width`` bytes."""
    try:
        outer = Der(value, codes.SIGNATURE_MALFORMED)
        numbers = outer.enter(SEQUENCE)
        pair = [numbers.integer(INTEGER, most=width + 1) for _ in range(2)]
        numbers.finish()
        outer.finish()
    except AssayError:
        return False
    return all(0 < number < 1 << 8 * width for number in pair)


def ways(
    key: PublicKey, values: Sequence[bytes], demand: str = "", prefix: bytes = b""
) -> list[Way] | Misfit:
    """How ``key`` may have made one of ``values`` over ``prefix`` and the document, under what the
    user demands of it (the name of an algorithm, empty for no demand)."""
    if demand and demand not in NAMED:
        return Misfit(f"the algorithm {demand!r} that is asked for is not known")
    pinned = NAMED[demand] if demand else None
    found: list[Way] = []
    told: Misfit | None = None
    for value in values:
        for algorithm in _algorithms(key, value, pinned):
            if isinstance(algorithm, Misfit):
                told = algorithm
            elif key.can_use(algorithm):
                found.append(Way(Check(key, algorithm, prefix), value))
    if found:
        return found
    if told is not None:
        return told
    if pinned is not None and not key.can_use(pinned):
        return Misfit(f"an {key.name} key makes no {pinned} signatures")
    sizes = " or ".join(str(size) for size in dict.fromkeys(map(len, values)))
    return Misfit(f"{sizes} bytes, which is not how {key.name} signs")


def _algorithms(
    key: PublicKey, value: bytes, pinned: SignatureAlgorithm | None
) -> Iterator[SignatureAlgorithm | Misfit]:
    if key.family is Family.RSA:
        yield from _rsa(key, value, pinned)
    elif key.family is Family.ECDSA:
        width = (key.size + 7) // 8
        digests = (pinned.digest,) if isinstance(pinned, Ecdsa) else USUAL_DIGESTS
        if pinned is None or isinstance(pinned, Ecdsa):
            if _is_ecdsa_der(value, width):
                yield from (Ecdsa(digest) for digest in digests)
            if len(value) == 2 * width:
                yield from (Ecdsa(digest, "p1363") for digest in digests)
    elif len(value) == _SIZES[key.name]:
        usual: SignatureAlgorithm = MlDsa() if key.family is Family.ML_DSA else EdDsa()
        if pinned in (None, usual):
            yield usual


def _rsa(
    key: PublicKey, value: bytes, pinned: SignatureAlgorithm | None
) -> Iterator[SignatureAlgorithm | Misfit]:
    padding, digest = padding_of(key, value)
    if padding is Padding.NONE:
        if len(value) == (key.size + 7) // 8:
            yield Misfit("another key made it, or it is damaged")
    elif padding is Padding.PSS:
        if pinned is None:
            yield from (RsaPss(name) for name in USUAL_DIGESTS)
        elif isinstance(pinned, RsaPss):
            yield pinned
        else:
            yield Misfit(f"not a {pinned} signature, as is asked for")
    elif digest in _FORGEABLE:
        yield Misfit(f"an RSA signature over {shown(digest)}", codes.WEAK_SIGNATURE)
    elif not digest:
        yield Misfit(
            "an RSA signature that does not name the digest it is over", codes.SIGNATURE_UNSUPPORTED
        )
    elif pinned in (None, RsaPkcs1(digest)):
        yield RsaPkcs1(digest)
    else:
        yield Misfit(
            f"an {RsaPkcs1(digest)} signature, not {pinned} as is asked for",
            codes.KEY_NOT_PERMITTED,
        )

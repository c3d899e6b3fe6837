"""Raw signatures: nothing but the value that RSA, ECDSA, EdDSA or ML-DSA gives, over the bytes of
the document, as ``openssl dgst -sign`` and ``openssl pkeyutl -sign -rawin`` write it.

The file says neither which key made it nor how. So every key given is tried, with each algorithm
that the value can be of: RSA tells by its padding, ECDSA by its encoding; the digest is that of
SHA-2. A user who knows more pins the algorithm (`Key.demands`: ``signature-algorithm``).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from assay import strict_base64
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
from assay.crypto.check import MAX_SIGNATURE, Check
from assay.crypto.public_key import Family, PublicKey
from assay.crypto.rsa_padding import Padding, padding_of
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code, Finding
from assay.model.measurement import Request
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureOutcome,
    SignatureScheme,
    Status,
)
from assay.signatures import plain_keys
from assay.signatures.plain_keys import KEY_SCHEME, PlainKey
from assay.signatures.trial import Trial

SCHEME = "raw"
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
_HEX = re.compile(rb"[0-9A-Fa-f]+\Z")


class Way(Struct, frozen=True):
    """One way in which a key may have made a value."""

    check: Check
    value: bytes


class Misfit(Struct, frozen=True):
    """Why a key cannot have made a value, or one by it does not count."""

    reason: str
    code: Code | None = None
    """Set when the key did make it."""


def values_of(data: bytes) -> list[bytes]:
    """What a signature file may hold: its own bytes, or what they are the text of (hexadecimal,
    base64 with or without line ends)."""
    text = b"".join(data.split())
    if not text.isascii() or not text.decode("ascii").isprintable():
        return [data]
    found = []
    if _HEX.match(text) and len(text) % 2 == 0:
        found.append(binascii.a2b_hex(text))
    if (raw := strict_base64.decode(text)) is not None:
        found.append(raw)
    return found


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


def ways(key: PublicKey, values: Sequence[bytes], demand: str = "") -> list[Way] | Misfit:
    """How ``key`` may have made one of ``values``, under what the user demands of it (the name of
    an algorithm, empty for no demand)."""
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
                found.append(Way(Check(key, algorithm), value))
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


class RawSignature:
    """One raw signature over a document."""

    def __init__(self, values: Sequence[bytes], signature: Signature) -> None:
        self._values = values
        self.signature = signature

    def _ways(self, key: Key) -> list[Way] | Misfit:
        plain: PlainKey = key.material
        return ways(plain.public, self._values, key.demands.get(DEMAND, ""))

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        found = [self._ways(key) for key in keys if key.scheme == KEY_SCHEME]
        wanted = [way.check.request for some in found if isinstance(some, list) for way in some]
        return tuple(dict.fromkeys(wanted))

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, "signature", keys)
        mine = [key for key in keys if key.scheme == KEY_SCHEME]
        for key in mine:
            found = self._ways(key)
            if isinstance(found, Misfit):
                self._misfit(trial, key, found)
            else:
                self._try(trial, key, found, answers)
        sizes = " or ".join(str(len(value)) for value in self._values)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: a raw signature of {sizes} bytes"
                + (", which none of the keys given can have made" if mine else ""),
                expected=", ".join(key.material.public.name for key in mine) or "a public key",
                actual=f"{sizes} bytes",
            )
        )

    def _misfit(self, trial: Trial, key: Key, misfit: Misfit) -> None:
        if misfit.code is None:
            trial.miss(key, misfit.reason)
            return
        finding = Finding.of(
            misfit.code, self.signature.document, f"{self.signature.id}: {misfit.reason}"
        )
        trial.fail(key, Status.INVALID, misfit.reason, finding)

    def _try(
        self, trial: Trial, key: Key, found: Sequence[Way], answers: Mapping[Request, Any]
    ) -> None:
        plain: PlainKey = key.material
        document, name = self.signature.document, self.signature.id
        measured = [way for way in found if way.check.request in answers]
        for way in measured:
            if way.check.confirms(way.value, answers[way.check.request]):
                notes = {"signature": _described(way)}
                extra = plain_keys.notices(plain, document, name)
                trial.match(key, plain_keys.signer_of(plain), notes, *extra)
                return
        if len(measured) < len(found):
            reason = "what it signs could not be measured"
            finding = Finding.of(codes.SIGNATURE_UNCHECKED, document, f"{name}: {reason}")
            trial.fail(key, Status.UNCHECKED, reason, finding)
            return
        certain = isinstance(found[0].check.algorithm, RsaPkcs1)
        tried = ", ".join(dict.fromkeys(str(way.check.algorithm) for way in found))
        trial.fail(
            key,
            Status.INVALID,
            f"the signature does not match ({tried})",
            Finding.of(
                codes.SIGNATURE_INVALID,
                document,
                f"{name}: does not match with the {plain.public.name} key {key.key_id} ({tried})",
                cause="the bytes were changed after signing"
                if certain
                else "changed bytes, or another key",
            ),
        )


def _described(way: Way) -> str:
    algorithm = way.check.algorithm
    if isinstance(algorithm, EdDsa | MlDsa):
        return way.check.key.name
    return str(algorithm)


class RawScheme:
    """Detached files with nothing but the value of a signature."""

    name = SCHEME
    suffixes = (".sig", ".sign", ".signature")
    last_resort_for = KEY_SCHEME

    def recognise(self, data: bytes) -> bool:
        return len(data) <= 2 * MAX_SIGNATURE and any(map(plausible, values_of(data)))

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed)."""
        values = [value for value in values_of(data) if plausible(value)]
        if not values or len(data) > 2 * MAX_SIGNATURE:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_MALFORMED,
                    signature_id,
                    "no value of a signature",
                    expected="an RSA, ECDSA, EdDSA or ML-DSA signature, or its base64",
                    actual=f"{len(data)} bytes",
                )
            )
        return [RawSignature(values, Signature(signature_id, SCHEME, document, alternatives))]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Plain public keys (`plain_keys.load`). Raises UsageError."""
        return plain_keys.load(data, anchor)


SCHEME_PLUGIN: SignatureScheme = RawScheme()

"""Reads public keys: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), RSAPublicKey, raw bytes.

Strict DER; what is weak or can be made to confirm anything is refused here, once for all schemes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from assay.asn1.der import BIT_STRING, NULL, OID, SEQUENCE, Der, context
from assay.crypto.algorithms import RsaPss
from assay.crypto.public_key import Family, PublicKey
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code, Finding

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

RSA_SHORTEST, RSA_LONGEST = 2048, 16384
"""Bits of an RSA modulus: shorter ones can be factored, and longer ones cost more than they prove
(so does an exponent of more than 64 bits)."""
_RSA_EXPONENT_BITS = 64

_RSA = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_EC = "1.2.840.10045.2.1"
_CURVES = {
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
    "brainpoolP256r1": "brainpoolP256r1",
    "brainpoolP384r1": "brainpoolP384r1",
    "brainpoolP512r1": "brainpoolP512r1",
}
"""What ``cryptography`` calls a curve -> what people call it (FIPS 186-5, RFC 5639)."""
DIGEST_OIDS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.6": "sha512-256",
    "2.16.840.1.101.3.4.2.7": "sha3-224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
"""OBJECT IDENTIFIER of a digest algorithm -> its canonical name."""

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410 section 4)."""

_P25519, _P448 = 2**255 - 19, 2**448 - 2**224 - 1
_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_25519 = {0, 1, _P25519 - 1, _ORDER_8, _P25519 - _ORDER_8}
"""y of the points of edwards25519 whose order divides 8. A key of such order confirms signatures
that nobody made."""
_SMALL_448 = {0, 1, _P448 - 1}


def _refused(
    code: Code,
    what: str,
    detail: str,
    *,
    expected: str = "",
    actual: str = "",
    offset: int | None = None,
    cause: str = "",
) -> AssayError:
    found = Finding.of(
        code, what, detail, expected=expected, actual=actual, offset=offset, cause=cause
    )
    return AssayError(found)


def read_spki(data: bytes, what: str) -> PublicKey:
    """The key of a DER SubjectPublicKeyInfo. ``what`` names it in errors.

    Raises AssayError: key-malformed (with an offset), weak-signature for a key that can be broken,
    signature-unsupported for a kind of key that Assay cannot use.
    """
    try:
        fields = Der(data, codes.KEY_MALFORMED).enter(SEQUENCE)
        algorithm = fields.enter(SEQUENCE)
        bits = fields.whole_bits(BIT_STRING)
        fields.finish()
        if len(data) != fields.end:
            raise fields.fail(f"{len(data) - fields.end} bytes follow the key", fields.end)
        oid = algorithm.oid()
        if oid in (_RSA, _RSA_PSS):
            pss = None
            if oid == _RSA_PSS and algorithm.more:
                pss = read_pss_parameters(algorithm)
            elif algorithm.more:
                algorithm.null()
            algorithm.finish()
            return _rsa(Der(bits, codes.KEY_MALFORMED), what, oid == _RSA_PSS, pss)
        if oid == _EC and algorithm.peek() != OID:
            # CVE-2020-0601: a curve that is spelt out may have a generator of the attacker's.
            raise algorithm.fail("a curve that is not named")
    except AssayError as error:
        raise AssayError(replace(error.finding, component=what)) from error
    except ValueError as error:
        raise _refused(codes.WEAK_SIGNATURE, what, f"{error}") from error
    return from_native(_load(data, what), what)


def read_pkcs1(data: bytes, what: str) -> PublicKey:
    """The key of a DER RSAPublicKey (RFC 8017 appendix A.1.1). Raises AssayError as `read_spki`."""
    try:
        return _rsa(Der(data, codes.KEY_MALFORMED), what)
    except AssayError as error:
        raise AssayError(replace(error.finding, component=what)) from error


def read_ed25519(raw: bytes, what: str) -> PublicKey:
    """The key of 32 bytes (RFC 8032 section 5.1.5). Raises AssayError as `read_spki`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(raw) != 32:
        raise _refused(codes.KEY_MALFORMED, what, f"an Ed25519 key of {len(raw)} bytes, not 32")
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    _refuse_small_order(y, _P25519, _SMALL_25519, what)
    # The usual key of small files: nothing more is imported than checking takes.
    native = Ed25519PublicKey.from_public_bytes(raw)
    return PublicKey(Family.ED25519, "Ed25519", 0, native, spki=_ED25519_SPKI + raw)


def read_ed448(raw: bytes, what: str) -> PublicKey:
    """The key of 57 bytes (RFC 8032 section 5.2.5). Raises AssayError as `read_spki`."""
    from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey

    if len(raw) != 57:
        raise _refused(codes.KEY_MALFORMED, what, f"an Ed448 key of {len(raw)} bytes, not 57")
    return from_native(Ed448PublicKey.from_public_bytes(raw), what)


def read_ml_dsa_44(raw: bytes, what: str) -> PublicKey:
    """The key of 1312 bytes (FIPS 204). Raises AssayError as `read_spki`."""
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    if len(raw) != 1312:
        detail = f"an ML-DSA-44 key of {len(raw)} bytes, not 1312"
        raise _refused(codes.KEY_MALFORMED, what, detail)
    return from_native(MLDSA44PublicKey.from_public_bytes(raw), what)


def read_ec_point(curve: str, point: bytes, what: str) -> PublicKey:
    """The ECDSA key of an uncompressed point (SEC 1 section 2.3.3) on ``P-256``, ``P-384``,
    ``P-521`` or a brainpool curve (``brainpoolP256r1`` ...). Raises AssayError as `read_spki`."""
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, ec.EllipticCurve] = {
        "P-256": ec.SECP256R1(),
        "P-384": ec.SECP384R1(),
        "P-521": ec.SECP521R1(),
        "brainpoolP256r1": ec.BrainpoolP256R1(),
        "brainpoolP384r1": ec.BrainpoolP384R1(),
        "brainpoolP512r1": ec.BrainpoolP512R1(),
    }
    if curve not in curves:
        raise _refused(codes.SIGNATURE_UNSUPPORTED, what, f"the curve {curve[:40]!r}")
    try:
        if point[:1] != b"\x04":
            raise ValueError("it is not uncompressed")
        native = ec.EllipticCurvePublicKey.from_encoded_point(curves[curve], point)
    except ValueError as error:
        raise _refused(codes.KEY_MALFORMED, what, f"no point of {curve}: {error}") from error
    return from_native(native, what)


def read_rsa(modulus: int, exponent: int, what: str) -> PublicKey:
    """The RSA key of these numbers. Raises AssayError as `read_spki`."""
    return _rsa_numbers(modulus, exponent, what, False, None)


def from_native(native: PublicKeyTypes, what: str) -> PublicKey:
    """Take over a key that ``cryptography`` has read (of a certificate, say), if it is strong
    enough. Raises AssayError as `read_spki`."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa

    if isinstance(native, rsa.RSAPublicKey):
        numbers = native.public_numbers()
        return _rsa_numbers(numbers.n, numbers.e, what, False, None)
    if isinstance(native, ec.EllipticCurvePublicKey):
        curve = _CURVES.get(native.curve.name)
        if curve is None:
            raise _refused(
                codes.SIGNATURE_UNSUPPORTED,
                what,
                f"an ECDSA key on the curve {native.curve.name}",
                expected=", ".join(_CURVES.values()),
                actual=native.curve.name,
            )
        return PublicKey(Family.ECDSA, f"ECDSA {curve}", native.curve.key_size, native)
    if isinstance(native, ed25519.Ed25519PublicKey):
        return read_ed25519(native.public_bytes_raw(), what)
    if isinstance(native, ed448.Ed448PublicKey):
        y = int.from_bytes(native.public_bytes_raw(), "little") & (1 << 455) - 1
        _refuse_small_order(y, _P448, _SMALL_448, what)
        return PublicKey(Family.ED448, "Ed448", 0, native)
    for kind, name in (
        (mldsa.MLDSA44PublicKey, "ML-DSA-44"),
        (mldsa.MLDSA65PublicKey, "ML-DSA-65"),
        (mldsa.MLDSA87PublicKey, "ML-DSA-87"),
    ):
        if isinstance(native, kind):
            return PublicKey(Family.ML_DSA, name, 0, native)
    name = type(native).__name__.removesuffix("PublicKey")
    raise _refused(codes.SIGNATURE_UNSUPPORTED, what, f"a key of the kind {name}", actual=name)


def _refuse_small_order(y: int, p: int, small: set[int], what: str) -> None:
    if y >= p:
        raise _refused(codes.KEY_MALFORMED, what, "a point that is not in its one encoding")
    if y in small:
        raise _refused(
            codes.WEAK_SIGNATURE,
            what,
            "a point of small order, which confirms signatures that nobody made",
            cause="a key made to deceive",
        )


def _load(data: bytes, what: str) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(data)
    except UnsupportedAlgorithm as error:
        raise _refused(
            codes.SIGNATURE_UNSUPPORTED, what, f"a key that is not supported: {error}"
        ) from error
    except (ValueError, TypeError) as error:
        raise _refused(codes.KEY_MALFORMED, what, f"{error}") from error


def _rsa(reader: Der, what: str, pss_only: bool = False, pss: RsaPss | None = None) -> PublicKey:
    numbers = reader.enter(SEQUENCE)
    modulus = numbers.integer(most=RSA_LONGEST // 8 + 1)
    exponent = numbers.integer(most=RSA_LONGEST // 8 + 1)
    numbers.finish()
    reader.finish()
    return _rsa_numbers(modulus, exponent, what, pss_only, pss)


def _rsa_numbers(
    modulus: int, exponent: int, what: str, pss_only: bool, pss: RsaPss | None
) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    size = modulus.bit_length()
    if size < RSA_SHORTEST:
        raise _refused(
            codes.WEAK_SIGNATURE,
            what,
            f"an RSA key of {size} bits, which can be broken",
            expected=f"{RSA_SHORTEST} bits or more",
            actual=f"{size} bits",
        )
    if size > RSA_LONGEST or exponent.bit_length() > _RSA_EXPONENT_BITS:
        raise _refused(
            codes.SIGNATURE_UNSUPPORTED,
            what,
            f"an RSA key of {size} bits with an exponent of {exponent.bit_length()} bits",
            expected=f"at most {RSA_LONGEST} bits, and {_RSA_EXPONENT_BITS} for the exponent",
        )
    if modulus < 0 or modulus % 2 == 0 or exponent % 2 == 0 or exponent < 3:
        raise _refused(
            codes.WEAK_SIGNATURE, what, "an RSA key whose modulus or exponent cannot be right"
        )
    native = RSAPublicNumbers(exponent, modulus).public_key()
    return PublicKey(Family.RSA, f"RSA {size}", size, native, pss_only=pss_only, pss=pss)


def read_pss_parameters(reader: Der) -> RsaPss:
    """RSASSA-PSS-params in DER (RFC 4055 section 3.1), which is what ``reader`` comes to next.

    Raises AssayError when they are malformed, ValueError when they ask for a digest that is not
    accepted (SHA-1 is the default).
    """
    fields = reader.enter(SEQUENCE)
    digest = mgf1 = "sha1"
    salt_length = 20
    if (field := fields.enter_optional(context(0))) is not None:
        digest = _digest(field)
        field.finish()
    if (field := fields.enter_optional(context(1))) is not None:
        mask = field.enter(SEQUENCE)
        if mask.oid() != _MGF1:
            raise mask.fail("a mask generation function other than MGF1")
        mgf1 = _digest(mask)
        mask.finish()
        field.finish()
    if (field := fields.enter_optional(context(2))) is not None:
        salt_length = field.integer(most=4)
        field.finish()
    if (field := fields.enter_optional(context(3))) is not None:
        if field.integer() != 1:
            raise field.fail("a trailer field other than 1")
        field.finish()
    fields.finish()
    if salt_length < 0:
        raise fields.fail("a salt of negative length")
    return RsaPss(digest, mgf1, salt_length)


def _digest(reader: Der) -> str:
    """The digest of an AlgorithmIdentifier. An unknown one is empty, which nothing accepts."""
    identifier = reader.enter(SEQUENCE)
    name = DIGEST_OIDS.get(identifier.oid(), "")
    if identifier.peek() == NULL:
        identifier.null()
    identifier.finish()
    return name

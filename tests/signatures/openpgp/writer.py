"""Writes OpenPGP, right and wrong: keys, signatures and certificates that no tool would make."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signatures.openpgp.armor import crc24

T0 = 1_600_000_000
"""When the keys here were made, unless a test says otherwise (September 2020)."""
DAY = 86400

HASHES = {
    "md5": (1, hashes.MD5, 0),
    "sha1": (2, hashes.SHA1, 0),
    "sha224": (11, hashes.SHA224, 16),
    "sha256": (8, hashes.SHA256, 16),
    "sha384": (9, hashes.SHA384, 24),
    "sha512": (10, hashes.SHA512, 32),
    "sha3_256": (12, hashes.SHA3_256, 16),
    "sha3_512": (14, hashes.SHA3_512, 32),
}
CURVES: dict[str, tuple[str, type[ec.EllipticCurve]]] = {
    "P-256": ("2a8648ce3d030107", ec.SECP256R1),
    "P-384": ("2b81040022", ec.SECP384R1),
    "P-521": ("2b81040023", ec.SECP521R1),
    "brainpoolP256r1": ("2b2403030208010107", ec.BrainpoolP256R1),
    "brainpoolP384r1": ("2b240303020801010b", ec.BrainpoolP384R1),
    "brainpoolP512r1": ("2b240303020801010d", ec.BrainpoolP512R1),
}
ALGORITHMS = ("RSA", "DSA", "Ed25519", "Ed448", "EdDSA", *CURVES)
COMPOSITE = ("ML-DSA-65 with Ed25519", "ML-DSA-87 with Ed448")
"""Of version 6 only."""


def packet(tag: int, body: bytes) -> bytes:
    """A packet in the current form, its length in as few bytes as possible."""
    size = len(body)
    if size < 192:
        length = bytes((size,))
    elif size < 8384:
        length = bytes((192 + (size - 192 >> 8), size - 192 & 0xFF))
    else:
        length = b"\xff" + size.to_bytes(4)
    return bytes((0xC0 | tag,)) + length + body


def in_parts(tag: int, body: bytes, power: int = 9) -> bytes:
    """A packet in parts of 2 to the ``power`` bytes."""
    out, size = bytes((0xC0 | tag,)), 1 << power
    while len(body) > size:
        out += bytes((0xE0 | power,)) + body[:size]
        body = body[size:]
    return out + b"\xff" + len(body).to_bytes(4) + body


def legacy(tag: int, body: bytes, length_type: int = 1) -> bytes:
    """A packet in the form of RFC 1991; ``length_type`` 3 is without a length."""
    head = bytes((0x80 | tag << 2 | length_type,))
    return head + (b"" if length_type == 3 else len(body).to_bytes(1 << length_type)) + body


def mpi(number: int | bytes) -> bytes:
    value = number if isinstance(number, int) else int.from_bytes(number)
    return value.bit_length().to_bytes(2) + value.to_bytes((value.bit_length() + 7) // 8)


def subpacket(kind: int, body: bytes, *, critical: bool = False) -> bytes:
    return b"\xff" + (len(body) + 1).to_bytes(4) + bytes((kind | critical << 7,)) + body


def seconds(kind: int, value: int, *, critical: bool = False) -> bytes:
    return subpacket(kind, value.to_bytes(4), critical=critical)


def flags(value: int) -> bytes:
    return subpacket(27, bytes((value,)), critical=True)


def expires(after: int) -> bytes:
    """Key expiration, in seconds from the key's creation."""
    return seconds(9, after, critical=True)


def reason(code: int, text: str = "") -> bytes:
    return subpacket(29, bytes((code,)) + text.encode())


def notation(name: str, value: str = "", *, critical: bool = False) -> bytes:
    encoded = name.encode(), value.encode()
    lengths = b"".join(len(part).to_bytes(2) for part in encoded)
    return subpacket(20, b"\x80\0\0\0" + lengths + b"".join(encoded), critical=critical)


def armored(label: str, data: bytes, *headers: str, checksum: bool = True) -> bytes:
    text = base64.b64encode(data).decode()
    lines = [f"-----BEGIN PGP {label}-----", *headers, ""]
    lines += [text[at : at + 64] for at in range(0, len(text), 64)]
    if checksum:
        lines.append("=" + base64.b64encode(crc24(data).to_bytes(3)).decode())
    return "\n".join([*lines, f"-----END PGP {label}-----", ""]).encode()


class SecretKey:
    """A key pair that signs whatever it is told to."""

    def __init__(
        self, algorithm: str = "Ed25519", *, version: int = 4, created: int = T0, bits: int = 2048
    ) -> None:
        self.algorithm, self.version, self.created = algorithm, version, created
        self.native: Any
        material: bytes
        if algorithm == "RSA":
            self.number = 1
            self.native = rsa.generate_private_key(65537, bits)
            numbers = self.native.public_key().public_numbers()
            material = mpi(numbers.n) + mpi(numbers.e)
        elif algorithm == "DSA":
            self.number = 17
            self.native = dsa.generate_private_key(bits)
            public = self.native.public_key().public_numbers()
            group = public.parameter_numbers
            material = b"".join(mpi(number) for number in (group.p, group.q, group.g, public.y))
        elif algorithm in CURVES:
            self.number = 19
            oid, curve = bytes.fromhex(CURVES[algorithm][0]), CURVES[algorithm][1]
            self.native = ec.generate_private_key(curve())
            point = self.native.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
            material = bytes((len(oid),)) + oid + mpi(point)
        elif algorithm in COMPOSITE:
            small = algorithm == COMPOSITE[0]
            self.number = 30 if small else 31
            self.native = (
                (ed25519.Ed25519PrivateKey if small else ed448.Ed448PrivateKey).generate(),
                (mldsa.MLDSA65PrivateKey if small else mldsa.MLDSA87PrivateKey).generate(),
            )
            material = b"".join(half.public_key().public_bytes_raw() for half in self.native)
        elif algorithm == "Ed448":
            self.number = 28
            self.native = ed448.Ed448PrivateKey.generate()
            material = self.native.public_key().public_bytes_raw()
        else:
            self.number = 22 if algorithm == "EdDSA" else 27
            self.native = ed25519.Ed25519PrivateKey.generate()
            material = self.native.public_key().public_bytes_raw()
            if algorithm == "EdDSA":
                material = b"\x09" + bytes.fromhex("2b06010401da470f01") + mpi(b"\x40" + material)
        self.body = self.body_with(material)

    def body_with(self, material: bytes) -> bytes:
        length = len(material).to_bytes(4) if self.version == 6 else b""
        return (
            bytes((self.version,))
            + self.created.to_bytes(4)
            + bytes((self.number,))
            + length
            + material
        )

    @property
    def hashed(self) -> bytes:
        if self.version == 6:
            return b"\x9b" + len(self.body).to_bytes(4) + self.body
        return b"\x99" + len(self.body).to_bytes(2) + self.body

    @property
    def fingerprint(self) -> bytes:
        return hashlib.new("sha256" if self.version == 6 else "sha1", self.hashed).digest()

    @property
    def key_id(self) -> bytes:
        return self.fingerprint[:8] if self.version == 6 else self.fingerprint[-8:]

    def sign_digest(self, digest: bytes, name: str) -> bytes:
        if self.number in (30, 31):
            return b"".join(half.sign(digest) for half in self.native)
        if self.number in (27, 28):
            raw: bytes = self.native.sign(digest)
            return raw
        if self.number == 22:
            raw = self.native.sign(digest)
            return mpi(raw[:32]) + mpi(raw[32:])
        prehashed = Prehashed(HASHES[name][1]())
        if self.number == 1:
            return mpi(self.native.sign(digest, padding.PKCS1v15(), prehashed))
        if self.number == 17:
            made = self.native.sign(digest, prehashed)
        else:
            made = self.native.sign(digest, ec.ECDSA(prehashed))
        return b"".join(mpi(number) for number in decode_dss_signature(made))

    def sign(
        self,
        signed: bytes,
        type_: int = 0,
        *hashed: bytes,
        created: int | None = T0 + DAY,
        digest: str = "sha512",
        unhashed: Sequence[bytes] = (),
        issuer: bool = True,
        salt: bytes | None = None,
        version: int | None = None,
    ) -> bytes:
        """The body of a signature packet over ``signed``."""
        version = version or self.version
        area = b"" if created is None else seconds(2, created, critical=True)
        if issuer:
            area += subpacket(33, bytes((self.version,)) + self.fingerprint)
        area += b"".join(hashed)
        width = 4 if version == 6 else 2
        number, _, salt_size = HASHES[digest]
        head = bytes((version, type_, self.number, number)) + len(area).to_bytes(width) + area
        trailer = head + bytes((version, 0xFF)) + len(head).to_bytes(4)
        if version == 6 and salt is None:
            salt = b"s" * salt_size
        value = hashlib.new(digest, (salt or b"") + signed + trailer).digest()
        outside = b"".join(unhashed)
        if issuer and version == 4:
            outside += subpacket(16, self.key_id)
        return (
            head
            + len(outside).to_bytes(width)
            + outside
            + value[:2]
            + (bytes((len(salt),)) + salt if salt is not None else b"")
            + self.sign_digest(value, digest)
        )

    def sign_version_3(self, signed: bytes, type_: int = 0, *, digest: str = "sha256") -> bytes:
        covered = bytes((type_,)) + (T0 + DAY).to_bytes(4)
        value = hashlib.new(digest, signed + covered).digest()
        return (
            b"\x03\x05"
            + covered
            + self.key_id
            + bytes((self.number, HASHES[digest][0]))
            + value[:2]
            + self.sign_digest(value, digest)
        )


def over_user_id(key: SecretKey, text: bytes) -> bytes:
    """What a certification of a user ID is over."""
    return key.hashed + b"\xb4" + len(text).to_bytes(4) + text


class Cert:
    """A certificate under construction: whatever is added, in the order in which it is added."""

    def __init__(self, primary: SecretKey | None = None) -> None:
        self.primary = primary or SecretKey()
        self.parts = [packet(6, self.primary.body)]

    def raw(self, tag: int, body: bytes) -> Cert:
        self.parts.append(packet(tag, body))
        return self

    def direct(self, *hashed: bytes, type_: int = 0x1F, **options: Any) -> Cert:
        options.setdefault("created", self.primary.created)
        return self.raw(2, self.primary.sign(self.primary.hashed, type_, *hashed, **options))

    def user_id(self, text: str, *hashed: bytes, type_: int = 0x13, **options: Any) -> Cert:
        self.raw(13, text.encode())
        return self.certify(text, *hashed, type_=type_, **options)

    def certify(self, text: str, *hashed: bytes, type_: int = 0x13, **options: Any) -> Cert:
        options.setdefault("created", self.primary.created)
        signed = over_user_id(self.primary, text.encode())
        return self.raw(2, self.primary.sign(signed, type_, *hashed, **options))

    def subkey(self, key: SecretKey, *hashed: bytes, back: bool = True, **options: Any) -> Cert:
        self.raw(14, key.body)
        return self.bind(key, *hashed, back=back, **options)

    def bind(self, key: SecretKey, *hashed: bytes, back: bool = True, **options: Any) -> Cert:
        options.setdefault("created", key.created)
        signed = self.primary.hashed + key.hashed
        if back:
            made = key.sign(signed, 0x19, created=options["created"])
            hashed += (subpacket(32, made),)
        return self.raw(2, self.primary.sign(signed, 0x18, *hashed, **options))

    def revoke(self, *hashed: bytes, key: SecretKey | None = None, **options: Any) -> Cert:
        """Revoke the certificate, or the subkey ``key``."""
        options.setdefault("created", T0 + 10 * DAY)
        signed = self.primary.hashed + (key.hashed if key else b"")
        return self.raw(2, self.primary.sign(signed, 0x28 if key else 0x20, *hashed, **options))

    @property
    def data(self) -> bytes:
        return b"".join(self.parts)


def simple(key: SecretKey | None = None, *, key_flags: int = 0x03) -> Cert:
    """A certificate that may sign, with one user ID."""
    cert = Cert(key)
    if cert.primary.version == 6:
        cert.direct(flags(key_flags))
    return cert.user_id("Alice <alice@example.org>", flags(key_flags))


def one_pass(key: SecretKey, body: bytes, *, last: bool = True, salt: bytes = b"s" * 32) -> bytes:
    """The one-pass packet that announces a signature."""
    middle = bytes((len(salt),)) + salt + key.fingerprint if key.version == 6 else key.key_id
    return packet(
        4,
        bytes((6 if key.version == 6 else 3, body[1], body[3], body[2])) + middle + bytes((last,)),
    )


def literal(text: bytes, form: bytes = b"b") -> bytes:
    return packet(11, form + b"\x01x" + bytes(4) + text)


def message(key: SecretKey, text: bytes, type_: int = 0, **options: Any) -> bytes:
    """A signed message in its usual form."""
    made = key.sign(text, type_, **options)
    return one_pass(key, made) + literal(text) + packet(2, made)


def cleartext(key: SecretKey, text: str, *, signed: bytes | None = None, **options: Any) -> bytes:
    """A cleartext signed document over lines that need no escaping."""
    lines = text.split("\n")
    over = "\r\n".join(line.rstrip(" \t\r") for line in lines).encode()
    made = key.sign(over if signed is None else signed, options.pop("type_", 1), **options)
    return (
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
        + text.encode()
        + b"\n"
        + armored("SIGNATURE", packet(2, made))
    )

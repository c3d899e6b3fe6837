"""Key pairs of minisign (minisign(1), "Secret key format"), encrypted or not."""

from __future__ import annotations

import base64
import hashlib
import os

from assay.crypto.public_key import Family
from assay.model.secret import Secret
from assay.produce.keys.form import KeyForm, malformed, unsupported, wrong_passphrase
from assay.produce.keys.scrypt import Cost, derive
from assay.produce.signing_key import SigningKey
from assay.signatures.ed25519_lines import UNTRUSTED, decode_line, shown_number

_SIZE = 158
_HEAD, _SALT = 6, 32
_HIDDEN = 104
"""Bytes that are encrypted: the number of the pair (8), the private and the public key (32 each),
a digest of these (32)."""
_ED25519, _SCRYPT, _NOT_ENCRYPTED, _BLAKE2B = b"Ed", b"Sc", b"\0\0", b"B2"

OPERATIONS, MEMORY = 1 << 25, 1 << 30
"""What minisign asks of scrypt: libsodium's crypto_pwhash_scryptsalsa208sha256_*LIMIT_SENSITIVE."""


class _Minisign:
    name = "minisign"
    usual_kind = "ed25519"

    def __init__(self, operations: int = OPERATIONS, memory: int = MEMORY) -> None:
        self._operations, self._memory = operations, memory

    def recognise(self, data: bytes) -> bool:
        return _line(data) is not None

    def is_encrypted(self, data: bytes) -> bool:
        return parse(data)[0] is not None

    def read(self, data: bytes, passphrase: Secret | None) -> SigningKey:
        cost, salt, hidden = parse(data)
        if cost is None:
            return _opened(hidden, encrypted=False)
        stream = derive(passphrase or Secret(b""), salt, cost, _HIDDEN)
        return _opened(_xor(hidden, stream), encrypted=True)

    def misfit(self, key: SigningKey) -> str:
        if key.public.family is Family.ED25519:
            return ""
        return f"minisign knows Ed25519 keys alone, and this is an {key.public.name} key"

    def write(self, key: SigningKey, passphrase: Secret | None) -> bytes:
        pair = key.number + key.native.private_bytes_raw() + key.public.spki[-32:]
        plain = pair + _check_value(pair)
        salt, operations, memory = bytes(_SALT), 0, 0
        if passphrase is not None:
            salt, operations, memory = os.urandom(_SALT), self._operations, self._memory
            plain = _xor(plain, derive(passphrase, salt, cost_of(operations, memory), _HIDDEN))
        raw = b"".join(
            (
                _ED25519,
                _NOT_ENCRYPTED if passphrase is None else _SCRYPT,
                _BLAKE2B,
                salt,
                operations.to_bytes(8, "little"),
                memory.to_bytes(8, "little"),
                plain,
            )
        )
        kind = "secret key" if passphrase is None else "encrypted secret key"
        return b"%s minisign %s\n%s\n" % (UNTRUSTED, kind.encode(), base64.b64encode(raw))

    def write_public(self, key: SigningKey) -> bytes:
        raw = _ED25519 + key.number + key.public.spki[-32:]
        shown = shown_number(key.number).encode()
        return b"%s minisign public key %s\n%s\n" % (UNTRUSTED, shown, base64.b64encode(raw))


def parse(data: bytes) -> tuple[Cost | None, bytes, bytes]:
    """What is in a key file: the cost of scrypt (None for a key that is not encrypted), its salt,
    and the 104 bytes that may be encrypted. Raises AssayError (private-key-malformed,
    private-key-unsupported)."""
    raw = _line(data)
    if raw is None:
        raise malformed(f"the file has no line that is base64 of {_SIZE} bytes")
    kdf, digest = raw[2:4], raw[4:6]
    salt = raw[_HEAD : _HEAD + _SALT]
    operations, memory = (
        int.from_bytes(raw[start : start + 8], "little") for start in (_HEAD + _SALT, 46)
    )
    if kdf not in (_SCRYPT, _NOT_ENCRYPTED) or digest != _BLAKE2B:
        raise unsupported(
            "a key that is encrypted in another way", "Sc and B2", f"{kdf!r} and {digest!r}"
        )
    if kdf == _NOT_ENCRYPTED:
        return None, salt, raw[-_HIDDEN:]
    cost = cost_of(operations, memory)
    cost.check()
    return cost, salt, raw[-_HIDDEN:]


def cost_of(operations: int, memory: int) -> Cost:
    """What libsodium's limits mean for scrypt (crypto_pwhash_scryptsalsa208sha256): r is 8, and n
    is the largest power of two for which both limits last."""
    operations, r = max(operations, 32768), 8
    most = operations // (r * 4) if operations < memory // 32 else memory // (r * 128)
    n = 2
    while n <= most // 2 and n < 1 << 62:
        n *= 2
    if operations < memory // 32:
        return Cost(n, r, 1)
    return Cost(n, r, max(1, min(operations // 4 // n, (1 << 30) - 1) // r))


def _line(data: bytes) -> bytes | None:
    lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]
    if len(lines) == 2 and lines[0].startswith(UNTRUSTED):
        del lines[0]
    raw = decode_line(lines[0], _SIZE) if len(lines) == 1 else None
    return raw if raw is not None and raw[:2] == _ED25519 else None


def _opened(plain: bytes, *, encrypted: bool) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pair, check = plain[:72], plain[72:]
    if check != _check_value(pair):
        if encrypted:
            raise wrong_passphrase()
        if any(check):
            raise malformed("the key does not agree with its check value", _HEAD)
    number, secret, public = pair[:8], pair[8:40], pair[40:]
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(secret), number=number)
    if key.public.spki[-32:] != public:
        raise malformed("the private and the public key in the file do not belong together")
    return key


def _check_value(pair: bytes) -> bytes:
    return hashlib.blake2b(_ED25519 + pair, digest_size=32).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


FORM: KeyForm = _Minisign()

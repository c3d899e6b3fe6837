"""PEM: PKCS#8 (RFC 5958), plain or encrypted; the older forms of OpenSSL and those of OpenSSH are
read as well."""

from __future__ import annotations

import base64
import os
import re

from assay.asn1 import pem
from assay.asn1.der import INTEGER, OCTET_STRING, OID, SEQUENCE, encode
from assay.model.secret import Secret
from assay.produce.keys.form import KeyForm, malformed, unsupported, wrong_passphrase
from assay.produce.keys.scrypt import Cost, derive
from assay.produce.signing_key import SigningKey

_BEGIN = re.compile(
    rb"^-----BEGIN ((?:ENCRYPTED |RSA |EC |OPENSSH )?PRIVATE KEY)-----", re.MULTILINE
)
_OPENSSH = b"OPENSSH PRIVATE KEY"

_COST = Cost(1 << 14, 8, 5)
"""16 MiB, five times: OpenSSL refuses to read a key that takes more than 32 MiB."""

_PBES2 = bytes.fromhex("2a864886f70d01050d")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_AES_256_CBC = bytes.fromhex("60864801650304012a")


class _Pkcs8:
    name = "pem"
    usual_kind = "ecdsa-p256"

    def recognise(self, data: bytes) -> bool:
        return _BEGIN.search(data) is not None

    def is_encrypted(self, data: bytes) -> bool:
        label = self._label(data)
        if label == _OPENSSH:
            return _ssh_is_encrypted(data)
        return label.startswith(b"ENCRYPTED") or b"\nProc-Type: 4,ENCRYPTED" in data

    def _label(self, data: bytes) -> bytes:
        found = _BEGIN.findall(data)
        if len(found) != 1:
            raise malformed(f"the file holds {len(found)} private keys, not one")
        return bytes(found[0])

    def read(self, data: bytes, passphrase: Secret | None) -> SigningKey:
        from cryptography.exceptions import InternalError, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import (
            load_pem_private_key,
            load_ssh_private_key,
        )

        load = load_ssh_private_key if self._label(data) == _OPENSSH else load_pem_private_key
        secret = passphrase.reveal() if passphrase is not None else None
        try:
            native = load(data, secret)
        except UnsupportedAlgorithm as error:
            raise unsupported(f"the key is of a kind that is not supported: {error}") from None
        except TypeError:
            kind = "not encrypted" if passphrase is not None else "encrypted"
            raise malformed(f"the key is {kind}, and looks as if it were not") from None
        except ValueError as error:
            if passphrase is not None:
                raise wrong_passphrase() from None
            raise malformed(f"the key cannot be read: {_first_sentence(error)}") from None
        except InternalError:
            raise malformed("the key cannot be read") from None
        return SigningKey(native)

    def misfit(self, key: SigningKey) -> str:
        return ""

    def write(self, key: SigningKey, passphrase: Secret | None) -> bytes:
        der = private_der(key)
        if passphrase is None:
            return pem.encode("PRIVATE KEY", der)
        return pem.encode("ENCRYPTED PRIVATE KEY", _encrypted(der, passphrase))

    def write_public(self, key: SigningKey) -> bytes:
        return public_pem(key)


def private_der(key: SigningKey) -> bytes:
    """PKCS#8 without encryption."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der: bytes = key.native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def read_private_der(der: bytes) -> SigningKey:
    """The key in PKCS#8 without encryption. Raises AssayError (private-key-malformed ...)."""
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return SigningKey(load_der_private_key(der, None))
    except UnsupportedAlgorithm as error:
        raise unsupported(f"the key is of a kind that is not supported: {error}") from None
    except (ValueError, TypeError) as error:
        raise malformed(f"the key cannot be read: {_first_sentence(error)}") from None
    except InternalError:
        # OpenSSL refuses some keys in a way that the library has no other word for
        raise malformed("the key cannot be read") from None


def public_pem(key: SigningKey) -> bytes:
    """SubjectPublicKeyInfo in PEM."""
    return pem.encode("PUBLIC KEY", key.public.spki)


def _first_sentence(error: Exception) -> str:
    return str(error).partition(". ")[0][:200]


def _encrypted(der: bytes, passphrase: Secret) -> bytes:
    """EncryptedPrivateKeyInfo with PBES2 (RFC 8018 section 6.2), scrypt (RFC 7914 section 7) and
    AES-256 in CBC mode: every OpenSSL since 1.1 reads it, and guessing costs more than with the
    2048 rounds of PBKDF2 that are usual."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC
    from cryptography.hazmat.primitives.padding import PKCS7

    salt, vector = os.urandom(16), os.urandom(16)
    encryptor = Cipher(AES256(derive(passphrase, salt, _COST, 32)), CBC(vector)).encryptor()
    padder = PKCS7(128).padder()
    hidden = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    cost = b"".join(_integer(value) for value in (_COST.n, _COST.r, _COST.p))
    kdf = _sequence(encode(OID, _SCRYPT), _sequence(encode(OCTET_STRING, salt), cost))
    cipher = _sequence(encode(OID, _AES_256_CBC), encode(OCTET_STRING, vector))
    scheme = _sequence(encode(OID, _PBES2), _sequence(kdf, cipher))
    return _sequence(scheme, encode(OCTET_STRING, hidden))


def _sequence(*parts: bytes) -> bytes:
    return encode(SEQUENCE, b"".join(parts))


def _integer(value: int) -> bytes:
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _ssh_is_encrypted(data: bytes) -> bool:
    """Whether an OpenSSH key names a cipher (PROTOCOL.key)."""
    body = data.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")[2].partition(b"-----END")[0]
    try:
        head = base64.b64decode(b"".join(body.split())[:64])
    except ValueError:
        return False
    return not head.startswith(b"openssh-key-v1\0\0\0\0\4none")


FORM: KeyForm = _Pkcs8()

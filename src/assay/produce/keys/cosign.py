"""Key pairs of cosign: PKCS#8, encrypted with scrypt and NaCl's secretbox (XSalsa20-Poly1305), in
JSON, in PEM."""

from __future__ import annotations

import base64
import os
import re
from importlib import import_module
from typing import Any

from assay import strict_json
from assay.asn1 import pem
from assay.crypto.public_key import Family
from assay.model.codes import produce as codes
from assay.model.finding import AssayError, UsageError
from assay.model.secret import Secret
from assay.produce.keys.form import KeyForm, malformed, unsupported, wrong_passphrase
from assay.produce.keys.pkcs8 import private_der, public_pem, read_private_der
from assay.produce.keys.scrypt import Cost, derive
from assay.produce.signing_key import SigningKey
from assay.sigstore.fields import Fields

_LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY"
_OLD_LABEL = "ENCRYPTED COSIGN PRIVATE KEY"
_BEGIN = re.compile(rb"^-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----", re.MULTILINE)
_COST = Cost(1 << 16, 8, 1)
_SALT_SIZE = 32
_NONCE_SIZE = 24


class _Cosign:
    name = "cosign"
    usual_kind = "ecdsa-p256"

    def recognise(self, data: bytes) -> bool:
        return _BEGIN.search(data) is not None

    def is_encrypted(self, data: bytes) -> bool:
        return True

    def read(self, data: bytes, passphrase: Secret | None) -> SigningKey:
        cost, salt, nonce, hidden = parse(data)
        box = _secret_box(derive(passphrase or Secret(b""), salt, cost, 32))
        try:
            der: bytes = box.decrypt(hidden, nonce)
        except (ValueError, _nacl("exceptions").CryptoError):
            raise wrong_passphrase() from None
        return read_private_der(der)

    def misfit(self, key: SigningKey) -> str:
        if key.public.family in (Family.ECDSA, Family.RSA, Family.ED25519):
            return ""
        return f"cosign does not know {key.public.name} keys"

    def write(self, key: SigningKey, passphrase: Secret | None) -> bytes:
        salt, nonce = os.urandom(_SALT_SIZE), os.urandom(_NONCE_SIZE)
        box = _secret_box(derive(passphrase or Secret(b""), salt, _COST, 32))
        hidden = box.encrypt(private_der(key), nonce).ciphertext
        return wrapped(_COST, salt, nonce, hidden)

    def write_public(self, key: SigningKey) -> bytes:
        return public_pem(key)


def parse(data: bytes) -> tuple[Cost, bytes, bytes, bytes]:
    """What is in a key file: the cost and the salt of scrypt, the nonce, and what is encrypted.
    Raises AssayError (private-key-malformed, private-key-unsupported)."""
    blocks = list(pem.blocks(data, codes.PRIVATE_KEY_MALFORMED))
    if [block.label for block in blocks] not in ([_LABEL], [_OLD_LABEL]):
        raise malformed("the file does not hold one private key of cosign, and that alone")
    [block] = blocks
    try:
        value = strict_json.parse(block.data, "the key")
    except AssayError as error:
        raise malformed(f"the key: {error.finding.detail}", block.offset) from error
    top = Fields(value, "", codes.PRIVATE_KEY_MALFORMED)
    kdf, cipher = top.object("kdf"), top.object("cipher")
    if kdf.text("name") != "scrypt" or cipher.text("name") != "nacl/secretbox":
        raise unsupported(
            "a key that is encrypted in another way",
            "scrypt and nacl/secretbox",
            f"{kdf.text('name')[:40]!r} and {cipher.text('name')[:40]!r}",
        )
    params = kdf.object("params")
    cost = Cost(params.count("N"), params.count("r"), params.count("p"))
    cost.check()
    salt, nonce = kdf.some_data("salt"), cipher.some_data("nonce")
    if len(nonce) != _NONCE_SIZE:
        raise malformed(f"a nonce of {len(nonce)} bytes, not {_NONCE_SIZE}", block.offset)
    return cost, salt, nonce, top.some_data("ciphertext")


def wrapped(cost: Cost, salt: bytes, nonce: bytes, hidden: bytes) -> bytes:
    """A key file, of what `parse` reads from it."""
    import json

    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    document = {
        "kdf": {
            "name": "scrypt",
            "params": {"N": cost.n, "r": cost.r, "p": cost.p},
            "salt": text(salt),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)},
        "ciphertext": text(hidden),
    }
    return pem.encode(_LABEL, json.dumps(document, separators=(",", ":")).encode())


def _nacl(part: str) -> Any:
    try:
        return import_module(f"nacl.{part}")
    except ImportError:
        raise UsageError(
            "keys of cosign need the library PyNaCl: pip install 'assay[cosign]'"
        ) from None


def _secret_box(key: bytes) -> Any:
    return _nacl("secret").SecretBox(key)


FORM: KeyForm = _Cosign()

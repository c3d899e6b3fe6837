"""SSH signatures, as ``ssh-keygen -Y sign`` makes them (OpenSSH, PROTOCOL.sshsig)."""

from __future__ import annotations

import base64
import textwrap

from assay.crypto.algorithms import Ecdsa, EdDsa, RsaPkcs1, SignatureAlgorithm
from assay.crypto.public_key import Family
from assay.model.finding import UsageError
from assay.model.measurement import HashRequest, Request
from assay.produce.formats.model import Answers, SignatureFormat, Wishes, without_choice
from assay.produce.signing_key import SigningKey
from assay.signatures.ssh.sshsig import BEGIN, END, MAGIC, signed_bytes
from assay.signatures.ssh.wire import string

_DIGEST = "sha512"
_REQUEST = HashRequest(_DIGEST)
_CURVES = {"ECDSA P-256": "sha256", "ECDSA P-384": "sha384", "ECDSA P-521": "sha512"}


class _Ssh:
    name = "ssh"
    suffix = ".sig"
    about = "for ssh-keygen -Y verify"

    def misfit(self, key: SigningKey) -> str:
        family = key.public.family
        if family in (Family.ED25519, Family.RSA) or key.public.name in _CURVES:
            return ""
        return f"SSH has no {key.public.name} keys"

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        without_choice(wishes, "SSH")
        if not wishes.namespace or not wishes.namespace.isprintable():
            raise UsageError("--ssh-namespace: what the signature is for, such as file or git")
        return (_REQUEST,)

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        namespace = wishes.namespace.encode()
        message = signed_bytes(namespace, b"", _DIGEST, answers[_REQUEST])
        raw = b"".join(
            (
                MAGIC,
                (1).to_bytes(4),
                string(public_blob(key)),
                string(namespace),
                string(b""),
                string(_DIGEST.encode()),
                string(_signature(key, message)),
            )
        )
        lines = textwrap.wrap(base64.b64encode(raw).decode(), 70)
        return b"\n".join((BEGIN, *(line.encode() for line in lines), END, b""))


def public_blob(key: SigningKey) -> bytes:
    """The public key as it stands in an SSH signature, and in base64 in a ``.pub`` file."""
    return base64.b64decode(public_line(key).split()[1])


def public_line(key: SigningKey) -> bytes:
    """The line of a ``.pub`` file. Raises UsageError for a key that SSH does not have."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if misfit := FORMAT.misfit(key):
        raise UsageError(misfit)
    line: bytes = key.public.native.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return line


def _signature(key: SigningKey, message: bytes) -> bytes:
    """A signature with the name of its algorithm in front (RFC 8332, RFC 5656, RFC 8709)."""
    algorithm: SignatureAlgorithm
    if key.public.family is Family.ED25519:
        return string(b"ssh-ed25519") + string(key.sign_bytes(message, EdDsa()))
    if key.public.family is Family.RSA:
        algorithm = RsaPkcs1("sha512")
        return string(b"rsa-sha2-512") + string(key.sign_bytes(message, algorithm))
    algorithm = Ecdsa(_CURVES[key.public.name], "p1363")
    value = key.sign_bytes(message, algorithm)
    width = len(value) // 2
    name = public_line(key).split()[0]
    return string(name) + string(_mpint(value[:width]) + _mpint(value[width:]))


def _mpint(number: bytes) -> bytes:
    value = int.from_bytes(number)
    return string(value.to_bytes(value.bit_length() // 8 + 1))


FORMAT: SignatureFormat = _Ssh()

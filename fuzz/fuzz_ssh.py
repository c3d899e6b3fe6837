"""Fuzz target: SSH signatures, keys, allowed signers and revocation lists of any content."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.model.finding import AssayError, UsageError
from assay.signatures.ssh import revocation
from assay.signatures.ssh.patterns import in_list
from assay.signatures.ssh.scheme import SCHEME_PLUGIN

_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_RAW = _PRIVATE.public_key().public_bytes_raw()


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def seeds() -> Iterable[bytes]:
    """A signature and what is around it: certificate, allowed signers, revocation list."""
    kind = b"ssh-ed25519"
    key = _string(kind) + _string(_RAW)
    fields = [_string(part) for part in (b"file", b"", b"sha512")]
    over = b"SSHSIG" + b"".join(fields) + _string(hashlib.sha512(b"message").digest())
    signature = _string(_string(kind) + _string(_PRIVATE.sign(over)))
    body = _string(kind + b"-cert-v01@openssh.com") + _string(bytes(32)) + _string(_RAW)
    body += bytes(8) + (1).to_bytes(4) + _string(b"id") + _string(_string(b"alice"))
    body += bytes(8) + b"\xff" * 8 + _string(_string(b"force-command") + _string(b"x"))
    body += _string(b"") + _string(b"") + _string(key)
    certificate = body + _string(_string(kind) + _string(_PRIVATE.sign(body)))
    for public in (key, certificate):
        yield b"SSHSIG" + (1).to_bytes(4) + _string(public) + b"".join(fields) + signature
    line = kind + b" " + base64.b64encode(key)
    yield line + b" comment\n"
    yield b'alice,!bob namespaces="git,file",valid-before="20300101Z" ' + line + b"\n"
    yield b"* cert-authority " + line + b"\n"
    serials = _string(key) + _string(b"") + b"\x20" + _string((5).to_bytes(8))
    serials += b"\x22" + _string(bytes(8) + _string(b"\x55")) + b"\x23" + _string(_string(b"id"))
    yield bytes(24) + _string(b"") + _string(b"comment") + b"\1" + _string(serials)


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for keys, is a defect."""
    SCHEME_PLUGIN.recognise(data)
    body = base64.b64encode(data)
    armoured = b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"
    for attempt in (data, armoured):
        with contextlib.suppress(AssayError):
            SCHEME_PLUGIN.prepare(attempt, "file", "signature", "")
    for keys in (data, b"alice " + data, b"ssh-ed25519 " + body):
        with contextlib.suppress(UsageError):
            SCHEME_PLUGIN.load_keys(keys, "key:1")
    for listing in (data, b"SSHKRL\n\0\0\0\0\1" + data):
        with contextlib.suppress(UsageError):
            revocation.read(listing)
    text, _, patterns = data.decode("utf-8", "replace").partition("\n")
    in_list(text, patterns)

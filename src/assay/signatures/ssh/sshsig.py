"""The signature file (PROTOCOL.sshsig): its armour, its fields, and the bytes that are signed."""

from __future__ import annotations

from msgspec import Struct

from assay import strict_base64
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.signatures.ssh import certificate
from assay.signatures.ssh.certificate import Certificate
from assay.signatures.ssh.keys import SshKey, SshSignature, plain_type, read_key, read_signature
from assay.signatures.ssh.wire import Reader, WireError, string

BEGIN, END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
_VERSION = 1
DIGESTS = ("sha256", "sha512")
"""Digest algorithms of the message that the specification allows."""


class Parsed(Struct, frozen=True):
    """A signature file's fields. ``namespace`` and ``digest`` are signed as well."""

    key: SshKey
    certificate: Certificate | None
    untrusted_namespace: bytes
    untrusted_reserved: bytes
    untrusted_digest: str
    signature: SshSignature

    @property
    def namespace(self) -> str:
        """The namespace as text; bytes of it that are no UTF-8 are surrogates."""
        return self.untrusted_namespace.decode("utf-8", "surrogateescape")

    def signed_bytes(self, value: bytes) -> bytes:
        """What the signature is over, where ``value`` is the digest of the message."""
        return signed_bytes(
            self.untrusted_namespace, self.untrusted_reserved, self.untrusted_digest, value
        )


def signed_bytes(namespace: bytes, reserved: bytes, digest: str, value: bytes) -> bytes:
    """What a signature is over: ``value`` is the digest of the message, ``digest`` its name."""
    parts = (namespace, reserved, digest.encode("ascii"), value)
    return MAGIC + b"".join(map(string, parts))


def _malformed(what: str, detail: str, offset: int | None = None) -> AssayError:
    return AssayError(
        Finding.of(
            codes.SIGNATURE_MALFORMED,
            what,
            f"the SSH signature: {detail}",
            offset=offset,
            cause="a truncated or damaged download",
        )
    )


def _unarmoured(data: bytes, what: str) -> bytes:
    lines = data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    if lines[0] != BEGIN or lines[-1] != END or len(lines) < 3:
        raise _malformed(what, "does not begin and end with the two lines that it must have")
    raw = strict_base64.decode(b"".join(lines[1:-1]))
    if raw is None:
        raise _malformed(what, "what is between the two lines is not base64")
    return raw


def parse(data: bytes, what: str) -> Parsed:
    """Read a signature file called ``what``. Offsets in errors are in its decoded content.

    Raises AssayError (signature-malformed, signature-unsupported, weak-signature, key-malformed).
    """
    raw = _unarmoured(data, what)
    reader = Reader(raw)
    try:
        if reader.take(len(MAGIC)) != MAGIC:
            raise _malformed(what, "does not start with SSHSIG", 0)
        version = reader.number(4)
        if version != _VERSION:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_UNSUPPORTED,
                    what,
                    f"an SSH signature of version {version}",
                    expected=f"version {_VERSION}",
                    actual=f"version {version}",
                    offset=len(MAGIC),
                )
            )
        at = reader.at + 4
        blob = reader.string()
        named: Certificate | None = None
        if plain_type(Reader(blob, at).text()):
            named = certificate.read(blob, what, at)
            key = named.key
        else:
            key = read_key(blob, what, at)
        namespace, reserved, digest = reader.string(), reader.string(), reader.text()
        if not namespace:
            raise reader.fail("an empty namespace")
        if digest not in DIGESTS:
            raise reader.fail(f"the digest {digest[:40]!r} of the message is not one of {DIGESTS}")
        signature = read_signature(reader.inside(), key, what)
        reader.finish()
    except WireError as error:
        raise _malformed(what, f"{error}", error.offset) from error
    return Parsed(key, named, namespace, reserved, digest, signature)

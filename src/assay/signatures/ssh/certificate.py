"""OpenSSH certificates (PROTOCOL.certkeys): a key, and what an authority says of its holder."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from assay.signatures.ssh.keys import (
    SshKey,
    made,
    plain_type,
    read_fields,
    read_key,
    read_signature,
)
from assay.signatures.ssh.wire import Reader

USER = 1
FOREVER = 2**64 - 1
_MOST = 256
"""Principals, and options: OpenSSH's own bound on principals."""


class Certificate(Struct, frozen=True):
    """A certificate whose signature by ``authority`` is right; whether the authority is trusted is
    another question. Times are seconds since 1970, the last one excluded; ``options`` are critical;
    bytes of ``key_id`` that are no UTF-8 are surrogates.
    """

    key: SshKey
    serial: int
    kind: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    options: dict[str, bytes]
    extensions: dict[str, bytes]
    authority: SshKey

    def valid_at(self, at: datetime) -> bool:
        return self.valid_after <= at.timestamp() < self.valid_before

    @property
    def validity(self) -> str:
        """From when to when, for people."""
        return f"from {moment(self.valid_after)} to {moment(self.valid_before)}"


def moment(seconds: int) -> str:
    """A time, for people."""
    if seconds >= FOREVER:
        return "forever"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds after 1970"


def read(blob: bytes, what: str, offset: int = 0) -> Certificate:
    """Read a certificate and check that its authority made it.

    Raises WireError when it is malformed or not by the authority that it names, AssayError when a
    key in it is weak or not supported.
    """
    reader = Reader(blob, offset)
    name = reader.text()
    reader.string()  # the nonce
    key = read_fields(reader, plain_type(name), what)
    serial, kind = reader.number(8), reader.number(4)
    key_id = reader.string().decode("utf-8", "surrogateescape")
    principals = _names(reader.inside())
    valid_after, valid_before = reader.number(8), reader.number(8)
    options, extensions = _options(reader.inside()), _options(reader.inside())
    reader.string()  # reserved
    at = reader.at
    authority_blob = reader.string()
    if plain_type(Reader(authority_blob, offset + at + 4).text()):
        raise reader.fail("a certificate signed by another certificate")
    authority = read_key(authority_blob, what, offset + at + 4)
    signed = reader.data[: reader.at]
    signature = read_signature(reader.inside(), authority, what)
    if not made(authority, signature, signed):
        raise reader.fail("a certificate that the authority named in it did not sign")
    reader.finish()
    return Certificate(
        key,
        serial,
        kind,
        key_id,
        principals,
        valid_after,
        valid_before,
        options,
        extensions,
        authority,
    )


def _names(reader: Reader) -> tuple[str, ...]:
    found: list[str] = []
    while reader.more:
        if len(found) >= _MOST:
            raise reader.fail(f"more than {_MOST} principals")
        raw = reader.string()
        try:
            found.append(raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise reader.fail("a principal that is not UTF-8") from None
    return tuple(found)


def _options(reader: Reader) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while reader.more:
        name = reader.text()
        if len(found) >= _MOST or name in found:
            raise reader.fail(f"the option {name[:60]!r} twice, or more than {_MOST} options")
        found[name] = reader.string()
    return found

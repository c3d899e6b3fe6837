"""Revoked keys: OpenSSH's key revocation lists (PROTOCOL.krl), and plain lists of public keys."""

from __future__ import annotations

import hashlib
from bisect import bisect_right

from assay import limits
from assay.model.finding import AssayError, UsageError
from assay.signatures.ssh import certificate as certificates
from assay.signatures.ssh.allowed_signers import key_at
from assay.signatures.ssh.certificate import Certificate
from assay.signatures.ssh.keys import SshKey, plain_type
from assay.signatures.ssh.wire import Reader, WireError
from assay.signatures.trial import printable

KEY_SCHEME = "ssh-revoked"
"""The `Key.scheme` of a list of revoked keys: it vouches for nothing, and takes others away."""

_MAGIC = b"SSHKRL\n\0"
_VERSION = 1
_CERTIFICATES, _KEYS, _SHA1, _SIGNATURE, _SHA256, _EXTENSION = 1, 2, 3, 4, 5, 255
_SERIALS, _RANGE, _BITMAP, _KEY_IDS, _CERTIFICATE_EXTENSION = 0x20, 0x21, 0x22, 0x23, 0x39


class _Certified:
    """What is revoked of one authority: ranges of serial numbers (last one included), key ids."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.key_ids: set[bytes] = set()

    def sort(self) -> None:
        merged: list[tuple[int, int]] = []
        for first, last in sorted(self.ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        self.ranges = merged

    def has(self, certificate: Certificate) -> bool:
        if certificate.key_id.encode("utf-8", "surrogateescape") in self.key_ids:
            return True
        at = bisect_right(self.ranges, (certificate.serial, 2**64)) - 1
        # Serial number 0 means that the authority does not number its certificates.
        return certificate.serial > 0 and at >= 0 and certificate.serial <= self.ranges[at][1]


class Revoked:
    """Which keys and certificates are revoked."""

    def __init__(self) -> None:
        self.blobs: set[bytes] = set()
        self.sha1: set[bytes] = set()
        self.sha256: set[bytes] = set()
        self.certified: dict[bytes, _Certified] = {}
        """By the authority's key; the empty one is any authority."""

    def _has_key(self, blob: bytes) -> bool:
        return (
            blob in self.blobs
            or hashlib.sha256(blob).digest() in self.sha256
            or hashlib.sha1(blob, usedforsecurity=False).digest() in self.sha1
        )

    def reason(self, key: SshKey, certificate: Certificate | None) -> str:
        """Why a signature by this key does not count any more, for people; empty when it does."""
        if self._has_key(key.blob):
            return "the key is on the list of revoked keys"
        if certificate is None:
            return ""
        if self._has_key(certificate.authority.blob):
            return "the authority's key is on the list of revoked keys"
        for authority in (certificate.authority.blob, b""):
            if authority in self.certified and self.certified[authority].has(certificate):
                return (
                    f"the certificate {printable(certificate.key_id, 100)!r} with serial number"
                    f" {certificate.serial} is revoked"
                )
        return ""


def read(data: bytes) -> Revoked:
    """Read a list of revoked keys. Raises UsageError: a list that is not understood in full
    cannot be relied on."""
    revoked = Revoked()
    if data.startswith(_MAGIC):
        try:
            _read_krl(Reader(data), revoked)
        except WireError as error:
            raise UsageError(f"the key revocation list at byte {error.offset}: {error}") from error
        return revoked
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        text = line.strip(" \t\r")
        if text and not text.startswith("#"):
            revoked.blobs.add(_plain_blob(text, number))
    return revoked


def _plain_blob(line: str, number: int) -> bytes:
    """The key of a line; of a certificate, the key that it is about."""
    blob = key_at(line, 0)
    try:
        if blob is not None and plain_type(Reader(blob).text()):
            blob = certificates.read(blob, "").key.blob
    except (WireError, AssayError):
        blob = None
    if blob is None:
        raise UsageError(f"line {number} of the list of revoked keys is no public key")
    return blob


def _read_krl(reader: Reader, revoked: Revoked) -> None:
    reader.take(len(_MAGIC))
    version = reader.number(4)
    if version != _VERSION:
        raise reader.fail(f"version {version}, and {_VERSION} is known")
    reader.take(24)  # the list's own version, its date, flags
    reader.string()  # reserved
    reader.string()  # a comment
    while reader.more:
        kind = reader.number(1)
        section = reader.inside()
        if kind == _CERTIFICATES:
            _read_certificates(section, revoked)
        elif kind == _KEYS:
            revoked.blobs.update(_strings(section))
        elif kind == _SHA1:
            revoked.sha1.update(_strings(section, 20))
        elif kind == _SHA256:
            revoked.sha256.update(_strings(section, 32))
        elif kind == _EXTENSION:
            _pass_over(section)
        elif kind == _SIGNATURE:
            # The user vouches for the file; OpenSSH has given up signatures in it as well.
            reader.string()
        else:
            raise reader.fail(f"a section of the unknown kind {kind}")
    for certified in revoked.certified.values():
        certified.sort()


def _strings(section: Reader, size: int | None = None) -> list[bytes]:
    found = []
    while section.more:
        found.append(section.string())
        if size is not None and len(found[-1]) != size:
            raise section.fail(f"a digest of {len(found[-1])} bytes, not {size}")
    return found


def _pass_over(section: Reader) -> None:
    """An extension may be passed over unless it says that it is critical."""
    name, critical = section.string(), section.number(1)
    section.string()
    section.finish()
    if critical:
        raise section.fail(f"a critical extension {name[:60]!r} that is not known")


def _read_certificates(section: Reader, revoked: Revoked) -> None:
    authority = section.string()
    section.string()  # reserved
    certified = revoked.certified.setdefault(authority, _Certified())
    while section.more:
        kind = section.number(1)
        part = section.inside()
        if kind == _SERIALS:
            while part.more:
                serial = part.number(8)
                certified.ranges.append((serial, serial))
        elif kind == _RANGE:
            first, last = part.number(8), part.number(8)
            part.finish()
            if first > last:
                raise part.fail("a range of serial numbers that runs backwards")
            certified.ranges.append((first, last))
        elif kind == _BITMAP:
            offset, bits = part.number(8), part.positive()
            part.finish()
            if bits.bit_length() > limits.SSH_BITMAP_BITS:
                raise part.fail(f"a bitmap of more than {limits.SSH_BITMAP_BITS} bits")
            certified.ranges += [
                (offset + at, offset + at)
                for at, bit in enumerate(reversed(f"{bits:b}"))
                if bit == "1"
            ]
        elif kind == _KEY_IDS:
            certified.key_ids.update(_strings(part))
        elif kind == _CERTIFICATE_EXTENSION:
            _pass_over(part)
        else:
            raise section.fail(f"certificates of the unknown kind 0x{kind:02x}")

"""The certificates built into a kernel, found in its uncompressed bytes.

A kernel image has no table that leads to them, and its symbols are gone. What is left is the
layout of certs/system_certificates.S: the certificates in DER, one right behind the other; then, at
the next multiple of 8 bytes (perhaps behind room for one more), the length of them all and the
length of the first part of them, which is the key that modules were signed with when the kernel was
built. Certificates in a row count as the keyring only where both numbers are there and right. So
the list of revoked certificates (certs/revocation_certificates.S), which has one number alone, is
none, and neither are certificates of drivers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from assay import limits
from assay.linux.image import KernelImage, ReadAt, read_image
from assay.measure.inflate import inflater_for
from assay.model.codes import linux as codes
from assay.model.codes.content import LIMIT_EXCEEDED, SIZE_MISMATCH
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.x509.certificate import Certificate, read_certificate

_VERSION_3 = b"\xa0\x03\x02\x01\x02\x02"
"""What follows the two headers of a certificate: version 3, and the tag of the serial number."""
_BANNER = re.compile(rb"Linux version ([0-9][!-~]{0,200}) [ -~]{0,400}")
_ROOM = 64 * limits.KIB
"""The most that may lie between the certificates and their lengths."""
_AHEAD = limits.KERNEL_KEYRING + limits.CERTIFICATE_SIZE + _ROOM + 64
_STEP = 4 * limits.MIB


class Placed(Struct, frozen=True):
    """A certificate, and its offset in the uncompressed kernel."""

    offset: int
    certificate: Certificate


class Keyring(Struct, frozen=True):
    """What was found in a kernel. ``keys`` are the certificates of its built-in keyring, in their
    order, and ``others`` those that are elsewhere in it (revoked ones, of drivers). ``problem``
    says why there are no ``keys``. ``banner`` is how the kernel calls itself."""

    keys: tuple[Placed, ...]
    others: tuple[Placed, ...]
    problem: str = ""
    banner: str = ""

    @property
    def release(self) -> str:
        """The release (``uname -r``); empty where the kernel does not tell."""
        return self.banner.split(" ")[2] if self.banner else ""


class _Run(Struct):
    """Certificates one right behind the other."""

    start: int
    end: int
    found: list[Placed]
    listed: bool = False


class KeyringScanner:
    """Takes the bytes of an uncompressed kernel as they go by."""

    def __init__(self) -> None:
        self._data = b""
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._base = 0
        self._runs: list[_Run] = []
        self._count = 0
        self._marks = 0
        self._banner = ""
        self.size = 0

    def update(self, data: memoryview) -> None:
        """Take the next bytes. Raises AssayError (limit) beyond `limits.KERNEL_SIZE`."""
        self.size += len(data)
        if self.size > limits.KERNEL_SIZE:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail=f"a kernel of over {limits.KERNEL_SIZE} bytes")
            )
        self._pieces.append(bytes(data))
        self._waiting += len(data)
        if self._waiting >= _STEP:
            self._scan(last=False)

    def finish(self) -> Keyring:
        """What was found, after the last byte."""
        self._scan(last=True)
        lists = [run for run in self._runs if run.listed]
        others = [each for run in self._runs if run not in lists for each in run.found]
        problem = ""
        if len(lists) != 1:
            every = [each for run in self._runs for each in run.found]
            if lists:
                problem = f"{len(lists)} lists of certificates are in it, and it has one"
            elif every:
                problem = f"{len(every)} certificates are in it, none of them in a list of its own"
            else:
                problem = "no certificates are in it"
            return Keyring((), tuple(every), problem, self._banner)
        return Keyring(tuple(lists[0].found), tuple(others), "", self._banner)

    def _scan(self, *, last: bool) -> None:
        data = self._data + b"".join(self._pieces)
        self._pieces, self._waiting = [], 0
        end = len(data) if last else max(len(data) - _AHEAD, 0)
        if not self._banner and (match := _BANNER.search(data)):
            self._banner = printable(match[0], 500)
        at = 0
        while (at := data.find(_VERSION_3, at, end + len(_VERSION_3))) >= 0:
            at += 1
            self._marks += 1
            if self._marks > limits.KERNEL_CANDIDATES:
                detail = "bytes like those of certificates are all over the kernel"
                raise AssayError(Finding.of(LIMIT_EXCEEDED, detail=detail))
            for start in _starts(data, at - 1):
                if self._runs and self._base + start < self._runs[-1].end:
                    continue
                run = self._run(data, start)
                if run is not None:
                    self._runs.append(run)
                    break
        keep = min(max(end - 16, 0), len(data))
        self._data, self._base = data[keep:], self._base + keep

    def _run(self, data: bytes, start: int) -> _Run | None:
        """The certificates that begin here. Raises AssayError (limit) where there are too many."""
        at, found = start, list[Placed]()
        while at - start <= limits.KERNEL_KEYRING and (length := _length(data, at)):
            try:
                certificate = read_certificate(data[at : at + length])
            except AssayError:
                break
            found.append(Placed(self._base + at, certificate))
            at += length
        if not found:
            return None
        self._count += len(found)
        if self._count > limits.KERNEL_CERTIFICATES:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"more than {limits.KERNEL_CERTIFICATES} certificates in a kernel",
                )
            )
        listed = _is_listed(data, self._base, at, at - start, len(found[0].certificate.der))
        return _Run(self._base + start, self._base + at, found, listed)


def _starts(data: bytes, mark: int) -> list[int]:
    """Where the certificate may begin whose version stands at ``mark``: behind two headers."""
    return [
        mark - inner - outer
        for inner in (4, 3, 2)
        if _is_header(data, mark - inner, inner)
        for outer in (4, 3)
        if _is_header(data, mark - inner - outer, outer)
    ]


def _is_header(data: bytes, at: int, size: int) -> bool:
    """Whether the header of a SEQUENCE of this many bytes stands here."""
    if at < 0 or data[at] != 0x30:
        return False
    return data[at + 1] < 0x80 if size == 2 else data[at + 1] == 0x7E + size


def _length(data: bytes, at: int) -> int:
    """The length of the element that begins here, header included; 0 where it can be none."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0x30 or head[1] not in (0x81, 0x82):
        return 0
    octets = head[1] & 0x7F
    length = 2 + octets + int.from_bytes(head[2 : 2 + octets], "big")
    return length if at + length <= len(data) else 0


def _is_listed(data: bytes, base: int, end: int, total: int, first: int) -> bool:
    """Whether the two lengths follow the certificates that end at ``end``."""
    at = end + -(base + end) % 8
    if any(data[end:at]):
        return False
    records = _records(total, first)
    for place in range(at, at + _ROOM, 8):
        record = data[place : place + 16]
        if len(record) < 16:
            return False
        if record in records:
            return True
        if any(record[:8]):
            return False
    return False


def _records(total: int, first: int) -> Sequence[bytes]:
    """How the two lengths are written: in 8 or 4 bytes, in either order of bytes."""
    return [
        total.to_bytes(width, order).ljust(8, b"\0") + first.to_bytes(width, order).ljust(8, b"\0")
        for width in (8, 4)
        for order in ("little", "big")
    ]


def read_keyring(read_at: ReadAt, size: int) -> tuple[KernelImage, Keyring]:
    """The certificates in a kernel image of ``size`` bytes. Raises AssayError as
    `assay.linux.image.read_image` does, or where it cannot be decompressed."""
    image = read_image(read_at, size)
    scanner = KeyringScanner()
    feed = scanner.update
    inflater = inflater_for(image.transform, feed) if image.transform else None
    at, end = image.payload
    while at < end:
        piece = read_at(at, min(limits.READ_CHUNK, end - at))
        if not piece:
            raise AssayError(
                Finding.of(codes.KERNEL_MALFORMED, detail="it ends within its kernel", offset=at)
            )
        (inflater.update if inflater is not None else feed)(memoryview(piece))
        at += len(piece)
    if inflater is not None:
        inflater.finish()
    keyring = scanner.finish()
    if image.size is not None and image.size != scanner.size % (1 << 32):
        raise AssayError(
            Finding.of(
                SIZE_MISMATCH,
                detail="the kernel is not of the size that its image says",
                expected=f"{image.size} bytes",
                actual=f"{scanner.size} bytes",
            )
        )
    return image, keyring

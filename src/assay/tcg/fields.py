"""Little-endian fields of the structures that events hold."""

from __future__ import annotations

from assay import limits
from assay.printable import printable
from assay.uefi.guid import read_guid


class TooShort(Exception):  # noqa: N818
    """The data end within the structure that they should hold. It never leaves this package."""


class Fields:
    """Goes through a structure. Every method raises TooShort at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        found = self._data[self.at : self.at + length]
        if len(found) < length:
            raise TooShort
        self.at += length
        return found

    def number(self, size: int) -> int:
        """The next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def guid(self) -> str:
        return read_guid(self.take(16))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self.at)


def ascii_text(data: bytes) -> str:
    """Text without its final NUL, made safe to show."""
    return printable(data.rstrip(b"\0"), limits.TCG_SHOWN)


def wide_text(data: bytes) -> str:
    """UTF-16 text without its final NUL, made safe to show."""
    even = data[: len(data) // 2 * 2]
    return printable(even.decode("utf-16-le", "replace").rstrip("\0"), limits.TCG_SHOWN)


def some_text(data: bytes) -> str:
    """Text in whichever of the two forms it is; bytes that are neither in hexadecimal digits."""
    plain = data.rstrip(b"\0")
    if len(data) >= 4 and not len(data) % 2 and data[1] == 0:
        found = data.decode("utf-16-le", "replace").rstrip("\0")
        if found.isprintable():
            return printable(found, limits.TCG_SHOWN)
    try:
        if plain and plain.decode("utf-8").replace("\n", "").replace("\t", "").isprintable():
            return printable(plain, limits.TCG_SHOWN)
    except UnicodeDecodeError:
        pass
    return hexadecimal(data)


def hexadecimal(data: bytes) -> str:
    """The first bytes as digits, and how many there are where that is not all."""
    shown = data[: limits.TCG_SHOWN_BYTES].hex()
    return shown if len(data) <= limits.TCG_SHOWN_BYTES else f"{shown}... ({len(data)} bytes)"

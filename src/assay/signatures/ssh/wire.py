"""The data types of SSH (RFC 4251 section 5), read strictly."""

from __future__ import annotations


class WireError(ValueError):
    """The bytes are not what they should be. ``offset`` is where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Reader:
    """Reads one value after the other. Every method raises WireError."""

    def __init__(self, data: bytes, offset: int = 0) -> None:
        """``offset`` is where ``data`` stands in what errors speak of."""
        self.data = data
        self.at = 0
        self._offset = offset

    def fail(self, message: str) -> WireError:
        """The error for what comes next; the caller raises it."""
        return WireError(message, self._offset + self.at)

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise self.fail(f"{count} bytes expected, {len(self.data) - self.at} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size))

    def string(self) -> bytes:
        return self.take(self.number(4))

    def inside(self) -> Reader:
        """What is in the string that comes next."""
        raw = self.string()
        return Reader(raw, self._offset + self.at - len(raw))

    def text(self) -> str:
        """A string of printable ASCII, as names of algorithms are."""
        start = self.at
        raw = self.string()
        if not raw.isascii() or not raw.decode("ascii").isprintable():
            self.at = start
            raise self.fail("a name that is not printable ASCII")
        return raw.decode("ascii")

    def positive(self) -> int:
        """An mpint above zero, in its shortest form."""
        start = self.at
        raw = self.string()
        if not raw or raw[0] & 0x80 or (raw[0] == 0 and (len(raw) == 1 or not raw[1] & 0x80)):
            self.at = start
            raise self.fail("a number that is not positive or not in its shortest form")
        return int.from_bytes(raw)

    def finish(self) -> None:
        if self.more:
            raise self.fail(f"{len(self.data) - self.at} bytes too many")


def string(data: bytes) -> bytes:
    """A string as it is written."""
    return len(data).to_bytes(4) + data

"""CBOR as a verifier must read it (RFC 8949): one reading only.

Lengths are definite and in their shortest form, no map has a key twice, and nothing follows the
end. Numbers with a fraction are refused, as nothing that is read here has any.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from assay import limits
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_CONSTANTS = {20: False, 21: True, 22: None}
_SHORTEST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
"""The least argument that needs the bytes which follow an initial byte (RFC 8949 section 3)."""


class Tagged(NamedTuple):
    """A value with a tag number before it (RFC 8949 section 3.4)."""

    tag: int
    value: Any


def parse(data: bytes, what: str) -> Any:
    """The one value that ``data`` is: int, bytes, str, list, dict, bool, None or `Tagged`. Keys of
    maps are numbers, text or bytes. ``what`` names the document in errors.

    Raises AssayError (malformed, limit-exceeded), with the offset.
    """
    reader = _Reader(data, what)
    value = reader.value(0)
    if reader.position != len(data):
        raise reader.fail(f"{len(data) - reader.position} bytes follow the end")
    return value


class _Reader:
    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._what = data, what
        self.position = 0
        self._items = 0

    def fail(self, detail: str, offset: int | None = None) -> AssayError:
        where = self.position if offset is None else offset
        return AssayError(
            Finding.of(codes.MALFORMED, self._what, f"not strict CBOR: {detail}", offset=where)
        )

    def _limit(self, detail: str) -> AssayError:
        return AssayError(
            Finding.of(codes.LIMIT_EXCEEDED, self._what, detail, offset=self.position)
        )

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise self.fail(f"cut short: {size} bytes are announced")
        found = self._data[self.position : end]
        self.position = end
        return found

    def _head(self) -> tuple[int, int, int]:
        """Major type, additional information and argument (RFC 8949 section 3)."""
        start = self.position
        initial = self._take(1)[0]
        major, information = initial >> 5, initial & 0x1F
        if information < 24:
            return major, information, information
        if information == 31:
            raise self.fail("an indefinite length", start)
        if information > 27:
            raise self.fail("a reserved initial byte", start)
        argument = int.from_bytes(self._take(1 << (information - 24)))
        if major != _SIMPLE and argument < _SHORTEST[information]:
            raise self.fail("a number or length that is not in its shortest form", start)
        return major, information, argument

    def value(self, depth: int) -> Any:
        if depth > limits.CBOR_DEPTH:
            raise self._limit(f"CBOR nested deeper than {limits.CBOR_DEPTH} levels")
        self._items += 1
        if self._items > limits.CBOR_ITEMS:
            raise self._limit(f"CBOR of more than {limits.CBOR_ITEMS} items")
        start = self.position
        major, information, argument = self._head()
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                try:
                    return self._take(argument).decode("utf-8")
                except UnicodeDecodeError:
                    raise self.fail("text that is not UTF-8", start) from None
            case 4:
                self._expect(argument)
                return [self.value(depth + 1) for _ in range(argument)]
            case 5:
                self._expect(2 * argument)
                return self._map(argument, depth)
            case 6:
                return Tagged(argument, self.value(depth + 1))
        if information in _CONSTANTS:
            return _CONSTANTS[information]
        kind = "a number with a fraction" if information in (25, 26, 27) else "a simple value"
        raise self.fail(f"{kind}, which nothing here has", start)

    def _expect(self, items: int) -> None:
        """Every item takes a byte at least, so that a length cannot ask for more than is there."""
        if items > len(self._data) - self.position:
            raise self.fail(f"cut short: {items} items are announced")

    def _map(self, size: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(size):
            start = self.position
            key = self.value(depth + 1)
            if isinstance(key, bool) or not isinstance(key, int | str | bytes):
                raise self.fail("a key that is neither a number nor text nor bytes", start)
            if key in found:
                raise self.fail(f"the key {str(key)[:80]!r} appears twice in one map", start)
            found[key] = self.value(depth + 1)
        return found

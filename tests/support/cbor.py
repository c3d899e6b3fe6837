"""A small writer of CBOR, and of what strict readers refuse, for inputs built in code."""

from __future__ import annotations

from typing import Any


def head(major: int, argument: int, *, width: int | None = None) -> bytes:
    """An initial byte with its argument, in its shortest form unless ``width`` bytes are asked."""
    if width is None:
        if argument < 24:
            return bytes((major << 5 | argument,))
        width = next(size for size in (1, 2, 4, 8) if argument < 1 << (8 * size))
    information = {1: 24, 2: 25, 4: 26, 8: 27}[width]
    return bytes((major << 5 | information,)) + argument.to_bytes(width)


class Raw(bytes):
    """Bytes that are encoded already."""


class Tag:
    def __init__(self, number: int, value: Any) -> None:
        self.number, self.value = number, value


class Pairs(list[tuple[Any, Any]]):
    """A map's pairs as they are, so that a key may stand there twice."""


def encode(value: Any) -> bytes:
    match value:
        case Raw():
            return bytes(value)
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case Tag():
            return head(6, value.number) + encode(value.value)
        case dict():
            return encode(Pairs(value.items()))
        case Pairs():
            return head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in value)
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
    raise TypeError(type(value))

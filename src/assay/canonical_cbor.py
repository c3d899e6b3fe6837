"""CBOR in its one deterministic form (RFC 8949 section 4.2.1), as `strict_cbor` reads it."""

from __future__ import annotations

from typing import Any

from assay.strict_cbor import Tagged

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)


def encode(value: Any) -> bytes:
    """The bytes of whole numbers, bytes, text, lists, dicts, booleans, None and `Tagged` values.
    Raises ValueError for anything else, and for numbers of more than 64 bits."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            text = value.encode("utf-8")
            return _head(_TEXT, len(text)) + text
        case Tagged():
            return _head(_TAG, value.tag) + encode(value.value)
        case list() | tuple():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = sorted((encode(key), encode(item)) for key, item in value.items())
            return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise ValueError(f"CBOR has no place here for {type(value).__name__}")


def _head(major: int, argument: int) -> bytes:
    """The initial byte, with the argument in its shortest form (section 3)."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for information, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * width):
            return bytes((major << 5 | information,)) + argument.to_bytes(width)
    raise ValueError("a number of more than 64 bits")

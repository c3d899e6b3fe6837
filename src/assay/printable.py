"""Text that someone else wrote, made safe to show to people."""

from __future__ import annotations

from typing import Any


def printable(text: bytes | str, limit: int = 1024) -> str:
    """The text with everything escaped that does not print as itself: control characters, which
    can move a terminal's cursor and change its colours, line ends, and the marks that reorder
    text or hide it. Of a text longer than ``limit`` characters the beginning and the length are
    shown."""
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    length = len(shown)
    shown = shown[:limit]
    if not shown.isprintable():
        shown = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
        )
    return shown if length <= limit else f"{shown}... ({length} characters)"


def encodable(value: Any) -> Any:
    """Plain values with the bytes of names that are no UTF-8 written as ``\\udc80`` and so on."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(item) for item in value]
    return value

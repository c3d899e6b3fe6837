"""Which files of a file system are kept in memory while it goes by."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Keep(Struct, frozen=True):
    """Keep the content of regular files whose path matches ``pattern`` in full (a regular
    expression over the bytes of a normalised path, with no group in it).

    At most ``limit`` bytes of a file are kept; one that is longer is not kept at all, and said to
    be too long. With ``marker`` only what follows each occurrence of these bytes at a multiple of
    ``alignment`` is kept, up to ``limit`` bytes of it and ``most`` times. ``executable`` asks for
    files that somebody may execute. ``reduce`` makes less of the content, once it is whole.
    """

    pattern: bytes
    limit: int
    marker: bytes = b""
    alignment: int = 1
    most: int = 1
    executable: bool = False
    reduce: Callable[[bytes], bytes] | None = None


class Kept(Struct, frozen=True):
    """What was kept of one file: ``content``, or why not."""

    content: bytes | None
    reason: str = ""

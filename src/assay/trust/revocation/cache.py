"""What responders and lists said before, in a directory of bounded size.

What is read from here is judged as if it came from the network, signature and dates included: who
can write to the directory can make Assay ask again, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from assay import limits
from assay.user_folders import user_folder

_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)


def default_folder() -> Path:
    """Where the cache is unless told otherwise (XDG Base Directory Specification)."""
    return user_folder("XDG_CACHE_HOME") / "revocation"


class Cache:
    """One directory, made when first written to. Faults of the file system are not errors: then
    there is no cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, most: int) -> bytes | None:
        """What was kept under a name (64 hexadecimal digits), if it has at most ``most`` bytes."""
        assert _NAME.fullmatch(name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with (
            contextlib.suppress(OSError),
            os.fdopen(os.open(self._folder / name, flags), "rb") as file,
        ):
            data = file.read(most + 1)
            return data if len(data) <= most else None
        return None

    def write(self, name: str, data: bytes) -> None:
        """Keep something under a name, whole or not at all."""
        assert _NAME.fullmatch(name)
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".new-", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(draft).replace(self._folder / name)
            except OSError:
                with contextlib.suppress(OSError):
                    Path(draft).unlink()
                raise
            self._trim()

    def _trim(self) -> None:
        """Remove what was written longest ago, until the rest is within bounds."""
        found: list[tuple[float, int, Path]] = []
        for entry in os.scandir(self._folder):
            if _NAME.fullmatch(entry.name) or entry.name.startswith(".new-"):
                with contextlib.suppress(OSError):  # another process may have removed it
                    about = entry.stat(follow_symlinks=False)
                    found.append((about.st_mtime, about.st_size, Path(entry.path)))
        files, size = len(found), sum(each[1] for each in found)
        for _, its_size, path in sorted(found):
            if files <= limits.REVOCATION_CACHE_FILES and size <= limits.REVOCATION_CACHE_SIZE:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            files, size = files - 1, size - its_size

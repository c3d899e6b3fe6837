"""Writing a file that somebody may rely on: all of it or nothing, and never over another one."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from assay.model.finding import UsageError


def check_target(
    path: Path, *, force: bool, inputs: tuple[str, ...] = (), option: str = "--output"
) -> None:
    """Refuse a file to write that exists, before any work is done. ``inputs`` are names of what
    is read, which is never written over. Raises UsageError."""
    for name in inputs:
        with suppress(OSError, ValueError):
            if path.samefile(name):
                raise UsageError(f"{option} {path}: that is the image itself")
    if path.is_dir():
        raise UsageError(f"{option} {path}: that is a directory")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no directory {path.parent}")
    if not force and os.path.lexists(path):
        raise UsageError(f"{option} {path}: the file exists; --force replaces it")


def write_whole(path: Path, data: bytes, *, force: bool, mode: int = 0o666) -> None:
    """Write a file so that nobody ever sees a part of it; ``mode`` is what the user's umask takes
    its share from. Raises OSError, UsageError."""
    if force and _is_special(path):
        with path.open("wb") as file:
            file.write(data)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            beside.replace(path)
        else:
            # unlike a rename, a link fails if the name has been taken meanwhile
            os.link(beside, path)
    except FileExistsError as error:
        raise UsageError(f"--output {path}: the file exists; --force replaces it") from error
    finally:
        beside.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)

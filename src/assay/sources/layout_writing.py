"""Writing to an OCI image layout: blobs under their digests, and ``index.json`` in one step.

Every name is opened relative to its directory and no link is followed, so that nothing outside the
layout can be written. A reader sees the index as it was or as it is, and finds every blob that it
names.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assay import limits
from assay.measure.hashing import hash_bytes
from assay.model.codes import attach as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.sources.image_index import INDEX

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LayoutWriter:
    """Adds to the layout at ``path``, which is there already. All methods raise AssayError
    (unwritable, and what reading may raise)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_blob(self, digest: Digest) -> bytes | None:
        """A small blob, checked against its digest; None when it is not there as it should be, as
        a regular file."""
        try:
            with self._opened("blobs", digest.algorithm) as folder:
                data = self._read(folder, digest.hex, limits.ATTACHED_SIZE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwritable(self._path / "blobs" / digest.hex, error) from error
        if data is None or hash_bytes(digest.algorithm, data) != digest.value:
            return None
        return data

    def write_blob(self, data: bytes) -> Digest:
        """Store a blob unless it is there; its digest."""
        digest = Digest("sha256", hash_bytes("sha256", data))
        if self.read_blob(digest) is None:
            with self._opened("blobs", digest.algorithm, make=True) as folder:
                self._replace(folder, digest.hex, data, 0o644)
        return digest

    def change_index(self, change: Callable[[bytes], bytes | None]) -> None:
        """Replace ``index.json`` by what ``change`` makes of it; None leaves it as it is.

        Writers of ours wait for each other. What another program writes meanwhile is seen, and
        the change is made anew on top of it.
        """
        with self._opened() as folder, self._locked(folder):
            for _ in range(limits.WRITE_ROUNDS):
                before, mode = self._index(folder)
                after = change(before)
                if after is None or self._replace(folder, INDEX, after, mode, expecting=before):
                    return
        raise AssayError(Finding.of(codes.WRITE_CONFLICT, detail=f"{self._path / INDEX}"))

    def _index(self, folder: int) -> tuple[bytes, int]:
        try:
            mode = os.stat(INDEX, dir_fd=folder, follow_symlinks=False).st_mode
            data = self._read(folder, INDEX, limits.MANIFEST_SIZE)
        except OSError as error:
            raise self._unwritable(self._path / INDEX, error) from error
        if data is None:
            why = f"not a regular file of at most {limits.MANIFEST_SIZE} bytes"
            raise AssayError(Finding.of(codes.UNWRITABLE, detail=f"{self._path / INDEX}: {why}"))
        return data, stat.S_IMODE(mode)

    @contextmanager
    def _opened(self, *parts: str, make: bool = False) -> Iterator[int]:
        """A directory of the layout. Raises FileNotFoundError where a part is not there."""
        path = self._path
        try:
            # the way to the layout is the user's own, and may lead through links
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unwritable(path, error) from error
        try:
            for part in parts:
                path = path / part
                try:
                    if make:
                        with suppress(FileExistsError):
                            os.mkdir(part, dir_fd=fd)
                    inner = os.open(part, _DIRECTORY, dir_fd=fd)
                except FileNotFoundError:
                    raise
                except OSError as error:
                    raise self._unwritable(path, error) from error
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)

    def _read(self, folder: int, name: str, limit: int) -> bytes | None:
        """A regular file of at most ``limit`` bytes; None when it is a link or anything else.
        Raises OSError."""
        try:
            fd = os.open(name, _FILE, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return None
            data = file.read(limit + 1)
        return data if len(data) <= limit else None

    def _replace(
        self,
        folder: int,
        name: str,
        data: bytes,
        mode: int,
        *,
        expecting: bytes | None = None,
    ) -> bool:
        """Write a file beside ``name`` and put it in its place; whether that was done. An index
        has to be as it is expected to be until the last moment."""
        temporary = f".{name[:16]}.{secrets.token_hex(8)}"
        try:
            fd = os.open(temporary, _NEW, 0o600, dir_fd=folder)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fchmod(fd, mode)
                    os.fsync(fd)
                if expecting is not None and self._index(folder)[0] != expecting:
                    return False
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                temporary = ""
                os.fsync(folder)
                return True
            finally:
                if temporary:
                    with suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
        except OSError as error:
            raise self._unwritable(self._path / name, error) from error

    @contextmanager
    def _locked(self, folder: int) -> Iterator[None]:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOLCK, errno.EINVAL, errno.ENOSYS):
                raise self._unwritable(self._path, error) from error
        yield  # closing the directory lets it go

    def _unwritable(self, path: Path, error: OSError) -> AssayError:
        why = error.strerror or str(error)
        cause = ""
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            why = "a link, or a file where a directory has to be; nothing is written through links"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            cause = "full-disk"
        return AssayError(Finding.of(codes.UNWRITABLE, detail=f"{path}: {why}", cause=cause))

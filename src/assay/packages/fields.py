"""Parts that several databases have in common: stanzas, lists of files, text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay import limits
from assay.model.files import FileKind
from assay.packages.model import Database, UnreadableError
from assay.packages.root import RootEntry

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def text(value: bytes, what: str) -> str:
    """A name or version. Raises UnreadableError when it is empty, no UTF-8, or hides something."""
    try:
        found = value.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UnreadableError(f"{what} is not UTF-8") from None
    if not found or len(found) > 1024 or _CONTROL.search(found):
        raise UnreadableError(f"{what} is empty, too long or has control characters in it")
    return found


def stanzas(data: bytes) -> Iterator[dict[str, list[bytes]]]:
    """Paragraphs of ``Name: value`` lines, as in Debian's control files and e-mail headers: names
    in lower case, each with its first line and those that continue it. Raises UnreadableError for a
    line that is neither, and for a name that occurs twice."""
    fields: dict[str, list[bytes]] = {}
    lines: list[bytes] | None = None
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.rstrip(b"\r")
        if not line.strip():
            if fields:
                yield fields
            fields, lines = {}, None
        elif line[:1] in b" \t":
            if lines is None:
                raise UnreadableError(f"line {number} continues nothing")
            lines.append(line.strip())
        else:
            name, colon, value = line.partition(b":")
            if not colon or not name.strip():
                raise UnreadableError(f"line {number} is no field")
            key = name.strip().lower().decode("ascii", "replace")
            if key in fields:
                raise UnreadableError(f"line {number} gives the field {key[:40]} again")
            lines = fields[key] = [value.strip()]
    if fields:
        yield fields


def refused(kind: str, path: bytes, entry: RootEntry) -> Database:
    """A database that is there and was not kept."""
    regular = entry.kind is FileKind.FILE
    problem = (
        "it is not where this kind of database is kept" if regular else "it is no regular file"
    )
    return Database(kind, path, entry.layer, problem=entry.reason or problem)


def check_count(number: int, most: int, what: str) -> None:
    """Raises UnreadableError for more than there may be."""
    if number > most:
        raise UnreadableError(f"more than {most} {what}")


class Paths:
    """Counts the files that the packages of one database own, and the bytes of their paths: most
    databases write a directory once for all files in it, so that a small one can make long paths
    without end."""

    def __init__(self) -> None:
        self._files = self._bytes = 0

    def add(self, size: int) -> None:
        """Take note of a path of so many bytes. Raises UnreadableError for too many."""
        self._files += 1
        self._bytes += size
        check_count(self._files, limits.PACKAGE_FILES, "files of packages")
        check_count(self._bytes, limits.PACKAGE_DATABASE_SIZE, "bytes in the paths of files")


def hex_digest(text: bytes, sizes: dict[int, str]) -> tuple[tuple[str, bytes], ...]:
    """A digest in hexadecimal, whose algorithm its length (in digits) tells; nothing for others."""
    algorithm = sizes.get(len(text))
    if algorithm is None:
        return ()
    try:
        return ((algorithm, bytes.fromhex(text.decode("ascii"))),)
    except ValueError:
        raise UnreadableError("a digest is not hexadecimal") from None


MANIFEST_LIMIT = limits.PACKAGE_MANIFEST_SIZE
DATABASE_LIMIT = limits.PACKAGE_DATABASE_SIZE

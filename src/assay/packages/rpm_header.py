"""One package as it stands in an rpm database: a header (rpm, "Package Format" version 4), which is
an index of tags and a store of their values, without the magic that it has in a package file."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from assay.packages.fields import Paths, check_count, text
from assay.packages.model import Installed, Owned, UnreadableError
from assay.packages.root import normal

_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_SOURCE, _DIGESTS, _MODES, _FLAGS, _STATES = 1044, 1035, 1030, 1037, 1029
_FOLDER_OF, _BASES, _FOLDERS, _ALGORITHM = 1116, 1117, 1118, 5011
_CHAR, _INT16, _INT32, _STRING, _STRINGS, _LOCAL = 1, 3, 4, 6, 8, 9
_WIDTHS = {_INT16: "H", _INT32: "I"}
_CONFIG_FLAG, _GHOST_FLAG = 1, 1 << 6
_ALGORITHMS = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_TAGS = 16_384
_FILES = 1_000_000
_NO_PACKAGES = {"gpg-pubkey"}
_NORMAL = 0


def package_of(blob: bytes, paths: Paths | None = None) -> Installed:
    """The package in a header; ``paths`` counts those of all packages of a database. Raises
    UnreadableError."""
    header = _Header(blob)
    name = text(header.string(_NAME), "a package's name")
    version = text(header.string(_VERSION), f"the version of {name}")
    version += "-" + text(header.string(_RELEASE), f"the release of {name}")
    epoch = header.numbers(_EPOCH)
    if epoch and epoch[0]:
        version = f"{epoch[0]}:{version}"
    architecture = header.string(_ARCH)
    source = header.string(_SOURCE).decode("utf-8", "replace").removesuffix(".src.rpm")
    source_name, _, source_version = source.rpartition("-")
    source_name, _, lead = source_name.rpartition("-")
    return Installed(
        "rpm",
        name,
        version,
        architecture=text(architecture, f"the architecture of {name}") if architecture else "",
        source=source_name or name,
        source_version=f"{lead}-{source_version}" if source_name else version,
        files=tuple(_files(header, name, paths or Paths())),
        noted=name not in _NO_PACKAGES,
    )


def _files(header: _Header, name: str, paths: Paths) -> list[Owned]:
    bases, folders = header.strings(_BASES), header.strings(_FOLDERS)
    indexes = header.numbers(_FOLDER_OF)
    if len(indexes) != len(bases):
        raise UnreadableError(f"{name} does not say of each file where it is")
    digests = header.strings(_DIGESTS)
    flags, modes, states = (header.numbers(tag) for tag in (_FLAGS, _MODES, _STATES))
    given = header.numbers(_ALGORITHM)
    algorithm = _ALGORITHMS.get(given[0] if given else 1)
    found: list[Owned] = []
    for number, base in enumerate(bases):
        if indexes[number] >= len(folders):
            raise UnreadableError(f"{name} has a file in a directory that it does not list")
        folder = folders[indexes[number]]
        paths.add(len(folder) + len(base))
        path = normal(folder + base)
        flag = flags[number] if number < len(flags) else 0
        state = states[number] if number < len(states) else _NORMAL
        if not path or flag & _GHOST_FLAG or state != _NORMAL:
            continue  # a ghost may be there or not, and be anything
        if number < len(modes) and modes[number] & 0o170000 != 0o100000:
            continue
        digest: tuple[tuple[str, bytes], ...] = ()
        if number < len(digests) and digests[number] and algorithm is not None:
            try:
                digest = ((algorithm, bytes.fromhex(digests[number].decode("ascii"))),)
            except ValueError:
                raise UnreadableError(f"{name} has a digest that is not hexadecimal") from None
        found.append(Owned(path, digest, bool(flag & _CONFIG_FLAG)))
    return found


class _Header:
    """The tags of a header, read when they are asked for."""

    def __init__(self, blob: bytes) -> None:
        if len(blob) < 8:
            raise UnreadableError("a header is cut off")
        count, size = struct.unpack_from(">II", blob)
        start = 8 + 16 * count
        if count > _TAGS or start + size > len(blob):
            raise UnreadableError("a header is longer than its record")
        self._store = blob[start : start + size]
        self._index: dict[int, tuple[int, int, int]] = {}
        for tag, kind, offset, number in struct.iter_unpack(">IIII", blob[8:start]):
            self._index.setdefault(tag, (kind, offset, number))

    def string(self, tag: int) -> bytes:
        """A tag with one text; empty where it is not there."""
        kind, offset, _ = self._index.get(tag, (_STRING, 0, 0))
        if tag not in self._index:
            return b""
        if kind not in (_STRING, _STRINGS, _LOCAL):
            raise UnreadableError(f"tag {tag} is not text")
        return self._until_zero(offset)[0]

    def strings(self, tag: int) -> list[bytes]:
        """A tag with several texts."""
        if tag not in self._index:
            return []
        kind, offset, number = self._index[tag]
        if kind != _STRINGS:
            raise UnreadableError(f"tag {tag} is not a list of texts")
        check_count(number, _FILES, "files in one package")
        found = []
        for _ in range(number):
            value, offset = self._until_zero(offset)
            found.append(value)
        return found

    def numbers(self, tag: int) -> Sequence[int]:
        """A tag with numbers."""
        if tag not in self._index:
            return ()
        kind, offset, number = self._index[tag]
        check_count(number, _FILES, "files in one package")
        if kind == _CHAR or kind == 2:
            found = self._store[offset : offset + number]
        elif kind in _WIDTHS:
            layout = struct.Struct(f">{number}{_WIDTHS[kind]}")
            if offset + layout.size > len(self._store):
                raise UnreadableError(f"tag {tag} lies outside of the header")
            return layout.unpack_from(self._store, offset)
        else:
            raise UnreadableError(f"tag {tag} is not a list of numbers")
        if len(found) != number:
            raise UnreadableError(f"tag {tag} lies outside of the header")
        return found

    def _until_zero(self, offset: int) -> tuple[bytes, int]:
        end = self._store.find(b"\0", offset)
        if end < 0:
            raise UnreadableError("a text in a header does not end")
        return self._store[offset:end], end + 1

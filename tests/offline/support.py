"""Takes offline bundles apart, and puts them together again as no honest program would."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay import canonical_json
from tests.support.images import digest_of

Members = list[tuple[str, bytes]]


def members_of(path: Path) -> Members:
    """The names and contents in a bundle, in order."""
    found: Members = []
    with tarfile.open(path) as tar:
        for info in tar:
            file = tar.extractfile(info)
            assert file is not None
            found.append((info.name, file.read()))
    return found


def list_of(path: Path) -> dict[str, Any]:
    """The list in a bundle."""
    value: dict[str, Any] = json.loads(members_of(path)[0][1])
    return value


def write(path: Path, members: Members) -> None:
    """Members as an archive, with headers like those of a real bundle."""
    buffer = io.BytesIO()
    for name, data in members:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        buffer.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))
        buffer.write(data + bytes(-len(data) % 512))
    path.write_bytes(buffer.getvalue() + bytes(1024))


def change(path: Path, edit: Callable[[Members], object]) -> None:
    """Edit the members in place."""
    members = members_of(path)
    edit(members)
    write(path, members)


def change_list(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the list in place; it stays in its canonical form."""

    def edited(members: Members) -> None:
        value = json.loads(members[0][1])
        edit(value)
        members[0] = (members[0][0], canonical_json.encode(value))

    change(path, edited)


def add(path: Path, role: str, name: str, data: bytes, *, anchor: bool = False) -> None:
    """Put a file into a bundle, listed as it has to be."""
    digest = digest_of(data)

    def edited(members: Members) -> None:
        value = json.loads(members[0][1])
        entry: dict[str, Any] = {"role": role, "digest": digest, "size": len(data), "name": name}
        value["entries"].append(entry | ({"anchor": True} if anchor else {}))
        members[0] = (members[0][0], canonical_json.encode(value))
        path_in_it = f"blobs/sha256/{digest.removeprefix('sha256:')}"
        rest = {**dict(members[3:]), path_in_it: data}
        members[3:] = sorted(rest.items())

    change(path, edited)

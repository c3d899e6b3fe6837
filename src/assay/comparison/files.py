"""Compares the files of two root file systems."""

from __future__ import annotations

from collections.abc import Callable

from assay.model.comparison import FileChange, FileComparison
from assay.model.files import FileEntry, FileIndex, FileKind


def compare_files(
    a: FileIndex, b: FileIndex, limit: int, same_layer: Callable[[str, str], bool]
) -> FileComparison:
    """Compare two indexes. ``same_layer`` says whether two layers (component ids) hold the same
    bytes, for files that have no digest of their own."""
    left = {entry.path: entry for entry in a.files}
    right = {entry.path: entry for entry in b.files}
    changes: list[FileChange] = []
    same = added = removed = changed = 0
    for path in sorted(left.keys() | right.keys()):
        old, new = left.get(path), right.get(path)
        what = _changed(old, new, same_layer) if old is not None and new is not None else ()
        if old is None:
            added += 1
        elif new is None:
            removed += 1
        elif what:
            changed += 1
        else:
            same += 1
            continue
        if len(changes) < limit:
            changes.append(FileChange(path, what, old, new))
    return FileComparison(
        a.image,
        b.image,
        same,
        added,
        removed,
        changed,
        tuple(changes),
        complete=a.complete and b.complete,
    )


def _changed(
    old: FileEntry, new: FileEntry, same_layer: Callable[[str, str], bool]
) -> tuple[str, ...]:
    if old.kind is not new.kind:
        return ("kind",)
    found: list[str] = []
    if old.kind is FileKind.FILE:
        if old.digest and new.digest:
            other_content = (old.digest, old.size) != (new.digest, new.size)
        else:
            other_content = old.size != new.size or not same_layer(old.layer, new.layer)
        if other_content:
            found.append("content")
    for name, before, after in (
        ("mode", old.mode, new.mode),
        ("owner", (old.user, old.group), (new.user, new.group)),
        ("link", old.link, new.link),
        ("device", old.device, new.device),
    ):
        if before != after:
            found.append(name)
    return tuple(found)

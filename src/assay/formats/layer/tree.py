"""Puts layers on one another, as the layer specification says (image-spec, layer.md).

The whiteouts of a layer hide what the layers below it have, and never what it has itself, wherever
they stand in the archive. Everything else happens in the archive's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay import limits
from assay.formats.layer.checks import OPAQUE, WHITEOUT, resolve
from assay.formats.layer.files import ALGORITHM, LayerFile, LayerFiles
from assay.formats.layer.tally import Tally
from assay.model.codes import layers as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.files import FileEntry, FileKind
from assay.model.finding import Finding, Severity
from assay.sources.tar import Kind

_KINDS = {
    Kind.FILE: FileKind.FILE,
    Kind.SPARSE: FileKind.FILE,
    Kind.DIRECTORY: FileKind.DIRECTORY,
    Kind.SYMBOLIC_LINK: FileKind.SYMBOLIC_LINK,
    Kind.CHARACTER_DEVICE: FileKind.CHARACTER_DEVICE,
    Kind.BLOCK_DEVICE: FileKind.BLOCK_DEVICE,
    Kind.FIFO: FileKind.FIFO,
}
_AUFS_PREFIX = b".wh..wh."


class _Node:
    """A place in the tree. ``inside`` is None for what is no directory; a directory that no layer
    lists has no ``entry``."""

    __slots__ = ("entry", "inside", "layer")

    def __init__(self, inside: dict[bytes, _Node] | None) -> None:
        self.entry: LayerFile | None = None
        self.layer = ""
        self.inside = inside


class RootTree:
    """The files of the layers applied so far."""

    def __init__(self, most: int = limits.LAYER_FILES) -> None:
        self._root = _Node({})
        self._tally = Tally()
        self._most = most
        self._made = 0
        self._parent: tuple[bytes, _Node] | None = None
        """The directory that the latest file was put into: the next one is likely to be beside."""
        self.complete = True

    def apply(self, layer: str, content: LayerFiles) -> None:
        """Put a layer (by the id of the component with its content) on those before it."""
        self.complete &= content.complete
        hiding = {file.name for file in content.files if _hides(file.name)}
        for name in hiding:
            *parent, base = name.split(b"/")
            self._hide(parent, base)
        self._parent = None
        for file in content.files:
            if file.name and file.name not in hiding:
                self._put(layer, file)

    def findings(self) -> list[Finding]:
        """What makes the tree depend on the runtime, or incomplete."""
        found = self._tally.findings()
        if self._made > self._most:
            found.append(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"only {self._most} files and directories of the image are listed",
                    severity=Severity.WARNING,
                )
            )
        return found

    def files(self) -> Iterator[FileEntry]:
        """All files and listed directories, in the order of their paths."""
        for path, entry, layer in self.entries():
            yield _public(path, entry, layer)

    def entries(self) -> Iterator[tuple[bytes, LayerFile, str]]:
        """The same as they were recorded, each with its path and the layer that it is from."""
        stack: list[tuple[bytes, _Node]] = [(b"", self._root)]
        while stack:
            path, node = stack.pop()
            if node.entry is not None and path:
                yield path, node.entry, node.layer
            if node.inside:
                lead = path + b"/" if path else b""
                stack += [
                    (lead + name, node.inside[name]) for name in sorted(node.inside, reverse=True)
                ]

    # building

    def _find(self, parts: Sequence[bytes]) -> _Node | None:
        node = self._root
        for part in parts:
            below = node.inside.get(part) if node.inside is not None else None
            if below is None:
                return None
            node = below
        return node

    def _hide(self, parent: Sequence[bytes], base: bytes) -> None:
        node = self._find(parent)
        if node is None or node.inside is None:
            return
        if base == OPAQUE:
            node.inside.clear()
        elif not base.startswith(_AUFS_PREFIX):
            node.inside.pop(base[len(WHITEOUT) :], None)

    def _put(self, layer: str, file: LayerFile) -> None:
        if self._made > self._most:
            return
        parent, _, base = file.name.rpartition(b"/")
        if self._parent is None or parent != self._parent[0]:
            node = self._root
            for part in parent.split(b"/") if parent else ():
                node = self._directory(node, part, file)
            self._parent = parent, node
        node = self._parent[1]
        assert node.inside is not None
        here = node.inside.get(base)
        is_directory = file.kind is Kind.DIRECTORY
        if here is None or not is_directory or here.inside is None:
            if here is None and not self._more():
                return
            if here is not None:
                self._parent = None  # it may be a directory on the way to that one
            here = node.inside[base] = _Node({} if is_directory else None)
        here.layer = layer
        here.entry = self._linked(file) if file.kind is Kind.HARD_LINK else file

    def _directory(self, node: _Node, name: bytes, file: LayerFile) -> _Node:
        assert node.inside is not None
        below = node.inside.get(name)
        if below is None or below.inside is None:
            if below is not None and below.entry is not None:
                self._tally.note(
                    codes.LAYER_ENTRY_THROUGH_LINK,
                    "paths through what is no directory in the layers below; runtimes differ in"
                    " what they make of it",
                    file.name,
                    None,
                )
            self._more()
            below = node.inside[name] = _Node({})
        return below

    def _more(self) -> bool:
        self._made += 1
        if self._made > self._most:
            self.complete = False
            return False
        return True

    def _linked(self, file: LayerFile) -> LayerFile:
        """A hard link is the file that it names, under another name."""
        import msgspec

        parts = resolve(file.link, [])
        target = self._find(parts) if parts else None
        if target is None or target.entry is None or target.inside is not None:
            self._tally.note(
                codes.LAYER_PATH_UNCLEAN, "hard links to what is not there", file.name, None
            )
            return file
        entry = target.entry
        if entry.kind is Kind.FILE:
            return msgspec.structs.replace(entry, name=file.name, link=file.link)
        return msgspec.structs.replace(entry, name=file.name)


def _hides(name: bytes) -> bool:
    """Whether it is the name of a whiteout."""
    return WHITEOUT in name and name.rpartition(b"/")[2].startswith(WHITEOUT)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _public(path: bytes, entry: LayerFile, layer: str) -> FileEntry:
    kind = _KINDS.get(entry.kind, FileKind.OTHER)
    link = _text(entry.link)
    return FileEntry(
        path=_text(path),
        kind=kind,
        layer=layer,
        mode=entry.mode & 0o7777,
        user=entry.user,
        group=entry.group,
        size=entry.size if kind is FileKind.FILE else 0,
        digest=f"{ALGORITHM}:{entry.digest.hex()}" if entry.digest else "",
        link=link if kind is not FileKind.FILE else "",
        hard_link=link if kind is FileKind.FILE else "",
        device=entry.device,
    )

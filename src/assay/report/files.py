"""The files of an image, for `assay inspect --files`: as a list for people, or as values."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from assay.model.files import FileEntry, FileIndex, FileKind
from assay.model.finding import Finding
from assay.model.verdict import State, Verdict
from assay.printable import printable
from assay.report.findings import finding_lines
from assay.report.style import LONGEST, WIDTH, counted, painter, presentable

_TYPES = {
    FileKind.FILE: stat.S_IFREG,
    FileKind.DIRECTORY: stat.S_IFDIR,
    FileKind.SYMBOLIC_LINK: stat.S_IFLNK,
    FileKind.CHARACTER_DEVICE: stat.S_IFCHR,
    FileKind.BLOCK_DEVICE: stat.S_IFBLK,
    FileKind.FIFO: stat.S_IFIFO,
}
_DEVICES = (FileKind.CHARACTER_DEVICE, FileKind.BLOCK_DEVICE)
_LONGEST_PATH = 4096


class ListedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of an image. ``layer`` is a key of ``layers``, ``mode`` octal; ``size`` and ``digest``
    are there for regular files, and ``digest`` is empty where none could be taken."""

    path: str
    type: FileKind
    mode: str
    user: int
    group: int
    layer: str
    size: int | None = None
    digest: str | None = None
    link: str = ""
    hard_link: str = ""
    device: tuple[int, int] | None = None


class ListedLayer(msgspec.Struct, frozen=True):
    """A layer's content that files are from: the files are in the state that it is in."""

    state: State
    digests: tuple[str, ...]


class FileList(msgspec.Struct, frozen=True):
    """The files of one image (the id of its manifest) after all whiteouts. ``complete`` says
    whether every layer could be read to its end."""

    image: str
    complete: bool
    layers: dict[str, ListedLayer]
    findings: tuple[Finding, ...]
    files: tuple[ListedFile, ...]


def listed(verdict: Verdict, index: FileIndex) -> FileList:
    """The list as it goes into JSON."""
    return FileList(
        image=index.image,
        complete=index.complete,
        layers=_layers(verdict, index),
        findings=index.findings,
        files=tuple(_listed(entry) for entry in index.files),
    )


def _listed(entry: FileEntry) -> ListedFile:
    regular = entry.kind is FileKind.FILE
    return ListedFile(
        path=entry.path,
        type=entry.kind,
        mode=f"{entry.mode:04o}",
        user=entry.user,
        group=entry.group,
        layer=entry.layer,
        size=entry.size if regular else None,
        digest=entry.digest if regular else None,
        link=entry.link,
        hard_link=entry.hard_link,
        device=entry.device if entry.kind in _DEVICES else None,
    )


def _layers(verdict: Verdict, index: FileIndex) -> dict[str, ListedLayer]:
    reports = {component.id: component for component in verdict.components}
    return {
        layer: ListedLayer(reports[layer].state, reports[layer].digests)
        for layer in dict.fromkeys(entry.layer for entry in index.files)
    }


def render(
    verdict: Verdict, indexes: Sequence[FileIndex], *, color: bool = False, width: int = WIDTH
) -> Iterator[str]:
    """The lists, line by line: mode, owner, size, digest, path, and the layer of each file."""
    paint = painter(color)
    for index in indexes:
        layers = _layers(verdict, index)
        states = ", ".join(dict.fromkeys(layer.state.value for layer in layers.values()))
        yield ""
        yield paint(f"files of {printable(index.image, LONGEST)}", "bold") + (
            f": {len(index.files)}, in {counted(len(layers), 'layer')}"
            + (f" ({states})" if states else "")
        )
        if not index.complete:
            yield paint("  the list is not complete: not every layer could be read", "warn")
        for finding in index.findings:
            yield from finding_lines(presentable(finding), paint, short=True, width=width)
        who = {(entry.user, entry.group) for entry in index.files}
        owners = max((len(f"{user}:{group}") for user, group in who), default=0)
        for entry in index.files:
            yield _line(entry, owners)


def _line(entry: FileEntry, owners: int) -> str:
    mode, owner = _mode(entry.kind, entry.mode), f"{entry.user}:{entry.group}"
    text = f"  {mode} {owner:<{owners}} {_size(entry):>11} {entry.digest or '-':<71}"
    text += f" {printable(entry.path, _LONGEST_PATH)}"
    if entry.link:
        text += f" -> {printable(entry.link, _LONGEST_PATH)}"
    elif entry.hard_link:
        text += f" (hard link to {printable(entry.hard_link, _LONGEST_PATH)})"
    return f"{text}  [{_layer(entry.layer)}]"


@lru_cache(1024)
def _mode(kind: FileKind, mode: int) -> str:
    return stat.filemode(_TYPES.get(kind, 0) | mode)


@lru_cache(1024)
def _layer(name: str) -> str:
    return printable(name.removesuffix("/content"), LONGEST)


def _size(entry: FileEntry) -> str:
    if entry.kind in _DEVICES:
        return f"{entry.device[0]}, {entry.device[1]}"
    return str(entry.size) if entry.kind is FileKind.FILE else "-"

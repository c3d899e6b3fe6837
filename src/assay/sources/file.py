"""A path: a file, a block device, a pipe, or a directory that holds an image."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes.content import AMBIGUOUS_FORMAT, UNREADABLE
from assay.model.finding import AssayError, Finding
from assay.sources.files import mode_of, open_path
from assay.sources.folder import Folder
from assay.sources.model import OpenedImage, OpenOptions

_DESCRIPTOR = r"/(?:dev|proc/self)/fd/(\d{1,9})\Z"


class FileSource:
    name = "file"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        if rest == "/dev/stdin":
            from assay.sources.stdin import SOURCE as STANDARD_INPUT

            return STANDARD_INPUT.open("", options)
        if match := re.match(_DESCRIPTOR, rest):
            from assay.sources.stdin import opened_descriptor

            return [opened_descriptor(rest, int(match[1]), rest)]
        mode = mode_of(Path(rest))
        if mode is not None and stat.S_ISDIR(mode):
            return _open_directory(rest, options)
        return [opened_path(rest)]


def opened_path(name: str) -> OpenedImage:
    """The file, device or pipe at a path. Raises AssayError."""
    path = Path(name)
    blob = open_path(path)
    absolute = str(path.absolute())
    return OpenedImage(
        name=name,
        resolved=absolute,
        root=blob,
        root_key=f"file:{absolute}",
        label=path.name,
        folder=str(path.parent),
        findings=[Finding.of(codes.EMPTY_INPUT, detail=f"{path} is empty")]
        if blob.size == 0
        else [],
    )


def _open_directory(name: str, options: OpenOptions) -> list[OpenedImage]:
    """The image in a directory, by what the directory holds. Raises AssayError."""
    folder = Folder(Path(name))
    layout = folder.has("index.json") and folder.has("oci-layout")
    plain = folder.has("manifest.json") and folder.has("version")
    if layout and plain:
        raise AssayError(
            Finding.of(
                AMBIGUOUS_FORMAT,
                detail=f"{name} can be read as an OCI layout and as a dir: image",
                expected="files of one of them",
                actual="index.json, oci-layout, manifest.json, version",
            )
        )
    if layout:
        from assay.sources.layout import SOURCE as LAYOUT

        return LAYOUT.open(name, options)
    if plain:
        from assay.sources.directory import SOURCE as DIRECTORY

        return DIRECTORY.open(name, options)
    if variables := firmware_variables(Path(name)):
        return [opened_path(str(path)) for path in variables]
    from assay.sources import boot_files, module_tree

    if boot_files.has_boot_files(Path(name)):
        return boot_files.SOURCE.open(name, options)

    if next(module_tree.modules_below(name), None) is not None:
        return module_tree.SOURCE.open(name, options)
    raise AssayError(
        Finding.of(
            codes.NOT_AN_IMAGE,
            detail=f"{name} is a directory without an image in it",
            expected="a file; or a directory with oci-layout and index.json, with manifest.json"
            " and version, with variables of firmware (efivarfs), with EFI, or with kernel modules",
        )
    )


def firmware_variables(folder: Path) -> list[Path]:
    """The variables of firmware in a directory (efivarfs, or a copy of one) that say what may boot;
    they are an image each. Raises AssayError."""
    from assay.uefi.efivarfs import matters, read_file_name

    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError as error:
        raise AssayError(
            Finding.of(UNREADABLE, detail=f"{folder}: {error.strerror or error}")
        ) from None
    found = [(name, read_file_name(name)) for name in names[: limits.UEFI_VARIABLES]]
    return [folder / name for name, read in found if read is not None and matters(read)]


SOURCE = FileSource()

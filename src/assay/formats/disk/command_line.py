"""Root hashes that the command lines of kernels on a disk name (`roothash=`, `usrhash=`).

A unified kernel image that somebody signed vouches for its command line, and so for the file system
whose root hash stands there (UAPI.2, "Verity", the first mode of operation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assay import limits
from assay.formats.pe.sections import SECTION
from assay.model.component import Component, Slice
from assay.model.reading import Blob
from assay.model.spans import Span, through
from assay.sources.blobs import SliceBlob

_QUOTED = re.compile(r"""(["'])(.*?)(?:\1|\Z)""", re.DOTALL)
_WORD = re.compile(r"""(?:[^\x00-\x20"']|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))+""")
"""As for systemd: a quotation mark that is never closed holds for all that follows, and no other
characters part words than a space and those for control, of which its stub makes spaces."""
_NAMES = {"roothash": "root", "usrhash": "usr", "rd.roothash": "root", "rd.usrhash": "usr"}
"""An initrd takes the names that are for it alone as well."""


def parse_command_line(data: bytes) -> dict[str, bytes]:
    """The root hashes in a command line, by what they are of (``root``, ``usr``). Of several the
    last one counts, as for the kernel; what is no root hash is passed over."""
    text = data.partition(b"\0")[0].decode("utf-8", "replace")
    found: dict[str, bytes] = {}
    for word in _WORD.findall(text):
        name, equals, value = _QUOTED.sub(r"\2", word).partition("=")
        if equals and name in _NAMES:
            found.pop(_NAMES[name], None)
            if re.fullmatch("(?:[0-9a-fA-F]{2})+", value):
                found[_NAMES[name]] = bytes.fromhex(value)
    return found


def command_lines(
    disk: Blob, whole: str, components: Mapping[str, Component]
) -> Iterator[tuple[str, bytes]]:
    """The command lines of unified kernel images on a disk (the component ``whole``): the id of
    each, and its bytes. Raises AssayError when they cannot be had."""
    for component in components.values():
        # a file may have any name: it is no section for being called like one
        if component.kind != "pe-section" or component.labels.get(SECTION) != ".cmdline":
            continue
        spans = _place(component, whole, components)
        if spans is not None and (component.size or 0) <= limits.UKI_TEXT:
            yield component.id, SliceBlob(disk, spans).read_at(0, limits.UKI_TEXT)


def _place(
    component: Component, whole: str, components: Mapping[str, Component]
) -> tuple[Span, ...] | None:
    """Where on the disk a component's bytes are; None for what is decompressed, or elsewhere."""
    spans: tuple[Span, ...] | None = None
    while isinstance(component.extent, Slice):
        extent = component.extent
        spans = extent.spans if spans is None else through(spans, extent.spans)
        if extent.of == whole:
            return spans
        component = components[extent.of]
    return None

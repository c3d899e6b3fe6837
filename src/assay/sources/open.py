"""From an image's name to its bytes: picks the transport."""

from __future__ import annotations

import os
import re

from assay import plugins
from assay.model.codes.content import NOT_FOUND
from assay.model.finding import AssayError, Finding, UsageError
from assay.sources.files import exists
from assay.sources.model import OpenedImage, OpenOptions, Source


def open_images(name: str, options: OpenOptions) -> list[OpenedImage]:
    """Open the image, or images, that a name stands for.

    A transport prefix wins (``oci:``, ``docker://`` ...), then an existing path, then what looks
    like a path; everything else is a registry reference.
    """
    if not name:
        raise UsageError("an image name is empty")
    if "\0" in name:
        raise AssayError(Finding.of(NOT_FOUND, detail="no file's name has a zero byte in it"))
    source, rest = transport_of(name)
    return _source(source).open(rest, options)


def transport_of(name: str) -> tuple[str, str]:
    """The transport that `open_images` takes for a name, and what it is given of the name."""
    known = plugins.names("assay.sources")
    if name == "-":
        return "stdin", ""
    prefix, colon, rest = name.partition(":")
    if colon and prefix in known and prefix != "stdin" and not exists(name):
        return prefix, name if prefix in ("https", "http") else rest
    if exists(name) or name.startswith(("/", "./", "../", "~")) or "docker" not in known:
        return "file", name
    if not _may_be_in_a_registry(name):
        # a misspelt file name is likelier than a registry repository called release.tar.gz
        return "file", name
    return "docker", f"//{name}"


def uses_standard_input(name: str) -> bool:
    """Whether opening this name reads standard input."""
    prefix, _, rest = name.partition(":")
    return name in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0") or (
        prefix in ("oci-archive", "docker-archive") and re.match(r"-(?![^:@])", rest) is not None
    )


def _may_be_in_a_registry(name: str) -> bool:
    """Whether a bare name is a registry reference: it names a registry, or one is configured."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return True
    if not os.environ.get("ASSAY_DEFAULT_REGISTRY"):
        return False
    return bool(slash) or ":" in name or "." not in name


def _source(name: str) -> Source:
    source: Source = plugins.load("assay.sources", name)
    return source

"""Fuzz target: SBOMs of every format, and package URLs."""

from __future__ import annotations

import contextlib

from assay.model.finding import AssayError
from assay.model.purl import Purl
from assay.sbom import cyclonedx_xml, spdx_tag_value
from assay.sbom.read import read
from tests.support import sboms


def one_input(data: bytes) -> None:
    """Anything but an AssayError (a ValueError for a package URL) is a defect."""
    for reader in (read, cyclonedx_xml.read, spdx_tag_value.read):
        with contextlib.suppress(AssayError):
            for package in reader(data).packages:
                if package.purl is not None:
                    str(package.purl)
    with contextlib.suppress(ValueError):
        text = data.decode("utf-8", "replace")
        purl = Purl.parse(text)
        assert Purl.parse(str(purl)) == purl, text


def seeds() -> list[bytes]:
    """An inventory in every format, and a package URL."""
    packages = [("@a/b", "1", "pkg:npm/%40a/b@1?x=y"), ("curl", "8.1-2", "")]
    documents = sboms.every_format(packages, {"etc/a": b"1"})
    return [*documents.values(), b"pkg:rpm/fedora/curl@7.50.3-1?arch=i386&epoch=1#sub"]

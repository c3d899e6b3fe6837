"""SPDX 2.2 and 2.3 as JSON (SPDX specification 2.3, clauses 7, 8 and 11, and its JSON schema)."""

from __future__ import annotations

import re
from typing import Any

from assay import limits, strict_json
from assay.model.inventory import Inventory, ListedFile, ListedPackage
from assay.sbom.fields import digests, malformed, objects, purl, text

NAME = "SPDX JSON"
_VERSION = re.compile(r"SPDX-2\.[0-9]\Z")
_NO_PACKAGE = {"CONTAINER", "DEVICE", "FILE", "FIRMWARE", "OPERATING-SYSTEM", "OPERATING_SYSTEM"}


def recognise(value: Any) -> bool:
    """Whether a parsed JSON document is one."""
    return isinstance(value, dict) and "spdxVersion" in value


def read(value: dict[str, Any], form: str = "JSON") -> Inventory:
    """The inventory in a parsed document. Raises AssayError (sbom-malformed, limit-exceeded)."""
    version = text(value, "spdxVersion", "", needed=True)
    if not _VERSION.match(version):
        raise malformed("spdxVersion", "SPDX-2.2 or SPDX-2.3", version)
    strict_json.check_keys(value, ("packages", "files", "relationships"), "")
    roots = _roots(value)
    packages = tuple(
        _package(entry, f"packages[{number}]", roots)
        for number, entry in enumerate(objects(value, "packages", "", limits.SBOM_PACKAGES))
    )
    files = tuple(
        _file(entry, f"files[{number}]")
        for number, entry in enumerate(objects(value, "files", "", limits.SBOM_FILES))
    )
    title = f"SPDX {version.removeprefix('SPDX-')} {form}"
    return Inventory(title, text(value, "name", ""), packages, files)


def _roots(value: dict[str, Any]) -> set[str]:
    """The ids of what the document says it is about."""
    described = value.get("documentDescribes")
    roots = (
        {one for one in described if isinstance(one, str)} if isinstance(described, list) else set()
    )
    for entry in objects(value, "relationships", "", 4 * limits.SBOM_FILES):
        kind = entry.get("relationshipType")
        ends = entry.get("spdxElementId"), entry.get("relatedSpdxElement")
        if kind == "DESCRIBES" and ends[0] == "SPDXRef-DOCUMENT":
            roots.add(str(ends[1]))
        elif kind == "DESCRIBED_BY" and ends[1] == "SPDXRef-DOCUMENT":
            roots.add(str(ends[0]))
    return roots


def _package(entry: dict[str, Any], where: str, roots: set[str]) -> ListedPackage:
    found = None
    for number, reference in enumerate(objects(entry, "externalRefs", f"{where}.", 4096)):
        if reference.get("referenceType") == "purl" and found is None:
            place = f"{where}.externalRefs[{number}]"
            found = purl(text(reference, "referenceLocator", place, needed=True), place)
    return ListedPackage(
        name=text(entry, "name", where, needed=True),
        version=text(entry, "versionInfo", where),
        purl=found,
        where=where,
        root=text(entry, "SPDXID", where) in roots,
        other=text(entry, "primaryPackagePurpose", where) in _NO_PACKAGE,
    )


def _file(entry: dict[str, Any], where: str) -> ListedFile:
    pairs = [
        (text(checksum, "algorithm", where, needed=True), text(checksum, "checksumValue", where))
        for checksum in objects(entry, "checksums", f"{where}.", limits.SBOM_DIGESTS)
    ]
    return ListedFile(
        text(entry, "fileName", where, needed=True), digests(pairs, f"{where}.checksums"), where
    )

"""CycloneDX as JSON (CycloneDX specification 1.2 to 1.7, JSON schema `bom-1.x.schema.json`)."""

from __future__ import annotations

import re
from typing import Any

from assay import limits, strict_json
from assay.model.inventory import Inventory, ListedFile, ListedPackage
from assay.sbom.fields import bound, digests, malformed, objects, purl, text

NAME = "CycloneDX JSON"
_VERSION = re.compile(r"1\.[0-9]\Z")
_PACKAGES = {"application", "framework", "library", "platform", "device-driver"}


def recognise(value: Any) -> bool:
    """Whether a parsed JSON document is one."""
    return isinstance(value, dict) and "bomFormat" in value


def read(value: dict[str, Any], form: str = "JSON") -> Inventory:
    """The inventory in a parsed document. Raises AssayError (sbom-malformed, limit-exceeded)."""
    if value.get("bomFormat") != "CycloneDX":
        raise malformed("bomFormat", "CycloneDX", value.get("bomFormat"))
    version = text(value, "specVersion", "", needed=True)
    if not _VERSION.match(version):
        raise malformed("specVersion", "a version 1.x of CycloneDX", version)
    strict_json.check_keys(value, ("components", "metadata"), "")
    packages: list[ListedPackage] = []
    files: list[ListedFile] = []
    name = ""
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("component"), dict):
        name = text(metadata["component"], "name", "metadata.component")
        _components([metadata["component"]], ["metadata.component"], packages, files, root=True)
    listed = objects(value, "components", "", limits.SBOM_FILES)
    places = [f"components[{number}]" for number in range(len(listed))]
    _components(listed, places, packages, files, root=False)
    return Inventory(f"CycloneDX {version} {form}", name, tuple(packages), tuple(files))


def _components(
    listed: list[dict[str, Any]],
    places: list[str],
    packages: list[ListedPackage],
    files: list[ListedFile],
    *,
    root: bool,
) -> None:
    """Components, and those within them."""
    stack = [
        (entry, where, root)
        for entry, where in zip(reversed(listed), reversed(places), strict=True)
    ]
    while stack:
        entry, where, is_root = stack.pop()
        kind = text(entry, "type", where, needed=True)
        if kind == "file":
            if is_root:
                continue  # the archive or folder that the document is about
            files.append(_file(entry, where))
        else:
            packages.append(_package(entry, where, kind, root=is_root))
        bound(len(packages), limits.SBOM_PACKAGES, "packages")
        bound(len(files), limits.SBOM_FILES, "files")
        inner = objects(entry, "components", f"{where}.", limits.SBOM_FILES)
        stack += [
            (inner[number], f"{where}.components[{number}]", False)
            for number in reversed(range(len(inner)))
        ]


def _package(entry: dict[str, Any], where: str, kind: str, *, root: bool) -> ListedPackage:
    name = text(entry, "name", where, needed=True)
    group = text(entry, "group", where)
    url = text(entry, "purl", where)
    return ListedPackage(
        name=f"{group}/{name}" if group else name,
        version=text(entry, "version", where),
        purl=purl(url, where) if url else None,
        where=where,
        root=root,
        other=kind not in _PACKAGES,
    )


def _file(entry: dict[str, Any], where: str) -> ListedFile:
    pairs = [
        (text(one, "alg", where, needed=True), text(one, "content", where))
        for one in objects(entry, "hashes", f"{where}.", limits.SBOM_DIGESTS)
    ]
    return ListedFile(
        text(entry, "name", where, needed=True), digests(pairs, f"{where}.hashes"), where
    )

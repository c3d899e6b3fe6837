"""SPDX 3.0 as JSON-LD, as far as packages and files go (SPDX specification 3.0.1, profiles Core and
Software, and its JSON schema, which fixes the names that JSON-LD would leave open)."""

from __future__ import annotations

import re
from typing import Any

from assay import limits
from assay.model.inventory import Inventory, ListedFile, ListedPackage
from assay.sbom.fields import digests, malformed, objects, purl, text

NAME = "SPDX 3 JSON-LD"
_CONTEXT = re.compile(r"https://spdx\.org/rdf/(3\.0\.[0-9]+)/spdx-context\.jsonld\Z")
_NO_PACKAGE = {"container", "device", "file", "firmware", "operatingSystem", "bom"}


def recognise(value: Any) -> bool:
    """Whether a parsed JSON document is one."""
    return (
        isinstance(value, dict) and "@context" in value and "spdx" in str(value["@context"])[:200]
    )


def read(value: dict[str, Any]) -> Inventory:
    """The inventory in a parsed document. Raises AssayError (sbom-malformed, limit-exceeded)."""
    context = value.get("@context")
    match = _CONTEXT.match(context) if isinstance(context, str) else None
    if match is None:
        raise malformed("@context", "the context of SPDX 3.0", context)
    # a document with one element may leave out the graph
    graph = objects(value, "@graph", "", 8 * limits.SBOM_FILES) if "@graph" in value else [value]
    named: dict[str, dict[str, Any]] = {}
    for entry in graph:
        if isinstance(key := entry.get("@id", entry.get("spdxId")), str):
            named[key] = entry
    name, roots = "", set()
    for entry in graph:
        if entry.get("type") in ("SpdxDocument", "software_Sbom", "Bom"):
            name = name or text(entry, "name", "")
            listed = entry.get("rootElement")
            listed = [listed] if isinstance(listed, str) else listed
            if isinstance(listed, list):
                roots |= {one for one in listed if isinstance(one, str)}
    packages: list[ListedPackage] = []
    files: list[ListedFile] = []
    for number, entry in enumerate(graph):
        where = f"@graph[{number}]"
        if entry.get("type") == "software_Package":
            packages.append(_package(entry, where, roots))
        elif entry.get("type") == "software_File" and entry.get("software_fileKind") != "directory":
            files.append(_file(entry, where, named))
    return Inventory(f"SPDX {match[1]} JSON-LD", name, tuple(packages), tuple(files))


def _package(entry: dict[str, Any], where: str, roots: set[str]) -> ListedPackage:
    url = text(entry, "software_packageUrl", where)
    if not url:
        for identifier in objects(entry, "externalIdentifier", f"{where}.", 4096):
            if identifier.get("externalIdentifierType") == "packageUrl":
                url = text(identifier, "identifier", where, needed=True)
                break
    return ListedPackage(
        name=text(entry, "name", where, needed=True),
        version=text(entry, "software_packageVersion", where),
        purl=purl(url, where) if url else None,
        where=where,
        root=text(entry, "spdxId", where) in roots,
        other=text(entry, "software_primaryPurpose", where) in _NO_PACKAGE,
    )


def _file(entry: dict[str, Any], where: str, named: dict[str, dict[str, Any]]) -> ListedFile:
    listed = entry.get("verifiedUsing", [])
    if not isinstance(listed, list):
        raise malformed(f"{where}.verifiedUsing", "a list", listed)
    pairs = []
    for one in listed[: limits.SBOM_DIGESTS + 1]:
        method = named.get(one) if isinstance(one, str) else one
        if isinstance(method, dict) and method.get("type") == "Hash":
            name = text(method, "algorithm", where, needed=True).replace("_", "-")
            pairs.append((name, text(method, "hashValue", where)))
    return ListedFile(
        text(entry, "name", where, needed=True), digests(pairs, f"{where}.verifiedUsing"), where
    )

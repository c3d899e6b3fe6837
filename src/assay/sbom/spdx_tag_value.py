"""SPDX 2.2 and 2.3 in the tag-value format (SPDX specification 2.3, clauses 6 to 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from assay import limits
from assay.model.codes import sbom as codes
from assay.model.finding import AssayError, Finding
from assay.model.inventory import Inventory
from assay.sbom import spdx2
from assay.sbom.fields import bound, malformed

NAME = "SPDX tag-value"
_TAG = re.compile(r"([A-Za-z][A-Za-z0-9]*):(?:[ \t]+|$)(.*)\Z", re.DOTALL)
_START, _END = "<text>", "</text>"
_ELSEWHERE = {"SnippetSPDXID", "LicenseID", "Reviewer", "Annotator"}
"""Tags that begin a part which is neither a package nor a file."""


def recognise(data: bytes) -> bool:
    """Whether bytes are such a document: comments may stand before the version."""
    lines = data.removeprefix(b"\xef\xbb\xbf")[:4096].splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith(b"#")), b"")
    return first.startswith(b"SPDXVersion:")


def read(data: bytes) -> Inventory:
    """The inventory in a document. Raises AssayError (sbom-malformed, limit-exceeded)."""
    document: dict[str, Any] = {"packages": [], "files": [], "relationships": []}
    part: dict[str, Any] = document
    for tag, value, line in _tags(data):
        if tag in ("PackageName", "FileName"):
            kind, key = ("packages", "name") if tag == "PackageName" else ("files", "fileName")
            part = {key: value}
            document[kind].append(part)
            most = limits.SBOM_PACKAGES if kind == "packages" else limits.SBOM_FILES
            bound(len(document[kind]), most, kind)
        elif tag == "Relationship":
            words = value.split()
            if len(words) != 3:
                raise malformed(f"Relationship in line {line}", "two ids and a type", value)
            names = ("spdxElementId", "relationshipType", "relatedSpdxElement")
            document["relationships"].append(dict(zip(names, words, strict=True)))
        elif tag in _ELSEWHERE:
            part = {}
        else:
            _field(part, document, tag, value, line)
    return spdx2.read(document, "tag-value")


_PLAIN = {
    "SPDXVersion": "spdxVersion",
    "DocumentName": "name",
    "SPDXID": "SPDXID",
    "PackageVersion": "versionInfo",
    "PrimaryPackagePurpose": "primaryPackagePurpose",
}


def _field(part: dict[str, Any], document: dict[str, Any], tag: str, value: str, line: int) -> None:
    if tag in ("SPDXVersion", "DocumentName"):
        part = document
    if tag in _PLAIN:
        if part.setdefault(_PLAIN[tag], value) != value:
            raise malformed(f"{tag} in line {line}", "given once", value)
    elif tag == "ExternalRef":
        words = value.split()
        if len(words) == 3 and words[1] == "purl":
            part.setdefault("externalRefs", []).append(
                {"referenceType": "purl", "referenceLocator": words[2]}
            )
    elif tag == "FileChecksum":
        algorithm, colon, digits = value.partition(":")
        if not colon:
            raise malformed(f"{tag} in line {line}", "ALGORITHM: VALUE", value)
        part.setdefault("checksums", []).append(
            {"algorithm": algorithm.strip(), "checksumValue": digits.strip()}
        )


def _tags(data: bytes) -> Iterator[tuple[str, str, int]]:
    """Tags with their values and lines; a value in <text> may have several lines."""
    try:
        whole = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise AssayError(
            Finding.of(codes.SBOM_MALFORMED, detail="not UTF-8", offset=error.start)
        ) from error
    lines = iter(enumerate(whole.split("\n"), 1))
    for number, line in lines:
        line = line.rstrip("\r")
        if not line.strip() or line.startswith("#"):
            continue
        match = _TAG.match(line)
        if match is None:
            raise malformed(f"line {number}", "a tag with a value", line[:80])
        tag, value = match[1], match[2].strip()
        if value.startswith(_START):
            gathered = [value.removeprefix(_START)]
            while _END not in gathered[-1]:
                _, more = next(lines, (0, None))
                if more is None:
                    raise malformed(f"the text from line {number} on", "ended by </text>")
                gathered.append(more)
            value = "\n".join(gathered).partition(_END)[0].strip()
        yield tag, value, number

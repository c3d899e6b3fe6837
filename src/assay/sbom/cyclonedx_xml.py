"""CycloneDX as XML (CycloneDX specification, `bom-1.x.xsd`).

The elements that matter are put in the shape that the JSON format has, and read as that. A document
type declaration is refused: it is where entities come from, and an SBOM needs none.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from assay import limits
from assay.model.codes import sbom as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.inventory import Inventory
from assay.sbom import cyclonedx
from assay.sbom.fields import malformed

NAME = "CycloneDX XML"
_NAMESPACE = re.compile(r"http://cyclonedx\.org/schema/bom/(1\.[0-9])\Z")
_TEXTS = {"name", "version", "group", "purl"}


def recognise(data: bytes) -> bool:
    """Whether bytes begin as such a document, or any XML, does."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read(data: bytes) -> Inventory:
    """The inventory in a document. Raises AssayError (sbom-malformed, limit-exceeded)."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise AssayError(
            Finding.of(
                codes.SBOM_MALFORMED,
                detail=f"not XML: {expat.ErrorString(error.code)}",
                offset=max(parser.ErrorByteIndex, 0),
            )
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that is none
        raise malformed("the document", f"XML ({error})") from error
    return cyclonedx.read(builder.document, "XML")


def _refuse(*_: object) -> None:
    raise malformed("the document", "XML without a document type declaration", "<!DOCTYPE")


class _Builder:
    """Makes the document that the JSON format would have."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"components": []}
        self._space = ""
        self._path: list[str] = []
        self._open: list[dict[str, Any]] = []
        self._hash: dict[str, str] | None = None
        self._pieces: list[str] | None = None
        self._elements = 0

    def start(self, element: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > limits.SBOM_XML_ELEMENTS or len(self._path) >= 4 * limits.JSON_DEPTH:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail="the SBOM has too many XML elements, or too deep")
            )
        space, _, name = element.rpartition(" ")
        if self._pieces is not None:
            raise malformed(self._path[-1], "text without elements in it", name)
        if not self._path:
            match = _NAMESPACE.match(space)
            if name != "bom" or match is None:
                raise malformed("the top element", "bom of CycloneDX 1.x", f"{space} {name}")
            self._space = space
            self.document |= {"bomFormat": "CycloneDX", "specVersion": match[1]}
        elif space != self._space:
            name = ""  # someone's extension
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == "component" and self._is_listed():
            self._component({"type": attributes.get("type")})
        elif not self._open or not name:
            pass
        elif parent == "component" and name in _TEXTS and self._at_component(1):
            self._pieces = []
        elif name == "hash" and parent == "hashes" and self._at_component(2):
            self._hash, self._pieces = {"alg": attributes.get("alg", "")}, []

    def text(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)

    def end(self, element: str) -> None:
        name = self._path.pop()
        if name == "component" and self._open and self._open[-1]["depth"] == len(self._path):
            del self._open.pop()["depth"]
        elif self._pieces is not None:
            content = "".join(self._pieces).strip()
            self._pieces = None
            part = self._open[-1]
            if self._hash is not None:
                part.setdefault("hashes", []).append({**self._hash, "content": content})
                self._hash = None
            elif part.setdefault(name, content) != content:
                raise malformed(name, "given once in a component", content)

    def _is_listed(self) -> bool:
        """Whether the component just begun is one of the document's inventory."""
        path = self._path
        if path == ["bom", "metadata", "component"]:
            return True
        if path[-2] != "components":
            return False  # an ancestor in a pedigree, a tool
        return path == ["bom", "components", "component"] or self._at_component(2)

    def _at_component(self, below: int) -> bool:
        """Whether the element just begun is so many levels below the open component."""
        return bool(self._open) and self._open[-1]["depth"] == len(self._path) - 1 - below

    def _component(self, component: dict[str, Any]) -> None:
        if self._path[1] == "metadata" and len(self._path) == 3:
            self.document["metadata"] = {"component": component}
        elif self._open:
            self._open[-1].setdefault("components", []).append(component)
        else:
            self.document["components"].append(component)
        component["depth"] = len(self._path) - 1
        self._open.append(component)

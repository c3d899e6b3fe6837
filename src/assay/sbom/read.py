"""Reads an SBOM, whatever format it is in."""

from __future__ import annotations

from typing import Any, Protocol

from assay import strict_json
from assay.model.codes import sbom as codes
from assay.model.finding import AssayError, Finding
from assay.model.inventory import Inventory
from assay.sbom import cyclonedx, cyclonedx_xml, spdx2, spdx3, spdx_tag_value


class _ValueReader(Protocol):
    """The shape of a reader's module, for a format that is JSON."""

    NAME: str

    def recognise(self, value: Any) -> bool: ...

    def read(self, value: dict[str, Any]) -> Inventory: ...


class _ByteReader(Protocol):
    """The same for a format that is not."""

    NAME: str

    def recognise(self, data: bytes) -> bool: ...

    def read(self, data: bytes) -> Inventory: ...


_OF_VALUES: tuple[_ValueReader, ...] = (cyclonedx, spdx2, spdx3)
_OF_BYTES: tuple[_ByteReader, ...] = (spdx_tag_value, cyclonedx_xml)

PREDICATES = ("https://spdx.dev/Document", "https://cyclonedx.org/bom")
"""Types of in-toto predicates that are SBOMs; a version may follow (in-toto attestation framework,
spec/predicates/spdx.md and cyclonedx.md)."""


def is_predicate(kind: str) -> bool:
    """Whether statements of this predicate type hold an SBOM."""
    return any(kind == known or kind.startswith((f"{known}/", f"{known}@")) for known in PREDICATES)


def read(data: bytes) -> Inventory:
    """The inventory in an SBOM. Raises AssayError (sbom-malformed, limit-exceeded ...)."""
    for reader in _OF_BYTES:
        if reader.recognise(data):
            return reader.read(data)
    if data.lstrip()[:1] != b"{":
        raise _unknown()
    return read_value(strict_json.parse(data, ""))


def read_value(value: Any) -> Inventory:
    """The inventory in an SBOM that is parsed JSON. Raises AssayError."""
    found = [reader for reader in _OF_VALUES if reader.recognise(value)]
    if len(found) > 1:
        both = " and ".join(reader.NAME for reader in found)
        raise AssayError(Finding.of(codes.SBOM_MALFORMED, detail=f"it claims to be {both}"))
    if not found:
        raise _unknown()
    return found[0].read(value)


def read_predicate(value: dict[str, Any]) -> Inventory:
    """The inventory in a predicate. What is no JSON (SPDX as tag-value) stands in it as text, in
    ``Data``. Raises AssayError."""
    text = value.get("Data")
    if isinstance(text, str) and not any(reader.recognise(value) for reader in _OF_VALUES):
        return read(text.encode("utf-8"))
    return read_value(value)


def _unknown() -> AssayError:
    names = ", ".join([one.NAME for one in _OF_VALUES] + [one.NAME for one in _OF_BYTES])
    return AssayError(
        Finding.of(codes.SBOM_MALFORMED, detail="it is in no format of SBOMs", expected=names)
    )

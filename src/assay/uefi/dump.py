"""Variables in JSON, as virt-firmware writes them (``virt-fw-vars --output-json``)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from assay import limits
from assay.model.codes import uefi as codes
from assay.model.finding import AssayError, Finding
from assay.strict_json import parse_object
from assay.uefi.time import SIZE as TIME_SIZE
from assay.uefi.time import read_time
from assay.uefi.variable import Variable


def looks_like_dump(data: bytes) -> bool:
    """Whether this beginning of a document may be such a dump. Raises nothing."""
    head = data.lstrip()[:4096]
    return head[:1] == b"{" and b'"variables"' in head and b'"version"' in head


def read_dump(data: bytes, component: str = "") -> tuple[Variable, ...]:
    """All variables of a dump. Raises AssayError (uefi-dump-malformed, or as JSON does)."""
    document = parse_object(data, component)
    if document.get("version") != 2:
        raise _bad(component, "it is no dump of variables of version 2")
    found = document.get("variables")
    if not isinstance(found, list) or len(found) > limits.UEFI_VARIABLES:
        raise _bad(component, "its variables are no list, or a very long one")
    return tuple(
        _variable(each, f"variables[{number}]", component) for number, each in enumerate(found)
    )


def _variable(value: Any, place: str, component: str) -> Variable:
    try:
        name, guid, attributes = value["name"], value["guid"], value["attr"]
        data, time = bytes.fromhex(value["data"]), bytes.fromhex(value.get("time", ""))
        vendor = str(uuid.UUID(guid))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise _bad(component, f"{place}: {type(error).__name__}: {str(error)[:80]}") from None
    if not isinstance(name, str) or not name or "\0" in name:
        raise _bad(component, f"{place}: the name is no text")
    if not isinstance(attributes, int) or not 0 <= attributes < 1 << 32:
        raise _bad(component, f"{place}: the attributes are no number of 32 bits")
    return Variable(name, vendor, attributes, data, _time(time, place, component))


def _time(data: bytes, place: str, component: str) -> datetime | None:
    if not any(data):
        return None
    try:
        if len(data) != TIME_SIZE:
            raise ValueError(f"a time of {len(data)} bytes")
        return read_time(data)
    except ValueError as error:
        raise _bad(component, f"{place}: {error}") from None


def _bad(component: str, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.UEFI_DUMP_MALFORMED, component, detail))

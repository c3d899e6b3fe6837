"""The variable store of EDK II firmware (OVMF, AAVMF): a firmware volume with variables in it.

UEFI Platform Initialization Specification 1.7, volume 3, section 3.2.1 (firmware volume header);
the store itself is as EDK II has it (MdeModulePkg/Include/Guid/VariableFormat.h), in its
authenticated and in its older layout. What follows the store in the volume (event log, fault
tolerant write) is not looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from assay import limits
from assay.model.codes import uefi as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.spans import Span
from assay.uefi.guid import read_guid
from assay.uefi.time import SIZE as TIME_SIZE
from assay.uefi.time import read_time
from assay.uefi.variable import Variable

_VOLUME = struct.Struct("<16s16sQ4sIHHHBB")
_STORE = struct.Struct("<16sIBBHI")
_FILE_SYSTEM = "fff12b8d-7696-4c8b-a985-2747075b4f50"
"""EFI_SYSTEM_NV_DATA_FV_GUID."""
_AUTHENTICATED = "aaf32c78-947b-439a-a180-2e144ec37792"
_PLAIN = "ddcf3616-3275-4164-98b6-fe85707ffe7d"
_FORMATTED, _HEALTHY = 0x5A, 0xFE
_START = 0x55AA
_ADDED, _ON_ITS_WAY_OUT = 0x3F, 0x3E
_ERASED = b"\xff"


class VariableStore(Struct, frozen=True):
    """What a store holds. ``variables`` are those that count; ``deleted`` counts those that were
    replaced or removed, whose bytes are still there. ``headers`` and ``region`` are the ranges of
    the two headers and of the space for variables, of which ``used`` bytes are taken."""

    authenticated: bool
    variables: tuple[Variable, ...]
    deleted: int
    headers: Span
    region: Span
    used: int
    findings: tuple[Finding, ...]


class _Record(Struct, frozen=True):
    """A variable as it stands in the store, dead or alive."""

    variable: Variable
    state: int


def looks_like_volume(data: bytes) -> bool:
    """Whether these bytes begin as a volume with variables does. Raises nothing."""
    return data[40:44] == b"_FVH" and read_guid(data[16:32]) == _FILE_SYSTEM


def read_store(data: bytes, component: str = "") -> VariableStore:
    """The variables of a volume. Raises AssayError (uefi-store-malformed); what is odd and leaves
    the rest readable is in the findings."""
    findings: list[Finding] = []
    at, end = _volume(data, component, findings)
    if end - at < _STORE.size:
        raise _bad(component, "the volume has no room for a variable store", at)
    guid, size, format_, state, _, _ = _STORE.unpack_from(data, at)
    kind = read_guid(guid)
    if kind not in (_AUTHENTICATED, _PLAIN):
        raise _bad(component, "there is no variable store that is known", at, _AUTHENTICATED, kind)
    if not _STORE.size <= size <= end - at:
        raise _bad(
            component, "the size of the store cannot be", at + 16, f"at most {end - at}", size
        )
    if (format_, state) != (_FORMATTED, _HEALTHY):
        found = f"format 0x{format_:02x}, state 0x{state:02x}"
        raise _bad(component, "the store is not in use", at + 20, "format 0x5a, state 0xfe", found)
    first, stop = at + _STORE.size, at + size
    layout = _Authenticated if kind == _AUTHENTICATED else _Plain
    records: list[_Record] = []
    place = first
    try:
        for record in _records(data, first, stop, layout, component, findings):
            records.append(record)
            assert record.variable.span is not None
            place = record.variable.span[1]
    except AssayError as error:
        findings.append(error.finding)
    if len(data) > end and data[end:].strip(_ERASED).strip(b"\0"):
        # OVMF.fd has the code behind the variables; nothing of it is looked at
        detail = f"{len(data) - end} bytes follow the volume; they are not looked at"
        findings.append(Finding.of(codes.UEFI_STORE_REST, component, detail, offset=end))
    alive = tuple(_alive(records))
    return VariableStore(
        authenticated=kind == _AUTHENTICATED,
        variables=alive,
        deleted=len(records) - len(alive),
        headers=(0, first),
        region=(first, stop),
        used=place - first,
        findings=tuple(findings),
    )


def _volume(data: bytes, component: str, findings: list[Finding]) -> Span:
    """The range of the volume behind its header."""
    if len(data) < _VOLUME.size or not looks_like_volume(data):
        raise _bad(component, "there is no firmware volume with variables", 0)
    _, _, length, _, _, header, *_ = _VOLUME.unpack_from(data)
    if header < _VOLUME.size or header % 2 or header > length:
        raise _bad(component, "the length of the volume's header cannot be", 48, actual=header)
    if length > len(data):
        findings.append(
            Finding.of(
                codes.UEFI_STORE_MALFORMED,
                component,
                "the volume is longer than the file",
                expected=f"{length} bytes",
                actual=f"{len(data)} bytes",
                offset=32,
                cause="truncation",
            )
        )
        length = len(data)
    if header > length:
        raise _bad(component, "the file ends within the volume's header", length)
    if sum(struct.unpack_from(f"<{header // 2}H", data)) & 0xFFFF:
        findings.append(
            Finding.of(
                codes.UEFI_STORE_MALFORMED,
                component,
                "the checksum of the volume's header is wrong",
                offset=50,
                cause="corruption",
            )
        )
    return header, length


class _Authenticated:
    """AUTHENTICATED_VARIABLE_HEADER."""

    layout = struct.Struct("<HBBIQ16sIII16s")

    @staticmethod
    def fields(values: tuple[int | bytes, ...]) -> tuple[int, int, int, int, bytes, bytes]:
        """State, attributes, lengths of name and data, vendor, time."""
        _, state, _, attributes, _, time, _, name, size, vendor = values
        return state, attributes, name, size, vendor, time  # type: ignore[return-value]


class _Plain:
    """VARIABLE_HEADER, which has no time."""

    layout = struct.Struct("<HBBIII16s")

    @staticmethod
    def fields(values: tuple[int | bytes, ...]) -> tuple[int, int, int, int, bytes, bytes]:
        _, state, _, attributes, name, size, vendor = values
        return state, attributes, name, size, vendor, bytes(TIME_SIZE)  # type: ignore[return-value]


def _records(
    data: bytes,
    at: int,
    stop: int,
    kind: type[_Authenticated | _Plain],
    component: str,
    findings: list[Finding],
) -> Iterator[_Record]:
    """Every variable, in order. A header of which not even the lengths are valid ends the store, as
    it does for firmware."""
    size, count = kind.layout.size, 0
    while at + size <= stop:
        if struct.unpack_from("<H", data, at)[0] != _START:
            break
        if (count := count + 1) > limits.UEFI_VARIABLES:
            raise _bad(component, f"more than {limits.UEFI_VARIABLES} variables", at)
        state, attributes, name_size, data_size, vendor, time = kind.fields(
            kind.layout.unpack_from(data, at)
        )
        if state == 0xFF or name_size == 0xFFFFFFFF:
            break
        name_at, data_at = at + size, at + size + name_size
        end = data_at + data_size
        if end > stop:
            raise _bad(component, "a variable ends behind the store", at, f"at most {stop}", end)
        name = _name(data[name_at:data_at])
        if name is None:
            if state in (_ADDED, _ON_ITS_WAY_OUT):
                raise _bad(
                    component, "the name of a variable is no text that ends with zero", name_at
                )
            name = ""
        following = -(-end // 4) * 4
        variable = Variable(
            name,
            read_guid(vendor),
            attributes,
            data[data_at:end],
            _time(time, component, at, findings),
            (at, min(following, stop)),
            (data_at, end),
        )
        yield _Record(variable, state)
        at = following
    rest = data[min(at, stop) : stop]
    if rest.strip(_ERASED):
        detail = "bytes behind the last variable are not erased"
        findings.append(
            Finding.of(
                codes.UEFI_STORE_MALFORMED, component, detail, offset=at, severity=Severity.WARNING
            )
        )


def _name(data: bytes) -> str | None:
    """The name of a variable, without the zero that has to end it."""
    if len(data) < 2 or len(data) % 2 or data[-2:] != b"\0\0":
        return None
    with suppress(UnicodeDecodeError):
        name = data[:-2].decode("utf-16-le")
        return name if name and "\0" not in name else None
    return None


def _time(data: bytes, component: str, at: int, findings: list[Finding]) -> datetime | None:
    if not any(data) or data == _ERASED * TIME_SIZE:
        return None
    try:
        return read_time(data)
    except ValueError as error:
        findings.append(
            Finding.of(
                codes.UEFI_STORE_MALFORMED,
                component,
                f"the time of a variable: {error}",
                actual=data.hex(),
                offset=at,
                severity=Severity.WARNING,
            )
        )
        return None


def _alive(records: list[_Record]) -> Iterator[Variable]:
    """The variables that count. One that was to be replaced when the power failed counts unless its
    successor is there."""
    added = {
        (record.variable.name, record.variable.vendor)
        for record in records
        if record.state == _ADDED
    }
    for record in records:
        key = record.variable.name, record.variable.vendor
        if record.state == _ADDED or (record.state == _ON_ITS_WAY_OUT and key not in added):
            yield record.variable


def _bad(
    component: str, detail: str, offset: int, expected: object = "", actual: object = ""
) -> AssayError:
    return AssayError(
        Finding.of(
            codes.UEFI_STORE_MALFORMED,
            component,
            detail,
            expected=expected,
            actual=actual,
            offset=offset,
        )
    )

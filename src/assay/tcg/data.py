"""What the data of events say (PFP 1.06, section 10.4), for showing and for comparing.

Nothing here is proven: `covered` says which of it a digest speaks for.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from assay import limits
from assay.model.finding import AssayError
from assay.printable import printable
from assay.tcg import names
from assay.tcg.device_path import device_path
from assay.tcg.fields import (
    Fields,
    TooShort,
    ascii_text,
    hexadecimal,
    some_text,
    wide_text,
)
from assay.tcg.log import SPEC_ID, Event
from assay.tcg.replay import STARTUP_LOCALITY
from assay.uefi.guid import GLOBAL, name_of, read_guid

_SWITCHES = {"SecureBoot", "DeployedMode", "AuditMode", "SetupMode", "MokListTrusted"}
_TABLES = {
    "eb9d2d31-2d88-11d3-9a16-0090273fc14d": "SMBIOS",
    "f2fd1544-9794-4a2c-992e-e5bbcf20e394": "SMBIOS 3",
    "8868e871-e4f1-11d3-bc22-0080c73c8881": "ACPI",
    "eb9d2d30-2d88-11d3-9a16-0090273fc14d": "ACPI 1",
}
_TAGS = {0x8F3B22EC: "initrd", 0x8F3B22ED: "LoadOptions", 0x13F9E5CE: "credential"}
_SEPARATORS = {b"\0\0\0\0": "0", b"\xff\xff\xff\xff": "0xffffffff"}
SEPARATOR_ERROR = b"\1\0\0\0"


class Variable(Struct, frozen=True):
    """UEFI_VARIABLE_DATA: a variable as it was measured."""

    vendor: str
    name: str
    data: bytes


class Said(Struct, frozen=True):
    """``text`` is one line for people, ``fields`` the same by name for programs."""

    text: str
    fields: dict[str, str] = {}


def said_by(event: Event) -> Said:
    """What an event's data say. Raises nothing: data of no known structure show as they are."""
    read = _READERS.get(event.kind, _text)
    try:
        return read(event)
    except TooShort:
        return Said(hexadecimal(event.data))


def variable_of(event: Event) -> Variable | None:
    """The variable that an event is about; None where its data hold none."""
    if event.kind not in _VARIABLES:
        return None
    try:
        return _variable(event.data)
    except TooShort:
        return None


def _variable(data: bytes) -> Variable:
    fields = Fields(data)
    vendor = fields.guid()
    characters, size = fields.number(8), fields.number(8)
    name = fields.take(2 * characters)
    return Variable(vendor, wide_text(name), fields.take(size))


def _show_variable(event: Event) -> Said:
    found = _variable(event.data)
    fields = {"vendor": found.vendor, "variable": found.name, "size": str(len(found.data))}
    if event.kind == names.EFI_VARIABLE_AUTHORITY:
        return Said(f"{found.name}: {_authority(found, fields)}", fields)
    return Said(f"{found.name} = {_content(found, fields)}", fields)


def _authority(found: Variable, fields: dict[str, str]) -> str:
    """What allowed a program: an EFI_SIGNATURE_DATA with a certificate in it, the certificate alone
    (as old versions of shim log it), or something else."""
    from assay.x509.certificate import read_certificate

    for start in (16, 0):
        der = found.data[start:]
        if der[:2] != b"\x30\x82":
            continue
        der = der[: 4 + int.from_bytes(der[2:4], "big")]
        if start:
            fields["owner"] = name_of(read_guid(found.data[:16]))
        try:
            fields["certificate"] = printable(str(read_certificate(der)), limits.TCG_SHOWN)
        except AssayError:
            return "a certificate that cannot be read"
        return fields["certificate"]
    return _content(found, fields)


def _content(found: Variable, fields: dict[str, str]) -> str:
    """A variable's value, as far as it can be told in a few words."""
    if found.name in _SWITCHES and len(found.data) == 1:
        fields["value"] = str(found.data[0])
        return {0: "off", 1: "on"}.get(found.data[0], str(found.data[0]))
    if found.vendor == GLOBAL and found.name == "BootOrder" and not len(found.data) % 2:
        order = [f"{number:04X}" for number in _pairs(found.data)]
        fields["value"] = ",".join(order)
        return fields["value"] or "(empty)"
    if found.vendor == GLOBAL and found.name[:4] == "Boot" and len(found.name) == 8:
        return _load_option(found.data, fields)
    if not found.data:
        return "(empty)"
    if found.name in ("PK", "KEK", "db", "dbx", "dbt", "dbr") or len(found.data) > 64:
        return f"{len(found.data)} bytes"
    return some_text(found.data)


def _pairs(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def _load_option(data: bytes, fields: dict[str, str]) -> str:
    """EFI_LOAD_OPTION (UEFI Specification section 3.1.3)."""
    option = Fields(data)
    option.number(4)
    length = option.number(2)
    rest = option.rest()
    end = next((at for at in range(0, len(rest) - 1, 2) if rest[at : at + 2] == b"\0\0"), None)
    if end is None:
        raise TooShort
    path = device_path(rest[end + 2 : end + 2 + length])
    fields["description"], fields["device-path"] = wide_text(rest[:end]), path
    return f"{fields['description']}, {path}"


def _image(event: Event) -> Said:
    """UEFI_IMAGE_LOAD_EVENT (section 10.2.3)."""
    fields = Fields(event.data)
    _, length, _, path_length = (fields.number(8) for _ in range(4))
    path = device_path(fields.take(path_length)) if path_length else ""
    return Said(
        path or f"a program of {length} bytes, from memory",
        {"device-path": path, "memory-size": str(length)},
    )


def _gpt(event: Event) -> Said:
    """UEFI_GPT_DATA (section 10.2.4)."""
    fields = Fields(event.data)
    header = fields.take(92)
    count = fields.number(8)
    size = int.from_bytes(header[84:88], "little")
    shown: list[str] = []
    for _ in range(count):
        if len(shown) >= limits.TCG_PARTITIONS:
            break
        entry = fields.take(size if size >= 128 else 128)
        shown.append(f"{read_guid(entry[:16])} {wide_text(entry[56:128])}".rstrip())
    disk = read_guid(header[56:72])
    return Said(
        f"disk {disk}, {count} partitions: {'; '.join(shown)}",
        {"disk": disk, "partitions": str(count)},
    )


def _blob(event: Event) -> Said:
    """UEFI_PLATFORM_FIRMWARE_BLOB (section 10.2.5)."""
    if len(event.data) != 16:
        return _text(event)
    fields = Fields(event.data)
    base, size = fields.number(8), fields.number(8)
    return Said(f"{size} bytes at 0x{base:x}", {"base": f"0x{base:x}", "size": str(size)})


def _described_blob(event: Event) -> Said:
    """UEFI_PLATFORM_FIRMWARE_BLOB2."""
    fields = Fields(event.data)
    description = ascii_text(fields.take(fields.number(1)))
    base, size = fields.number(8), fields.number(8)
    return Said(
        f"{description}, {size} bytes at 0x{base:x}",
        {"description": description, "base": f"0x{base:x}", "size": str(size)},
    )


def _tables(event: Event) -> Said:
    """UEFI_HANDOFF_TABLE_POINTERS and the one with a description (section 10.2.6)."""
    fields = Fields(event.data)
    described = event.kind == names.EFI_HANDOFF_TABLES2
    description = ascii_text(fields.take(fields.number(1))) if described else ""
    count = fields.number(8)
    shown: list[str] = []
    while len(shown) < min(count, limits.TCG_PARTITIONS):
        guid = fields.guid()
        fields.number(8)
        shown.append(_TABLES.get(guid, guid))
    text = f"{description}: {', '.join(shown)}" if description else ", ".join(shown)
    return Said(text or "no table", {"tables": ", ".join(shown)})


def _tag(event: Event) -> Said:
    """TCG_PCClientTaggedEvent (section 10.2.7)."""
    fields = Fields(event.data)
    number, length = fields.number(4), fields.number(4)
    content = some_text(fields.take(length))
    name = _TAGS.get(number)
    known = f" ({name})" if name else ""
    return Said(f"0x{number:08x}{known}: {content}", {"tag": f"0x{number:08x}", "text": content})


def _separator(event: Event) -> Said:
    if event.data == SEPARATOR_ERROR:
        return Said("an error: the firmware could not measure", {"value": "1"})
    known = _SEPARATORS.get(event.data)
    return Said(known, {"value": known}) if known else _text(event)


def _no_action(event: Event) -> Said:
    data = event.data
    if data.startswith(SPEC_ID) and len(data) >= 24:
        return Said(f"event log, version {data[21]}.{data[20]}", {"text": "Spec ID Event03"})
    if data.startswith(STARTUP_LOCALITY) and len(data) == 17:
        return Said(f"TPM started from locality {data[16]}", {"locality": str(data[16])})
    if data[:16].isascii() and b"\0" in data[:17]:
        return Said(ascii_text(data[: data.index(b"\0")]))
    return _text(event)


def _text(event: Event) -> Said:
    text = some_text(event.data)
    return Said(text, {"text": text} if text else {})


_VARIABLES = {
    names.EFI_VARIABLE_DRIVER_CONFIG,
    names.EFI_VARIABLE_BOOT,
    names.EFI_VARIABLE_BOOT2,
    names.EFI_VARIABLE_AUTHORITY,
}
_READERS: dict[int, Callable[[Event], Said]] = {
    **dict.fromkeys(_VARIABLES, _show_variable),
    names.EFI_BOOT_SERVICES_APPLICATION: _image,
    names.EFI_BOOT_SERVICES_DRIVER: _image,
    names.EFI_RUNTIME_SERVICES_DRIVER: _image,
    names.EFI_GPT_EVENT: _gpt,
    names.EFI_GPT_EVENT2: _gpt,
    names.EFI_PLATFORM_FIRMWARE_BLOB: _blob,
    names.EFI_PLATFORM_FIRMWARE_BLOB2: _described_blob,
    names.EFI_HANDOFF_TABLES: _tables,
    names.EFI_HANDOFF_TABLES2: _tables,
    names.EVENT_TAG: _tag,
    names.SEPARATOR: _separator,
    names.NO_ACTION: _no_action,
}

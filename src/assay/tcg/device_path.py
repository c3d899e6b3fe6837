"""Device paths as text (UEFI Specification 2.10, sections 10.3 and 10.6), as far as they occur in
event logs. A node of a kind that is not known shows as ``Path(type,subtype,bytes)``."""

from __future__ import annotations

from collections.abc import Callable

from assay import limits
from assay.printable import printable
from assay.uefi.guid import read_guid

_END = 0x7F


def device_path(data: bytes) -> str:
    """The text of a device path; what is cut short shows as such. Raises nothing."""
    shown: list[str] = []
    at = 0
    while at + 4 <= len(data) and len(shown) < limits.TCG_PATH_NODES:
        kind, subtype = data[at], data[at + 1]
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        if kind == _END:
            return "/".join(shown)
        if length < 4 or at + length > len(data):
            break
        body = data[at + 4 : at + length]
        shown.append(_node(kind, subtype, body))
        at += length
    return "/".join([*shown, "(cut short)"])


def _node(kind: int, subtype: int, body: bytes) -> str:
    show = _NODES.get((kind, subtype))
    text = show(body) if show is not None else ""
    return text or f"Path({kind},{subtype},{body.hex()[:128]})"


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _acpi(body: bytes) -> str:
    if len(body) != 8:
        return ""
    hid, uid = _number(body, 0, 4), _number(body, 4, 4)
    if hid & 0xFFFF == 0x41D0:
        name = {0x0A03: "PciRoot", 0x0A08: "PcieRoot"}.get(hid >> 16)
        return f"{name}(0x{uid:x})" if name else f"Acpi(PNP{hid >> 16:04X},0x{uid:x})"
    return f"Acpi(0x{hid:08x},0x{uid:x})"


def _hard_drive(body: bytes) -> str:
    if len(body) != 38:
        return ""
    number, start, size = _number(body, 0, 4), _number(body, 4, 8), _number(body, 12, 8)
    signature, form = body[20:36], body[37]
    if form == 2:
        name = f"GPT,{read_guid(signature)}"
    elif form == 1:
        name = f"MBR,0x{_number(signature, 0, 4):08x}"
    else:
        name = f"{form},0"
    return f"HD({number},{name},0x{start:x},0x{size:x})"


def _file(body: bytes) -> str:
    text = body.decode("utf-16-le", "replace").rstrip("\0")
    return printable(text, limits.TCG_SHOWN)


def _numbers(name: str, *sizes: int) -> Callable[[bytes], str]:
    def show(body: bytes) -> str:
        if len(body) < sum(sizes):
            return ""
        values, at = [], 0
        for size in sizes:
            values.append(f"0x{_number(body, at, size):x}")
            at += size
        return f"{name}({','.join(values)})"

    return show


def _pci(body: bytes) -> str:
    return f"Pci(0x{body[1]:x},0x{body[0]:x})" if len(body) == 2 else ""


def _guid(name: str) -> Callable[[bytes], str]:
    return lambda body: f"{name}({read_guid(body[:16])})" if len(body) >= 16 else ""


def _mac(body: bytes) -> str:
    if len(body) != 33:
        return ""
    size = 6 if body[32] in (0, 1) else 32
    return f"MAC({body[:size].hex()},0x{body[32]:x})"


def _uri(body: bytes) -> str:
    return f"Uri({printable(body, limits.TCG_SHOWN)})"


_NODES: dict[tuple[int, int], Callable[[bytes], str]] = {
    (1, 1): _pci,
    (1, 3): _numbers("MemoryMapped", 4, 8, 8),
    (1, 4): _guid("VenHw"),
    (2, 1): _acpi,
    (3, 1): _numbers("Ata", 1, 1, 2),
    (3, 2): _numbers("Scsi", 2, 2),
    (3, 5): _numbers("USB", 1, 1),
    (3, 10): _guid("VenMsg"),
    (3, 11): _mac,
    (3, 17): _numbers("Unit", 1),
    (3, 18): _numbers("Sata", 2, 2, 2),
    (3, 23): _numbers("NVMe", 4, 8),
    (3, 24): _uri,
    (4, 1): _hard_drive,
    (4, 2): _numbers("CDROM", 4, 8, 8),
    (4, 3): _guid("VenMedia"),
    (4, 4): _file,
    (4, 6): _guid("FvFile"),
    (4, 7): _guid("Fv"),
    (4, 8): lambda body: _numbers("Offset", 8, 8)(body[4:]),
}

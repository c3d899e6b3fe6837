"""Machines and boot loaders made for tests: firmware with databases, a shim with vendor
certificates, and what these start."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.boot.check import CheckOptions, check
from assay.model.boot import BootCheck, Link
from assay.model.finding import Severity
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, SHIM_LOCK
from tests.support import pe, uefi
from tests.support.certificates import NOW, Holder, make, root
from tests.support.pe import Program

ROW = b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
PLATFORM = root("Platform")
AUTHORITY = root("Firmware Authority")
PUBLISHER = make("Publisher of Shims", AUTHORITY)
VENDOR = root("Vendor Authority")
SIGNER = make("Vendor Signer", VENDOR)
STRANGER = root("Stranger")


def machine(
    folder: Path,
    db: bytes = b"",
    dbx: bytes = b"",
    *,
    more: Sequence[tuple[str, str, bytes]] = (),
    name: str = "vars.fd",
) -> Path:
    """A variable store with these databases; ``more`` are (name, vendor, data)."""
    records = [
        uefi.record(uefi.variable("PK", GLOBAL, uefi.certificates(PLATFORM), time=uefi.TIME)),
        uefi.record(uefi.variable("db", IMAGE_SECURITY, db or uefi.certificates(AUTHORITY))),
    ]
    if dbx:
        records.append(uefi.record(uefi.variable("dbx", IMAGE_SECURITY, dbx)))
    records += [
        uefi.record(uefi.variable(each, vendor, data, attributes=0x07))
        for each, vendor, data in more
    ]
    path = folder / name
    path.write_bytes(uefi.volume(*records))
    return path


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def program(*sections: tuple[str, bytes], code: bytes = b"\xc3") -> Program:
    """A program with these sections beside its code."""
    parts = [
        (".text", None, _padded(code)),
        *((name, None, _padded(data)) for name, data in sections),
    ]
    return Program(sections=tuple(parts))


def generations(*rows: str) -> bytes:
    """The section ``.sbat`` with a row for each ``component,generation``."""
    lines = [f"{row},Vendor,package,1.0,https://example.org/\n".encode() for row in rows]
    return ROW + b"".join(lines)


def levels(previous: bytes, latest: bytes) -> bytes:
    """The section ``.sbatlevel`` of a shim."""
    first = 8
    second = first + len(previous) + 1
    return struct.pack("<III", 0, first, second) + previous + b"\0" + latest + b"\0"


LEVEL = b"sbat,1,2025021800\nshim,4\ngrub,5\n"


def shim(
    authorized: bytes = b"",
    deauthorized: bytes = b"",
    *,
    generation: int = 4,
    previous: bytes = LEVEL,
) -> Program:
    """A shim that trusts `VENDOR`, unless told otherwise."""
    return program(
        (".vendor_cert", uefi.vendor_section(authorized or VENDOR.der, deauthorized)),
        (".sbat", generations(f"shim,{generation}")),
        (".sbatlevel", levels(previous, b"sbat,1,2026010100\nshim,5\ngrub,6\n")),
    )


def grub(generation: int = 5) -> Program:
    return program((".sbat", generations(f"grub,{generation}")), code=b"\x90\xc3")


@dataclass
class _Kernel(Program):
    """A program with the mark of a Linux kernel in its headers."""

    def unsigned(self) -> bytes:
        made = bytearray(super().unsigned())
        made[0x202:0x206] = b"HdrS"
        return bytes(made)


def kernel(code: bytes = b"\x0f\x0b") -> Program:
    made = program((".sbat", generations("linux,1")), code=code)
    return _Kernel(sections=made.sections)


def unified(command_line: bytes = b"", code: bytes = b"\x0f") -> Program:
    return program(
        (".linux", b"kernel"),
        (".cmdline", command_line),
        (".sbat", generations("uki,1")),
        code=code,
    )


def partition(
    folder: Path, *, with_shim: bytes = b"", with_grub: bytes = b"", with_kernel: bytes = b""
) -> Path:
    """A directory as an EFI system partition has it."""
    esp = folder / "esp"
    for name, data in (
        ("EFI/vendor/shimx64.efi", with_shim or pe.signed(shim(), PUBLISHER)),
        ("EFI/vendor/grubx64.efi", with_grub or pe.signed(grub(), SIGNER)),
        ("EFI/Linux/kernel.efi", with_kernel or pe.signed(kernel(), SIGNER)),
    ):
        path = esp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (esp / "README").write_text("no program")
    return esp


def ask(image: Path, *firmware: Path | str, **options: Any) -> BootCheck:
    """The answer for an image."""
    options.setdefault("at", NOW)
    return check(str(image), CheckOptions([str(each) for each in firmware], **options))


def ask_of(folder: Path, data: bytes, *firmware: Path | str, **options: Any) -> BootCheck:
    """The answer for one program."""
    image = folder / "program.efi"
    image.write_bytes(data)
    return ask(image, *firmware, **options)


def errors(answer: BootCheck) -> set[str]:
    return {each.code for each in answer.findings if each.severity is Severity.ERROR}


def warnings(answer: BootCheck) -> set[str]:
    return {each.code for each in answer.findings if each.severity is Severity.WARNING}


def link(answer: BootCheck, name: str) -> Link:
    [found] = [each for each in answer.links if each.id.endswith(name)]
    return found


def digest_list(made: Program, *, algorithm: str = "sha256") -> bytes:
    """A list with the digest of a program."""
    data = made.unsigned()
    data += bytes(-len(data) % 8)
    return uefi.entries(algorithm.upper(), made.digest(data, algorithm))


def mok(name: str, *holders: Holder, lists: bytes = b"") -> tuple[str, str, bytes]:
    """A variable of shim's with lists."""
    return name, SHIM_LOCK, uefi.certificates(*holders) + lists


__all__ = ["GLOBAL", "SHIM_LOCK"]

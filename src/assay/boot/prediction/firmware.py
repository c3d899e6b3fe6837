"""What firmware is set to: the variables of Secure Boot, from a store, a dump or efivarfs."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from assay import limits
from assay.boot.databases import Databases
from assay.boot.firmware import read_firmware as read_databases
from assay.model.finding import AssayError, Severity, UsageError
from assay.uefi.dump import looks_like_dump, read_dump
from assay.uefi.efivarfs import read_file_name, read_variable
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, SHIM_LOCK
from assay.uefi.store import looks_like_volume, read_store
from assay.uefi.variable import Variable

_ENABLE = "SecureBootEnable"
"""EDK II's switch, in a store; what the firmware makes of it is SecureBoot, which is in none."""

_ACTIVE, _APPLICATION, _OPTION = 0x01, 0x1F, 6
"""Of a boot entry: what it has to be, its category (setup programs are another one than what is
booted), and where its description begins."""
_END_OF_PATH, _FILE = 0x7F, b"\4\4"


class Firmware(Struct, frozen=True):
    """``variables`` are by name and vendor, ``databases`` what they allow and revoke;
    ``secure_boot`` says whether signatures are checked."""

    name: str
    variables: dict[tuple[str, str], bytes]
    databases: Databases
    secure_boot: bool

    def value(self, name: str, vendor: str) -> bytes:
        """The content of a variable; empty where there is none."""
        return self.variables.get((name, vendor), b"")

    @property
    def starts(self) -> str:
        """The path of the file that the first boot entry names; empty where it names none."""
        order = self.value("BootNext", GLOBAL)[:2] + self.value("BootOrder", GLOBAL)
        for at in range(0, len(order) - 1, 2):
            number = int.from_bytes(order[at : at + 2], "little")
            option = self.value(f"Boot{number:04X}", GLOBAL)
            if len(option) > _OPTION and option[0] & _ACTIVE and not option[1] & _APPLICATION:
                return _file_of(option)
        return ""


def _file_of(option: bytes) -> str:
    """The file in the device path of a boot entry (EFI_LOAD_OPTION, UEFI Specification section
    3.1.3), in lower case and with slashes."""
    length = int.from_bytes(option[4:6], "little")
    at = _OPTION
    while option[at : at + 2].strip(b"\0"):
        at += 2
    at, end, found = at + 2, min(at + 2 + length, len(option)), ""
    while at + 4 <= end:
        size = int.from_bytes(option[at + 2 : at + 4], "little")
        if option[at] == _END_OF_PATH or size < 4:
            break
        if option[at : at + 2] == _FILE:
            found += "/" + option[at + 4 : min(at + size, end)].decode("utf-16-le", "replace")
        at += size
    return plain_path(found.rstrip("\0"))


def plain_path(path: str) -> str:
    """A path as it is compared: FAT knows no case."""
    return "/".join(filter(None, path.replace("\\", "/").lower().split("/")))


def read_firmware(path: Path) -> Firmware:
    """The variables in a file or a directory. Raises UsageError."""
    try:
        found = _directory(path) if path.is_dir() else _file(path)
    except OSError as error:
        raise UsageError(f"--firmware {path}: {error.strerror or error}") from error
    except AssayError as error:
        raise UsageError(f"--firmware {path}: {error.finding.detail}") from error
    variables = {(each.name, each.vendor): each.data for each in found}
    databases = read_databases([str(path)])
    for each in databases.findings:
        if each.severity is Severity.ERROR:
            raise UsageError(f"--firmware {path}: {each.detail}")
    return Firmware(str(path), variables, databases, _secure_boot(variables))


def _file(path: Path) -> tuple[Variable, ...]:
    with path.open("rb") as file:
        data = file.read(limits.UEFI_STORE_SIZE + 1)
    if len(data) > limits.UEFI_STORE_SIZE:
        raise UsageError(f"--firmware {path}: more than {limits.UEFI_STORE_SIZE} bytes")
    if looks_like_volume(data):
        return read_store(data, str(path)).variables
    if looks_like_dump(data):
        return read_dump(data, str(path))
    raise UsageError(
        f"--firmware {path}: expected a variable store (OVMF_VARS.fd), a dump of virt-fw-vars, or"
        " a directory such as /sys/firmware/efi/efivars"
    )


def _directory(path: Path) -> tuple[Variable, ...]:
    found: list[Variable] = []
    for number, entry in enumerate(sorted(path.iterdir())):
        if number >= limits.UEFI_VARIABLES:
            raise UsageError(f"--firmware {path}: more than {limits.UEFI_VARIABLES} variables")
        name = read_file_name(entry.name)
        if name is None or name.vendor not in (GLOBAL, IMAGE_SECURITY, SHIM_LOCK):
            continue
        with entry.open("rb") as file:
            data = file.read(limits.UEFI_VARIABLE_SIZE)
        variable = read_variable(data, name)
        if variable is not None:
            found.append(variable)
    if not any((each.name, each.vendor) == ("SecureBoot", GLOBAL) for each in found):
        raise UsageError(f"--firmware {path}: there is no variable SecureBoot in it")
    return tuple(found)


def _secure_boot(variables: dict[tuple[str, str], bytes]) -> bool:
    """As EDK II decides it: with a platform key, unless it was turned off."""
    stated = variables.get(("SecureBoot", GLOBAL))
    if stated is not None:
        return stated == b"\1"
    switch = next((data for (name, _), data in variables.items() if name == _ENABLE), b"\1")
    return bool(variables.get(("PK", GLOBAL))) and switch != b"\0"

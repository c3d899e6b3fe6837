"""A unified kernel image, the settings of a firmware, and the log that a machine would write, each
made here and apart from the code under test."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

from assay.tcg import names
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY
from assay.uefi.variable import Variable
from tests.support import pe, uefi, uki
from tests.support.certificates import Holder, make
from tests.support.event_logs import Measured, separator
from tests.support.event_logs import variable as variable_data
from tests.support.pe import Program

ENABLE = "f0a30bc7-af08-4556-99c4-001009c93a44"
SHA256 = "SHA256"

PK, KEK, DB, OTHER = make("PK"), make("KEK"), make("db"), make("other")
LINE, INITRD = b"root=/dev/vda quiet", b"an initrd" * 50


def stub(version: int | None) -> bytes:
    return b"#### LoaderInfo: systemd-stub %s ####" % (str(version).encode() if version else b"git")


def kernel(version: bytes = b"6.1.0-test") -> bytes:
    """A kernel: a program with the header for boot loaders in its headers."""
    made = bytearray(Program().unsigned())
    made[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", made, 0x20E, 0x100)
    made[0x300 : 0x300 + len(version)] = version
    return bytes(made)


def image(
    *signers: Holder,
    version: int | None = 252,
    line: bytes = LINE,
    linux: bytes | None = None,
    more: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """A unified kernel image."""
    parts = [
        (".osrel", b"ID=test\n"),
        (".cmdline", line),
        (".linux", kernel() if linux is None else linux),
        (".initrd", INITRD),
        *more,
    ]
    program = uki.program(*parts, stub=stub(version))
    return pe.signed(program, *signers) if signers else program.unsigned()


def authenticode(data: bytes, algorithm: str = "sha256") -> bytes:
    return Program().digest(data, algorithm)


class Settings:
    """The variables of Secure Boot."""

    def __init__(self, *, db: bytes | None = None, dbx: bytes = b"", enabled: bool = True) -> None:
        self.values = {
            ("PK", GLOBAL): uefi.certificates(PK),
            ("KEK", GLOBAL): uefi.certificates(KEK),
            ("db", IMAGE_SECURITY): uefi.certificates(OTHER, DB) if db is None else db,
            ("dbx", IMAGE_SECURITY): dbx,
        }
        self.enabled = enabled

    def variables(self) -> list[Variable]:
        found = [uefi.variable(*name, data) for name, data in self.values.items() if data]
        switch = bytes([self.enabled])
        return [*found, uefi.variable("SecureBootEnable", ENABLE, switch, attributes=3)]

    def store(self, folder: Path) -> Path:
        path = folder / "VARS.fd"
        path.write_bytes(uefi.volume(*(uefi.record(each) for each in self.variables())))
        return path

    def dump(self, folder: Path) -> Path:
        """As virt-fw-vars writes it."""
        path = folder / "vars.json"
        found = [
            {
                "name": each.name,
                "guid": each.vendor,
                "attr": each.attributes,
                "data": each.data.hex(),
            }
            for each in self.variables()
        ]
        path.write_text(json.dumps({"version": 2, "variables": found}))
        return path

    def directory(self, folder: Path) -> Path:
        """As Linux shows it."""
        path = folder / "efivars"
        path.mkdir()
        for each in self.variables():
            (path / f"{each.name}-{each.vendor}").write_bytes(b"\x27\0\0\0" + each.data)
        (path / f"SecureBoot-{GLOBAL}").write_bytes(b"\6\0\0\0" + bytes([self.enabled]))
        return path


def entry_of(holder: Holder) -> bytes:
    """EFI_SIGNATURE_DATA as the lists of `uefi.certificates` have it."""
    lists = uefi.certificates(holder)
    return lists[28:]


def machine(
    data: bytes, settings: Settings, *, authority: bytes | None = None, line: bytes = LINE
) -> list[Measured]:
    """What a machine of EDK II with systemd's stub of version 252 measures."""

    def configured(name: str, vendor: str, value: bytes) -> Measured:
        content = variable_data(name, value, vendor)
        return Measured(7, names.EFI_VARIABLE_DRIVER_CONFIG, content)

    def section(name: str, content: bytes) -> list[Measured]:
        text = (name + "\0").encode("utf-16-le")
        return [
            Measured(11, names.IPL, text, name.encode() + b"\0"),
            Measured(11, names.IPL, text, content),
        ]

    program = struct.pack("<QQQQ", 0, len(data), 0, 4) + b"\x7f\xff\4\0"
    events = [
        Measured(0, names.S_CRTM_VERSION, b"\0\0"),
        configured("SecureBoot", GLOBAL, bytes([settings.enabled])),
        *(configured(*name, value) for name, value in settings.values.items()),
        separator(7),
        Measured(4, names.EFI_ACTION, b"Calling EFI Application from Boot Option"),
        *(separator(pcr) for pcr in range(7)),
    ]
    if settings.enabled:
        entry = entry_of(DB) if authority is None else authority
        content = variable_data("db", entry, IMAGE_SECURITY)
        events.append(Measured(7, names.EFI_VARIABLE_AUTHORITY, content))
    events.append(Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, program, covered(data)))
    linux = kernel()
    for name, content in (
        (".linux", linux), (".osrel", b"ID=test\n"), (".cmdline", line), (".initrd", INITRD),
    ):  # fmt: skip
        events += section(name, content)
    if not settings.enabled:
        events.append(Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, program, covered(linux)))
    options = line.decode().encode("utf-16-le") + b"\0\0"
    events += [
        Measured(9, names.EVENT_TAG, _tag(0x8F3B22ED, b"LOADED_IMAGE::LoadOptions\0"), options),
        Measured(9, names.EVENT_TAG, _tag(0x8F3B22EC, b"Linux initrd\0"), INITRD),
        Measured(5, names.EFI_ACTION, b"Exit Boot Services Invocation"),
        Measured(5, names.EFI_ACTION, b"Exit Boot Services Returned with Success"),
    ]
    return events


def covered(data: bytes) -> bytes:
    """The bytes that Authenticode covers."""
    program = Program()
    offset, size = struct.unpack_from("<II", data, program.entry_at)
    end = offset if size else len(data)
    checksum, entry = program.checksum_at, program.entry_at
    return data[:checksum] + data[checksum + 4 : entry] + data[entry + 8 : end]


def _tag(number: int, text: bytes) -> bytes:
    return struct.pack("<II", number, len(text)) + text


def statement() -> bytes:
    """The statement on such an image."""
    import tempfile

    from assay.boot.prediction.predict import PredictOptions, predict
    from assay.boot.prediction.statement import encode

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.efi"
        path.write_bytes(image())
        return encode(predict(str(path), PredictOptions()))

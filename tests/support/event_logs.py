"""Event logs, made event by event."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from assay.tcg import names

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
IDS = {"sha1": 4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD, "sm3-256": 0x12, "sha3-256": 0x27}


class Measured(Struct, frozen=True):
    """One event: its data, and what was measured where that is something else."""

    pcr: int
    kind: int
    data: bytes = b""
    measured: bytes | None = None

    def digest(self, bank: str) -> bytes:
        if self.kind == names.NO_ACTION:
            return bytes(hashlib.new(bank).digest_size)
        content = self.data if self.measured is None else self.measured
        return hashlib.new(bank.replace("-", "_"), content).digest()


def spec_id(banks: Sequence[str], vendor: bytes = b"", index: int = 0) -> bytes:
    """The first event of a crypto-agile log."""
    body = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(banks))
    for bank in banks:
        body += struct.pack("<HH", IDS[bank], hashlib.new(bank.replace("-", "_")).digest_size)
    body += bytes([len(vendor)]) + vendor
    return struct.pack("<II20sI", index, names.NO_ACTION, bytes(20), len(body)) + body


def one(event: Measured, banks: Sequence[str]) -> bytes:
    """One event of a crypto-agile log."""
    found = struct.pack("<III", event.pcr, event.kind, len(banks))
    for bank in banks:
        found += struct.pack("<H", IDS[bank]) + event.digest(bank)
    return found + struct.pack("<I", len(event.data)) + event.data


def log(*events: Measured, banks: Sequence[str] = ("sha1", "sha256")) -> bytes:
    """A crypto-agile log."""
    return spec_id(banks) + b"".join(one(event, banks) for event in events)


def old_log(*events: Measured) -> bytes:
    """A log with SHA-1 digests alone."""
    return b"".join(
        struct.pack("<II20sI", event.pcr, event.kind, event.digest("sha1"), len(event.data))
        + event.data
        for event in events
    )


def variable(name: str, data: bytes, vendor: str = GLOBAL) -> bytes:
    """UEFI_VARIABLE_DATA."""
    encoded = name.encode("utf-16-le")
    sizes = struct.pack("<QQ", len(name), len(data))
    return UUID(vendor).bytes_le + sizes + encoded + data


def locality(number: int) -> Measured:
    """The event that says where the TPM was started from."""
    return Measured(0, names.NO_ACTION, b"StartupLocality\0" + bytes([number]))


def separator(pcr: int, data: bytes = bytes(4)) -> Measured:
    return Measured(pcr, names.SEPARATOR, data)


def application(path: bytes = b"\x7f\xff\x04\0", program: bytes = b"a program") -> Measured:
    """The start of a boot loader; its digest is of the program."""
    data = struct.pack("<QQQQ", 0x1000, len(program), 0, len(path)) + path
    return Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, data, program)


def boot(secure: bool = True) -> list[Measured]:
    """What a small firmware measures: version, Secure Boot, separators, one boot loader."""
    switch = Measured(7, names.EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", bytes([secure])))
    action = Measured(4, names.EFI_ACTION, b"Calling EFI Application from Boot Option")
    return [
        Measured(0, names.S_CRTM_VERSION, "1.0".encode("utf-16-le")),
        switch,
        separator(7),
        action,
        *(separator(pcr) for pcr in range(7)),
        application(),
        Measured(5, names.EFI_ACTION, b"Exit Boot Services Invocation"),
        Measured(5, names.EFI_ACTION, b"Exit Boot Services Returned with Success"),
    ]


def replayed(events: Sequence[Measured], pcr: int, bank: str, start: bytes | None = None) -> bytes:
    """A PCR's value, computed apart from the code under test."""
    size = hashlib.new(bank).digest_size
    value = bytes(size) if start is None else start
    for event in events:
        if event.pcr == pcr and event.kind != names.NO_ACTION:
            value = hashlib.new(bank, value + event.digest(bank)).digest()
    return value


def record(pcr: int, text: str, measured: str | None = None) -> bytes:
    """A record of systemd's log."""
    content = (text if measured is None else measured).encode()
    value = {
        "pcr": pcr,
        "digests": [
            {"hashAlg": bank, "digest": hashlib.new(bank, content).hexdigest()}
            for bank in ("sha1", "sha256")
        ],
        "content_type": "systemd",
        "content": {"eventType": "phase", "string": text, "bootId": "0" * 32, "timestamp": 1},
    }
    return b"\x1e" + json.dumps(value, separators=(",", ":")).encode() + b"\n"

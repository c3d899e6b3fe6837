"""Asks real firmware (EDK II, in Debian's OVMF under QEMU) which programs it would load.

One program, which the firmware allows, has all the others in it, hands each to LoadImage, and
writes the status to a debug port.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.uefi.guid import GLOBAL, IMAGE_SECURITY
from tests.boot import machine
from tests.support import pe, uefi
from tests.support.certificates import Holder
from tests.support.pe import Program

EMPTY = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
DONE = 33
"""What QEMU ends with when the program has come to its end."""
SUCCESS, ACCESS_DENIED, SECURITY_VIOLATION = 0, 15, 26
_STORE = 72 + 28


@dataclass
class Loadable(Program):
    """A program that firmware can load: the fields that say how large it is in memory are right."""

    def unsigned(self) -> bytes:
        made = bytearray(super().unsigned())
        end = 0x1000 * len(self.sections) + max(len(data) for _, _, data in self.sections)
        struct.pack_into("<I", made, pe.OPTIONAL + 16, 0x1000)
        struct.pack_into("<I", made, pe.OPTIONAL + 56, -(-end // 0x1000) * 0x1000)
        return bytes(made)


def loadable(code: bytes) -> Loadable:
    """A program of one section."""
    return Loadable(sections=((".text", None, code + bytes(-len(code) % 512)),))


def _launcher(programs: Sequence[bytes]) -> Loadable:
    head = bytes.fromhex(
        "53 56 57 41 54 41 55"  # push rbx, rsi, rdi, r12, r13
        "48 83 ec 40"  # sub rsp, 64
        "49 89 cc"  # mov r12, rcx: the handle of this image
        "4c 8b 6a 60"  # mov r13, [rdx + 96]: boot services
        "48 8d 35"  # lea rsi, [table]
    )
    loop = bytes.fromhex(
        "31 c9"  # xor ecx, ecx: no boot policy
        "4c 89 e2"  # mov rdx, r12
        "45 31 c0"  # xor r8d, r8d: no device path
        "8b 06"  # mov eax, [rsi]: where the program is
        "4c 8d 0d"  # lea r9, [table]
    )
    rest = bytes.fromhex(
        "49 01 c1"  # add r9, rax
        "8b 46 04"  # mov eax, [rsi + 4]: its size
        "48 89 44 24 20"  # mov [rsp + 32], rax
        "48 8d 44 24 30"  # lea rax, [rsp + 48]
        "48 89 44 24 28"  # mov [rsp + 40], rax: the handle of the program
        "41 ff 95 c8 00 00 00"  # call [r13 + 200]: LoadImage
        "e6 e9"  # out 0xe9, al
        "48 83 c6 08"  # add rsi, 8
        "ff cf"  # dec edi
    )
    end = bytes.fromhex("ba 01 05 00 00 b0 10 ee f4 eb fd")  # out 0x501, 16; halt
    count = b"\xbf" + struct.pack("<I", len(programs))  # mov edi, count
    body = len(loop) + 4 + len(rest)
    jump = b"\x75" + struct.pack("<b", -(body + 2))  # jnz
    size = len(head) + 4 + len(count) + body + len(jump) + len(end)
    table = -(-size // 16) * 16
    first = table - (len(head) + 4)
    second = table - (len(head) + 4 + len(count) + len(loop) + 4)
    code = (
        head
        + struct.pack("<i", first)
        + count
        + loop
        + struct.pack("<i", second)
        + rest
        + jump
        + end
    ).ljust(table, b"\x90")
    entries, content, at = b"", b"", 8 * len(programs)
    for program in programs:
        at = -(-at // 16) * 16
        entries += struct.pack("<II", at, len(program))
        content = content.ljust(at - 8 * len(programs), b"\0") + program
        at += len(program)
    return loadable(code + entries + content)


def variables(folder: Path, platform: Holder, db: bytes, dbx: bytes) -> Path:
    """A variable store of OVMF with these databases, and Secure Boot on."""
    records = b"".join(
        uefi.record(uefi.variable(name, vendor, data, time=uefi.TIME))
        for name, vendor, data in (
            ("PK", GLOBAL, uefi.certificates(platform)),
            ("KEK", GLOBAL, uefi.certificates(platform)),
            ("db", IMAGE_SECURITY, db),
            ("dbx", IMAGE_SECURITY, dbx),
        )
    )
    made = bytearray(EMPTY.read_bytes())
    assert not made[_STORE : _STORE + len(records)].strip(b"\xff")
    made[_STORE : _STORE + len(records)] = records
    path = folder / "vars.fd"
    path.write_bytes(made)
    return path


def statuses(
    folder: Path, store: Path, signer: Holder, programs: Sequence[bytes], patience: float = 240
) -> list[int]:
    """What LoadImage says of each program; ``signer`` is one whom the firmware allows."""
    image = folder / "launcher.efi"
    image.write_bytes(pe.signed(_launcher(programs), signer))
    disk = machine.disk(folder, image)
    output, own = folder / "statuses", folder / "used.fd"
    own.write_bytes(store.read_bytes())
    done = subprocess.run(
        [
            "qemu-system-x86_64", "-machine", "q35,smm=on", "-accel", "tcg", "-m", "256",
            "-nodefaults", "-display", "none", "-no-reboot",
            "-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={machine.CODE}",
            "-drive", f"if=pflash,unit=1,format=raw,file={own}",
            "-drive", f"format=raw,if=none,id=disk,file={disk}",
            "-device", "ide-hd,drive=disk,bootindex=0",
            "-chardev", f"file,id=debug,path={output}",
            "-device", "isa-debugcon,chardev=debug", "-device", "isa-debug-exit",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience,
    )  # fmt: skip
    assert done.returncode == DONE, done.stderr
    return list(output.read_bytes())

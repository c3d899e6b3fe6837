"""A machine that boots with firmware, a TPM and Secure Boot: OVMF, swtpm and QEMU. What it boots is
made here, down to the program in the initrd."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
EMPTY_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
TOOLS = ("qemu-system-x86_64", "swtpm", "objcopy", "sbsign", "sgdisk", "mformat", "mcopy")
PATIENCE = 400.0
"""Seconds that an emulated boot may take."""

_SECTOR = 512
_ESP_START = 2048
PCRS = 24
_START = b"-----assay-----\n"


class Booted(Struct, frozen=True):
    """What a boot left behind: its event log, and what the TPM held (SHA-256) afterwards."""

    event_log: bytes
    pcrs: dict[int, bytes]


def missing() -> str:
    """Which of the programs and files is not here; empty when all are."""
    absent = [name for name in TOOLS if not shutil.which(name)]
    absent += [str(path) for path in (STUB, CODE, EMPTY_VARIABLES) if not path.exists()]
    return ", ".join(absent)


def initrd() -> bytes:
    """A cpio archive with one program and the devices that it needs."""
    entries = [
        ("dev", 0o40755, b"", (0, 0)),
        ("dev/console", 0o20600, b"", (5, 1)),
        ("dev/ttyS1", 0o20600, b"", (4, 65)),
        ("s", 0o40755, b"", (0, 0)),
        ("y", 0o40755, b"", (0, 0)),
        ("init", 0o100755, _program(), (0, 0)),
        ("TRAILER!!!", 0, b"", (0, 0)),
    ]
    found = b""
    for number, (name, mode, content, device) in enumerate(entries):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        found += _padded(header + name.encode() + b"\0") + _padded(content)
    return found


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


_RAX, _RDI, _RSI, _RDX, _R10 = (
    b"\x48\xc7\xc0",
    b"\x48\xc7\xc7",
    b"\x48\xc7\xc6",
    b"\x48\xc7\xc2",
    b"\x49\xc7\xc2",
)
_READ, _WRITE, _OPEN, _IOCTL, _MOUNT, _REBOOT = 0, 1, 2, 16, 165, 169
_BASE, _BUFFER = 0x400000, 0x500000


class _Assembler:
    """Writes a program of system calls for x86-64: no library, no loader."""

    def __init__(self) -> None:
        self.code = b""
        self.texts: dict[bytes, int] = {}
        self._pool = b""

    def text(self, value: bytes) -> int:
        """The address of a constant."""
        if value not in self.texts:
            self.texts[value] = _BASE + 0x20000 + len(self._pool)
            self._pool += value
        return self.texts[value]

    def call(self, number: int, *arguments: int, first: bytes = b"") -> None:
        """A system call; ``first`` is an instruction that sets the first argument."""
        registers = (_RDI, _RSI, _RDX, _R10) if not first else (_RSI, _RDX, _R10)
        self.code += _RAX + struct.pack("<i", number)
        self.code += first
        for register, value in zip(registers, arguments, strict=False):
            self.code += register + struct.pack("<I", value & 0xFFFFFFFF)
        self.code += b"\x45\x31\xc0\x0f\x05"  # xor r8d, r8d; syscall

    def copy(self, path: bytes) -> None:
        """Write all of a file to the open output, r13."""
        self.call(_OPEN, self.text(path + b"\0"), 0, 0)
        self.code += b"\x49\x89\xc4"  # mov r12, rax
        start = len(self.code)
        self.call(_READ, _BUFFER, 4096, first=b"\x4c\x89\xe7")
        self.code += b"\x48\x85\xc0\x0f\x8e"  # test rax, rax; jle
        jump = len(self.code)
        self.code += bytes(4) + b"\x48\x89\xc2"  # mov rdx, rax
        # rdx is set already, so the call is put together by hand
        self.code += _RAX + struct.pack("<i", _WRITE) + b"\x4c\x89\xef"
        self.code += _RSI + struct.pack("<I", _BUFFER) + b"\x0f\x05"
        self.code += b"\xe9" + struct.pack("<i", start - len(self.code) - 5)
        distance = struct.pack("<i", len(self.code) - jump - 4)
        self.code = self.code[:jump] + distance + self.code[jump + 4 :]

    def program(self) -> bytes:
        """The ELF file: one segment that may be read, written and run."""
        body = self.code.ljust(0x20000 - 0x1000, b"\x90") + self._pool
        header = (
            b"\x7fELF\2\1\1"
            + bytes(9)
            + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + 0x1000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        )
        size = 0x1000 + len(body)
        segment = struct.pack("<IIQQQQQQ", 1, 7, 0, _BASE, _BASE, size, 0x110000, 0x1000)
        return (header + segment).ljust(0x1000, b"\0") + body


def _program() -> bytes:
    """Writes what each PCR holds, and the event log, to the second serial port, and turns off."""
    made = _Assembler()
    for kind, place in ((b"securityfs", b"/s"), (b"sysfs", b"/y")):
        made.call(_MOUNT, made.text(b"x\0"), made.text(place + b"\0"), made.text(kind + b"\0"), 0)
    made.call(_OPEN, made.text(b"/dev/ttyS1\0"), 0o402, 0)
    made.code += b"\x49\x89\xc5"  # mov r13, rax
    # 115200 8N1, and nothing is changed on the way
    terminal = struct.pack("<IIII", 0, 0, 0x1002 | 0x30 | 0x80 | 0x800, 0) + bytes(20)
    made.call(_IOCTL, 0x5402, made.text(terminal), first=b"\x4c\x89\xef")
    made.call(_WRITE, made.text(_START), len(_START), first=b"\x4c\x89\xef")
    for pcr in range(PCRS):
        made.copy(b"/y/class/tpm/tpm0/pcr-sha256/%d" % pcr)
    made.copy(b"/s/tpm0/binary_bios_measurements")
    made.call(_IOCTL, 0x5409, 1, first=b"\x4c\x89\xef")
    made.call(_REBOOT, 0xFEE1DEAD, 672274793, 0x4321FEDC)
    made.code += b"\xeb\xfe"
    return made.program()


def unified_image(folder: Path, kernel: Path, command_line: str) -> Path:
    """A unified kernel image with the stub of systemd, without a signature."""
    parts = {
        ".osrel": (b"ID=assay-test\nVERSION_ID=1\n", 0x20000),
        ".cmdline": (command_line.encode(), 0x30000),
        ".linux": (kernel.read_bytes(), 0x2000000),
        ".initrd": (initrd(), 0x4000000),
    }
    image = folder / "unsigned.efi"
    options: list[str] = []
    for name, (content, address) in parts.items():
        path = folder / f"part{name}"
        path.write_bytes(content)
        options += ["--add-section", f"{name}={path}"]
        options += ["--change-section-vma", f"{name}={address:#x}"]
    _run("objcopy", *options, STUB, image)
    return image


def disk(folder: Path, image: Path, more: Mapping[str, Path] | None = None) -> Path:
    """A GPT disk with an EFI system partition that has ``image`` where firmware looks for it, and
    further files by their paths; directories are those that these tests know."""
    path = folder / "disk.img"
    sectors = 64 * 2048
    path.write_bytes(b"")
    with path.open("r+b") as file:
        file.truncate(sectors * _SECTOR)
    _run("sgdisk", "-o", "-n", f"1:{_ESP_START}:0", "-t", "1:ef00", "-c", "1:ESP", path)
    place = f"{path}@@{_ESP_START * _SECTOR}"
    size = sectors - _ESP_START - 34
    _run("mformat", "-i", place, "-F", "-T", str(size), "::")
    _run("mmd", "-i", place, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    _run("mcopy", "-i", place, image, "::/EFI/BOOT/BOOTX64.EFI")
    for name, file in (more or {}).items():
        _run("mcopy", "-i", place, file, f"::/{name}")
    return path


def boot(folder: Path, disk_image: Path, variables: Path) -> Booted:
    """Boot, and take what the program in the initrd writes. ``variables`` is changed."""
    state, control = folder / "tpm", folder / "tpm.socket"
    state.mkdir()
    output, console = folder / "output", folder / "console"
    tpm = subprocess.Popen(
        [
            "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}",
            "--ctrl", f"type=unixio,path={control}", "--terminate",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 20
        while not control.exists() and time.monotonic() < end:
            time.sleep(0.05)
        _run(
            "qemu-system-x86_64", "-machine", "q35,smm=on", "-accel", "tcg", "-m", "512",
            "-nodefaults", "-display", "none", "-no-reboot",
            "-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={CODE}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
            "-drive", f"format=raw,if=none,id=disk,file={disk_image}",
            "-device", "ide-hd,drive=disk,bootindex=0",
            "-chardev", f"socket,id=tpm,path={control}",
            "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0",
            "-serial", f"file:{console}", "-serial", f"file:{output}",
            patience=PATIENCE,
        )  # fmt: skip
    finally:
        tpm.terminate()
        tpm.wait(20)
    # firmware writes to all serial ports
    _, _, data = output.read_bytes().partition(_START)
    line = 65
    pcrs = {
        number: bytes.fromhex(data[number * line : (number + 1) * line].decode())
        for number in range(PCRS)
    }
    return Booted(data[PCRS * line :], pcrs)


def _run(*command: object, patience: float = 60) -> None:
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=patience,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

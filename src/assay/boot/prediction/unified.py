"""What the stub of a unified kernel image and the kernel in it measure.

systemd, docs/TPM2_PCR_MEASUREMENTS.md, and what boots of genuine versions were seen to measure:
what differs between versions and was not seen is not predicted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay import limits
from assay.boot.prediction.events import digested, event, values_after
from assay.boot.prediction.program import Program
from assay.model.finding import AssayError
from assay.model.measured_boot import PredictedEvent, PredictedRegister
from assay.tcg import names
from assay.tcg import unified_kernel as kernel
from assay.tcg.replay import digest, extend

STUB = "systemd-stub"
_FIRST_DIRECT = 258
"""The version of the stub that no longer asks the firmware to load the kernel, unless a shim is
there (systemd, src/boot/linux.c)."""
_SEEN = 252
"""The version that was seen to keep the firmware from measuring the kernel with Secure Boot on."""
_KERNEL_VERSION = re.compile(rb"(\d+)\.(\d+)")
_MEASURES_BOTH = (6, 1)
"""The kernel that was seen to measure its command line and its initrd."""
_MEASURES_NONE = (5, 16)
"""The first kernel whose stub measures anything."""


def is_unified(program: Program) -> bool:
    """Whether a program is a unified kernel image."""
    return program.section(".linux") is not None


def kernel_start(
    program: Program, version: int | None, secure_boot: bool, banks: Sequence[str]
) -> tuple[PredictedEvent | None, str]:
    """The event in PCR 4 of the kernel's own start; None where there is none. The text says why it
    is not known whether there is one."""
    if version is not None and version >= _FIRST_DIRECT:
        return None, ""
    if version is None or version < _SEEN or (secure_boot and version > _SEEN):
        name = f"{STUB} {version}" if version is not None else "this stub"
        return None, f"whether {name} has the firmware measure the kernel within is not known"
    if secure_boot:
        return None, ""
    section = program.section(".linux")
    assert section is not None
    component = program.section_component(section)
    inner = Program(program.content(section), component)
    return (
        digested(
            names.EFI_BOOT_SERVICES_APPLICATION,
            "the kernel within, which the stub has the firmware load",
            inner.authenticode(banks),
            component,
        ),
        "",
    )


def sections_register(
    program: Program, version: int | None, banks: Sequence[str]
) -> PredictedRegister:
    """PCR 11: names and contents of the sections."""
    repeated = [
        name
        for name in (*kernel.REPEATABLE, ".profile")
        if program.section(name) is not None and (version is None or version >= 257)
    ]
    events: list[PredictedEvent] = []
    for name in kernel.measured_sections(version):
        section = program.section(name)
        if section is None or not section.virtual_size:
            continue
        component = program.section_component(section)
        events.append(event(names.IPL, f"name of {name}", name.encode() + b"\0", banks, component))
        digests = program.section_digests(section, banks)
        events.append(digested(names.IPL, f"content of {name}", digests, component))
    if repeated:
        return PredictedRegister(
            kernel.PCR, (), {}, f"{', '.join(repeated)} differs by hardware or by the choice made"
        )
    if version is None:
        unknown = "which sections are measured depends on the version of the stub"
        return PredictedRegister(kernel.PCR, (), {}, unknown)
    values = values_after(kernel.PCR, events, banks)
    return PredictedRegister(
        kernel.PCR, tuple(events), values, later=_phases(values, kernel.PHASES)
    )


def _phases(values: dict[str, str], phases: Sequence[str]) -> dict[str, dict[str, str]]:
    """What PCR 11 becomes as the boot goes on and systemd measures its phases."""
    later: dict[str, dict[str, str]] = {}
    reached = {bank: bytes.fromhex(value) for bank, value in values.items()}
    for phase in phases:
        for bank, value in reached.items():
            measured = digest(bank, phase.encode())
            assert measured is not None
            reached[bank] = extend(bank, value, measured)
        later[phase] = {bank: value.hex() for bank, value in reached.items()}
    return later


def kernel_register(program: Program, banks: Sequence[str]) -> PredictedRegister:
    """PCR 9: what the kernel measures of what it was handed."""
    version = _kernel_version(program)
    if version is None or _MEASURES_NONE <= version < _MEASURES_BOTH:
        return PredictedRegister(9, (), {}, "what a kernel of this version measures is not known")
    if version < _MEASURES_NONE:
        return PredictedRegister(9, (), values_after(9, (), banks))
    line, initrd = program.section(".cmdline"), program.section(".initrd")
    if line is None:
        return PredictedRegister(9, (), {}, "the command line is not in the image")
    text = program.content(line).read_at(0, limits.UKI_TEXT)
    if len(text) == limits.UKI_TEXT or any(not 0x20 <= byte < 0x7F for byte in text.rstrip(b"\0")):
        unknown = "versions of the stub differ in how they hand on this command line"
        return PredictedRegister(9, (), {}, unknown)
    if text.rstrip(b"\0").endswith(b" "):
        unknown = "versions of the stub differ in whether spaces at the end count"
        return PredictedRegister(9, (), {}, unknown)
    options = text.rstrip(b"\0").decode().encode("utf-16-le") + b"\0\0"
    events = [
        event(
            names.EVENT_TAG,
            "command line (LOADED_IMAGE::LoadOptions)",
            options,
            banks,
            program.section_component(line),
        )
    ]
    if initrd is None or program.section(".ucode") is not None:
        unknown = "the initrd that the kernel gets is not a part of the image"
        return PredictedRegister(9, tuple(events), {}, unknown)
    digests = program.section_digests(initrd, banks)
    component = program.section_component(initrd)
    events.append(digested(names.EVENT_TAG, "initrd (Linux initrd)", digests, component))
    return PredictedRegister(9, tuple(events), values_after(9, events, banks))


def _kernel_version(program: Program) -> tuple[int, int] | None:
    """The version of the kernel within, from the header for boot loaders (Linux,
    Documentation/arch/x86/boot.rst, kernel_version)."""
    section = program.section(".linux")
    assert section is not None
    try:
        head = program.content(section).read_at(0, limits.PE_HEADERS)
    except AssayError:
        return None
    if head[0x202:0x206] != b"HdrS":
        return None
    start = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    match = _KERNEL_VERSION.match(head[start : start + 32])
    return (int(match[1]), int(match[2])) if match else None

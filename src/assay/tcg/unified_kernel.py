"""What a unified kernel image puts into PCR 11: pure functions from digests to values.

UAPI.5 "UKI TPM PCR Measurements", as systemd-stub does it: for each section, in one order whatever
that of the file is, the digest of its name with a zero byte, and that of its content; afterwards
userspace adds the name of each phase of the boot that begins (systemd-pcrphase). Predicting a boot,
and checking the signatures in ``.pcrsig``, both go by this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

PCR = 11
BANKS = ("sha1", "sha256", "sha384", "sha512")
"""The banks that a TPM may have."""

_SINCE = {
    ".linux": 252, ".osrel": 252, ".cmdline": 252, ".initrd": 252, ".ucode": 256, ".splash": 252,
    ".dtb": 252, ".uname": 253, ".sbat": 254, ".pcrpkey": 252, ".profile": 257, ".dtbauto": 257,
    ".hwids": 257, ".efifw": 258,
}  # fmt: skip
"""Section -> the version of systemd-stub that measures it first; in the order of measurement. That
is the order of systemd-stub: the specification lists the last ones elsewhere."""

VERSIONS = tuple(sorted(set(_SINCE.values())))
"""The versions of systemd-stub that measure other sections than those before them."""

SIGNATURES = ".pcrsig"
"""The section that is not measured: it signs what comes of measuring the others."""
SECTIONS = frozenset((*_SINCE, SIGNATURES))
"""All sections that mean something in a unified kernel image."""
REPEATABLE = frozenset((".dtbauto", ".efifw"))
"""Sections of which there may be many: the first one that suits the hardware is used."""

PHASES = ("enter-initrd", "leave-initrd", "sysinit", "ready")
"""The phases of a boot, as systemd names them."""
PHASE_PATHS = tuple(PHASES[: count + 1] for count in range(len(PHASES)))
"""What the signing tool signs for: after each phase."""

_ALGORITHM_IDS = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
"""TPM_ALG_ID (TPM 2.0 Library, Part 2, section 6.3)."""
_POLICY_PCR = 0x0000017F
"""TPM_CC_PolicyPCR (Part 2, section 6.5.2)."""


class Event(Struct, frozen=True):
    """One extension of PCR 11: what was measured, for people, and its digest."""

    what: str
    digest: bytes


def measured_sections(version: int | None) -> tuple[str, ...]:
    """The sections that a stub of this version measures, in its order; for an unknown version
    those of the newest."""
    return tuple(name for name, since in _SINCE.items() if version is None or version >= since)


def section_events(bank: str, sections: Iterable[tuple[str, bytes]]) -> list[Event]:
    """The events that a stub makes of sections: names, and the digests of their content in the
    bank's algorithm. Sections come in the order of measurement."""
    found = []
    for name, digest in sections:
        found.append(Event(f"name of {name}", _hash(bank, name.encode() + b"\0")))
        found.append(Event(f"content of {name}", digest))
    return found


def phase_events(bank: str, phases: Sequence[str]) -> list[Event]:
    """The events that userspace makes of the phases of a boot."""
    return [Event(f"phase {phase}", _hash(bank, phase.encode())) for phase in phases]


def extended(bank: str, events: Iterable[Event], value: bytes | None = None) -> bytes:
    """The value of a PCR after these events; before them it was ``value``, or all zero."""
    found = bytes(hashlib.new(bank, usedforsecurity=False).digest_size) if value is None else value
    for event in events:
        found = _hash(bank, found + event.digest)
    return found


def pcr_11(bank: str, sections: Iterable[tuple[str, bytes]], phases: Sequence[str] = ()) -> bytes:
    """PCR 11 of a boot that has come as far as these phases."""
    return extended(bank, [*section_events(bank, sections), *phase_events(bank, phases)])


def selected(sections: Mapping[str, bytes], version: int | None) -> list[tuple[str, bytes]]:
    """Of sections (name -> digest) those that a stub of this version measures, in its order."""
    return [(name, sections[name]) for name in measured_sections(version) if name in sections]


def pcr_policy(bank: str, value: bytes, pcr: int = PCR) -> bytes:
    """The policy digest that asks for one PCR to have this value (TPM2_PolicyPCR, TPM 2.0 Library,
    Part 3, section 23.7, in a session of SHA-256)."""
    mask = bytearray(3)
    mask[pcr // 8] = 1 << (pcr % 8)
    selection = (1).to_bytes(4) + _ALGORITHM_IDS[bank].to_bytes(2) + b"\3" + bytes(mask)
    values = hashlib.sha256(value).digest()
    return hashlib.sha256(bytes(32) + _POLICY_PCR.to_bytes(4) + selection + values).digest()


def _hash(bank: str, data: bytes) -> bytes:
    return hashlib.new(bank, data, usedforsecurity=False).digest()

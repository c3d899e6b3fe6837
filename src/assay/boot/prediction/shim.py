"""What shim measures, as version 16.1 was seen to (its README.tpm says less).

It measures its own lists of keys into PCR 14, and into PCR 7 the SBAT level that it goes by and the
key that allows what it starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from assay import limits
from assay.boot.prediction.events import event, variable_data
from assay.boot.prediction.firmware import Firmware
from assay.boot.prediction.program import Program
from assay.model.boot import Ground
from assay.model.finding import AssayError
from assay.model.measured_boot import PredictedEvent
from assay.printable import printable
from assay.tcg import names
from assay.uefi.guid import SHIM_LOCK, encode
from assay.uefi.signature_list import TYPES, encode_list
from assay.uefi.vendor_certificates import SECTION, VendorCertificates, read_vendor_certificates

PCR = 14
SECOND_STAGE = "grubx64.efi"
"""What shim starts, from the directory that it is in."""
_FALLBACK = re.compile(r"fb[a-z0-9]*\.efi")
_SEEN = b"16.1"
_VERSION = re.compile(rb"\$Version: ([0-9.]+) \$")
_X509 = next(guid for guid, known in TYPES.items() if known.name == "X509")
_TRUSTED = b"\1"
"""MokListTrusted, unless somebody says otherwise."""


def is_fallback(shim: str, name: str) -> bool:
    """Whether a file (a path) is what a shim (its path) starts in place of `SECOND_STAGE`: a shim
    at the path of removable media starts the program that writes boot entries anew."""
    folder, file = PurePosixPath(shim.lower()).parent, PurePosixPath(name.lower())
    at_default = folder.parts[-2:] == ("efi", "boot")
    return at_default and file.parent == folder and _FALLBACK.fullmatch(file.name) is not None


def is_shim(program: Program) -> bool:
    """Whether a program is a shim."""
    return program.section(SECTION) is not None


class Shim:
    """A shim on a machine. ``unknown`` says why it is not known what it measures; it is empty where
    that is known."""

    def __init__(self, program: Program, firmware: Firmware, banks: Sequence[str]) -> None:
        self._program = program
        self._banks = banks
        self._vendor: VendorCertificates | None = None
        self._lists = b""
        self._level = b""
        try:
            self.unknown = self._read(firmware)
        except AssayError as error:
            self.unknown = f"the shim cannot be read: {error.finding.detail}"

    def _read(self, firmware: Firmware) -> str:
        ident = self._content(".data.ident")
        version = _VERSION.search(ident)
        if version is None or version[1] != _SEEN:
            said = version[1].decode() if version is not None else "of unknown version"
            return f"what shim {said} measures is not known"
        self._lists = self._content(SECTION)
        self._vendor = read_vendor_certificates(self._lists)
        if not self._vendor.certificate:
            return "what a shim with several certificates measures is not known"
        levels = self._content(".sbatlevel")
        start = 4 + int.from_bytes(levels[4:8], "little")
        self._level = levels[start:].partition(b"\0")[0]
        expected = {
            "SbatLevel": self._level,
            "SbatLevelRT": self._level,
            "MokListRT": self._allowed,
            "MokListXRT": self._revoked,
            "MokListTrusted": _TRUSTED,
            "MokListTrustedRT": _TRUSTED,
        }
        for (name, vendor), data in firmware.variables.items():
            if vendor == SHIM_LOCK and expected.get(name) != data.rstrip(b"\0"):
                if expected.get(name) == data:
                    continue
                return f"the machine has a {name} of its own"
        return ""

    def _content(self, name: str) -> bytes:
        section = self._program.section(name)
        if section is None:
            return b""
        content = self._program.content(section)
        return content.read_at(0, min(content.size, limits.UEFI_VARIABLE_SIZE))

    @property
    def _allowed(self) -> bytes:
        """MokList as shim puts it together: its own certificate, since the user added none."""
        assert self._vendor is not None
        return encode_list(_X509, SHIM_LOCK, self._vendor.certificate)

    @property
    def _revoked(self) -> bytes:
        assert self._vendor is not None
        start, end = self._vendor.deauthorized_span
        return self._lists[start:end]

    def lists(self) -> list[PredictedEvent]:
        """PCR 14: the lists of keys."""
        found = (("MokList", self._allowed), ("MokListX", self._revoked), ("MokListTrusted", b"\1"))
        where = self._where(SECTION)
        return [event(names.IPL, name, data, self._banks, where) for name, data in found]

    def level(self) -> PredictedEvent:
        """In PCR 7: the SBAT level."""
        data = variable_data("SbatLevel", SHIM_LOCK, self._level)
        name = printable(self._level.partition(b"\n")[0], 60)
        what = f"variable SbatLevel, from the shim: {name}"
        where = self._where(".sbatlevel")
        return event(names.EFI_VARIABLE_AUTHORITY, what, data, self._banks, where)

    def authority(self, ground: Ground) -> PredictedEvent | None:
        """In PCR 7: what allows the program that shim starts; None where that is not the shim's own
        certificate."""
        if self._vendor is None or ground.database != "vendor certificate":
            return None
        data = variable_data("MokListRT", SHIM_LOCK, encode(SHIM_LOCK) + self._vendor.certificate)
        what = f"the certificate in the shim that allows what it starts: {ground.name}"
        return event(names.EFI_VARIABLE_AUTHORITY, what, data, self._banks, self._where(SECTION))

    def _where(self, name: str) -> str:
        section = self._program.section(name)
        return self._program.section_component(section) if section is not None else ""

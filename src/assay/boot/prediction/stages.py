"""The programs of a boot, one after the other, and the PCRs that they and the firmware extend."""

from __future__ import annotations

from collections.abc import Sequence

from assay.boot.prediction.authority import authority_of, entry_at
from assay.boot.prediction.events import (
    CALLING,
    action,
    digested,
    event,
    separator,
    values_after,
    variable_data,
)
from assay.boot.prediction.firmware import Firmware
from assay.boot.prediction.program import Program
from assay.boot.prediction.shim import PCR as SHIM_PCR
from assay.boot.prediction.shim import Shim, is_shim
from assay.boot.prediction.unified import (
    STUB,
    is_unified,
    kernel_register,
    kernel_start,
    sections_register,
)
from assay.boot.programs import read_program
from assay.model.boot import Ground
from assay.model.finding import Finding
from assay.model.measured_boot import NotPredicted, PredictedEvent, PredictedRegister
from assay.tcg import names
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, encode

_AS_EDK2 = (
    "the firmware measures as EDK II does, its first boot option starts the program, and no driver"
    " of a card is started before"
)
_NOTHING_BESIDE = (
    "no add-on, credential or extension lies beside the image, and the boot entry gives no command"
    " line"
)
_SAME_AUTHORITY = "what the boot loader starts is allowed by the same certificate as itself"
_LATER = (8, 9, 11, 12, 13)


class Stages:
    """The program that the firmware starts, and the second one where that is a shim. What has to
    be so is in ``assumptions``, what keeps it from booting in ``findings``."""

    def __init__(
        self,
        program: Program,
        second: Program | None,
        firmware: Firmware | None,
        banks: Sequence[str],
    ) -> None:
        self._program = program
        self._second = second
        self._firmware = firmware
        self._banks = banks
        self._secure_boot = firmware is None or firmware.secure_boot
        self._shim = Shim(program, firmware, banks) if firmware and is_shim(program) else None
        self.assumptions = [_AS_EDK2]
        self.findings: list[Finding] = []
        self.left_out: list[NotPredicted] = []

    @property
    def _last(self) -> Program:
        """The last program that is known."""
        return self._second or self._program

    @property
    def leaves_boot_services(self) -> bool:
        """Whether the kernel is in that program, so that nothing is measured by others."""
        return is_unified(self._last)

    def registers(self) -> list[PredictedRegister]:
        """All that can be said; nothing where the program does not start."""
        firmware = self._firmware
        grounds = self._grounds(firmware) if firmware is not None and self._secure_boot else []
        if self.findings:
            pcrs = (4, 5, 7, *_LATER, SHIM_PCR)
            self.left_out.append(
                NotPredicted(
                    pcrs, "a program, or what it lies in, is damaged, or it does not start"
                )
            )
            return []
        found = [self._programs(), *self._kernel()]
        if firmware is None:
            self.left_out.append(
                NotPredicted((7,), "the settings of the firmware are not known (--firmware)")
            )
            self.assumptions.append("Secure Boot is on, and allows the program")
        else:
            found.append(self._policy(firmware, grounds))
        if self._shim is not None:
            found.append(self._lists(self._shim))
        return found

    def _grounds(self, firmware: Firmware) -> list[Ground]:
        """What allows each program."""
        grounds: list[Ground] = []
        first = read_program(self._program.component, self._program.blob)
        found = authority_of(first, firmware.databases)
        if found.ground is None:
            self.findings += found.findings
            return []
        grounds.append(found.ground)
        if self._second is not None and self._shim is not None:
            second = read_program(self._second.component, self._second.blob)
            found = authority_of(second, firmware.databases, first)
            if found.ground is None:
                self.findings += found.findings
                return []
            grounds.append(found.ground)
        return grounds

    def _programs(self) -> PredictedRegister:
        """PCR 4."""
        program, banks = self._program, self._banks
        events = [
            action(CALLING, banks),
            separator(banks),
            digested(
                names.EFI_BOOT_SERVICES_APPLICATION,
                "the program that the firmware starts",
                program.authenticode(banks),
                program.component,
            ),
        ]
        if self._second is not None:
            events.append(
                digested(
                    names.EFI_BOOT_SERVICES_APPLICATION,
                    "the program that the shim starts",
                    self._second.authenticode(banks),
                    self._second.component,
                )
            )
        if not self.leaves_boot_services:
            return self._partly(4, events, "what the program starts after this is not known")
        version = self._stub_version()
        if self._second is not None:
            inner, unknown = None, "how the stub starts the kernel below a shim"
        else:
            inner, unknown = kernel_start(program, version, self._secure_boot, banks)
        if inner is not None:
            events.append(inner)
        return self._partly(4, events, unknown) if unknown else self._known(4, events)

    def _stub_version(self) -> int | None:
        name, version = self._last.loader() or ("", None)
        return version if name == STUB else None

    def _kernel(self) -> list[PredictedRegister]:
        """What the stub and the kernel in a unified kernel image measure."""
        last, banks = self._last, self._banks
        if not self.leaves_boot_services:
            reason = "they depend on the configuration of the boot loader and on what it starts"
            self.left_out.append(NotPredicted(_LATER, reason))
            return []
        version = self._stub_version()
        registers = [kernel_register(last, banks), sections_register(last, version, banks)]
        if version is not None:
            self.assumptions.append(_NOTHING_BESIDE)
            registers += [self._known(pcr, []) for pcr in (8, 12, 13)]
        return registers

    def _policy(self, firmware: Firmware, grounds: Sequence[Ground]) -> PredictedRegister:
        """PCR 7 (PFP 1.06, section 3.3.4.8)."""
        events = [*self._settings(firmware), separator(self._banks)]
        if not grounds:
            return self._known(7, events)
        first = self._authority(firmware, grounds[0])
        if first is None:
            return self._partly(7, events, f"which entry of {grounds[0].database} is measured")
        events.append(first)
        if self._shim is None:
            if self.leaves_boot_services:
                return self._known(7, events)
            return self._partly(7, events, "what the program looks up for what it starts")
        if self._shim.unknown:
            return self._partly(7, events, self._shim.unknown)
        events.append(self._shim.level())
        if self._second is None:
            return self._partly(7, events, "what the shim starts is not known")
        second = self._shim.authority(grounds[1])
        if second is None:
            unknown = f"how the shim measures an entry of {grounds[1].database}"
            return self._partly(7, events, unknown)
        events.append(second)
        if self.leaves_boot_services:
            return self._partly(7, events, "whether the stub asks the shim about the kernel")
        self.assumptions.append(_SAME_AUTHORITY)
        return self._known(7, events)

    def _settings(self, firmware: Firmware) -> list[PredictedEvent]:
        state = b"\1" if firmware.secure_boot else b"\0"
        measured = [
            ("SecureBoot", GLOBAL, state),
            *((name, GLOBAL, firmware.value(name, GLOBAL)) for name in ("PK", "KEK")),
            *(
                (name, IMAGE_SECURITY, firmware.value(name, IMAGE_SECURITY))
                for name in ("db", "dbx", "dbt", "dbr")
                if name in ("db", "dbx") or firmware.value(name, IMAGE_SECURITY)
            ),
        ]
        return [
            event(
                names.EFI_VARIABLE_DRIVER_CONFIG,
                f"variable {name}",
                variable_data(name, vendor, value),
                self._banks,
            )
            for name, vendor, value in measured
        ]

    def _authority(self, firmware: Firmware, ground: Ground) -> PredictedEvent | None:
        """The event of the entry that allows the program; None for one that is not in db."""
        if ground.database != "db":
            return None
        entry = entry_at(firmware.value("db", IMAGE_SECURITY), ground.entry)
        if entry is None:
            return None
        data = variable_data("db", IMAGE_SECURITY, encode(entry.owner) + entry.data)
        what = f"the entry of db that allows the program: {ground.name}"
        component = self._program.component
        return event(names.EFI_VARIABLE_AUTHORITY, what, data, self._banks, component)

    def _lists(self, shim: Shim) -> PredictedRegister:
        """PCR 14."""
        if shim.unknown or not self._secure_boot:
            return self._partly(
                SHIM_PCR, [], shim.unknown or "what a shim measures without Secure Boot"
            )
        return self._known(SHIM_PCR, shim.lists())

    def _known(self, pcr: int, events: Sequence[PredictedEvent]) -> PredictedRegister:
        return PredictedRegister(pcr, tuple(events), values_after(pcr, events, self._banks))

    def _partly(
        self, pcr: int, events: Sequence[PredictedEvent], unknown: str
    ) -> PredictedRegister:
        text = unknown if unknown.endswith("known") else f"{unknown} is not known"
        return PredictedRegister(pcr, tuple(events), {}, text)

"""What a boot of an image measures, PCR by PCR, as far as the image and the settings of the
firmware decide it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.appraisal.case import BuiltInRule
from assay.boot.prediction.authority import Authority, authority_of, trust_in
from assay.boot.prediction.events import (
    BANKS,
    CALLING,
    action,
    digested,
    event,
    separator,
    values_after,
)
from assay.boot.prediction.firmware import Firmware
from assay.boot.prediction.partition_table import table_register
from assay.boot.prediction.program import Program
from assay.boot.prediction.unified import (
    STUB,
    is_unified,
    kernel_register,
    kernel_start,
    sections_register,
)
from assay.comparison.parts import blob_of
from assay.model.codes.boot import BOOT_NOT_ALLOWED
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.measured_boot import (
    NotPredicted,
    PredictedEvent,
    PredictedRegister,
    Prediction,
)
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import Examined, Gathered, VerifyOptions, examine
from assay.sources.model import OpenOptions
from assay.tcg import names
from assay.trust.anchors import Trust
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, encode

REMOVABLE = "efi/boot/bootx64.efi"
"""The path that firmware starts of a disk without a boot entry, on x86-64."""
_FIRMWARE_PCRS = (0, 1, 2, 3, 6)

_AS_EDK2 = (
    "the firmware measures as EDK II does, its first boot option starts the program, and no driver"
    " of a card is started before"
)
_NOTHING_BESIDE = (
    "no add-on, credential or extension lies beside the image, and the boot entry gives no command"
    " line"
)


class PredictOptions(Struct, frozen=True):
    """``firmware`` has the settings (None: not given), ``program`` is the path of the program that
    is started in a disk image, empty for that of removable media."""

    firmware: Firmware | None = None
    banks: tuple[str, ...] = BANKS
    program: str = ""
    formats: Options = Options()
    open: OpenOptions = OpenOptions()


def predict(name: str, options: PredictOptions) -> Prediction:
    """Predict. Raises UsageError where the name stands for no program, AssayError where the image
    cannot be read."""
    trust = trust_in(options.firmware) if options.firmware is not None else Trust()
    request = VerifyOptions(
        trust,
        BuiltInRule(self_consistent=not trust.anchors),
        options.formats,
        options.open,
    )
    found = examine(name, request)
    if len(found) != 1:
        raise UsageError(f"{name} stands for {len(found)} images; name one of them")
    [examined] = found
    gathered = examined.gathered
    if gathered is None:
        raise AssayError(_first_error(examined.verdict))
    component = _program(gathered, options.program)
    blob = blob_of(gathered, component)
    if blob is None:
        raise UsageError(f"{name}: {component} is stored in a form that firmware does not read")
    program = Program(blob, component)
    return _Predicting(name, program, examined, options).predict()


def _first_error(verdict: Verdict) -> Finding:
    return next(
        (each for each in verdict.findings if each.severity is Severity.ERROR), verdict.findings[0]
    )


def _program(gathered: Gathered, path: str) -> str:
    """The component that firmware starts. Raises UsageError."""
    wanted = path.replace("\\", "/").strip("/").lower()
    if gathered.format == "pe" and not wanted:
        return gathered.root
    wanted = wanted or REMOVABLE
    found = [
        component.id
        for component in gathered.reading.components
        if component.id.lower() == wanted or component.id.lower().endswith("/" + wanted)
    ]
    if len(found) != 1:
        what = "no program" if not found else f"{len(found)} programs"
        raise UsageError(f"{gathered.image.name}: {what} at {wanted}; name one with --program")
    return found[0]


class _Predicting:
    def __init__(
        self, name: str, program: Program, examined: Examined, options: PredictOptions
    ) -> None:
        self._name = name
        self._program = program
        self._examined = examined
        self._firmware = options.firmware
        self._banks = options.banks
        self._secure_boot = options.firmware is None or options.firmware.secure_boot
        self._assumptions = [_AS_EDK2]
        self._findings: list[Finding] = []

    def predict(self) -> Prediction:
        authority = self._authority()
        registers: list[PredictedRegister] = []
        left_out = [NotPredicted(_FIRMWARE_PCRS, "they are the firmware's and the machine's own")]
        gathered = self._examined.gathered
        assert gathered is not None
        refused = any(each.severity is Severity.ERROR for each in self._findings)
        if refused:
            left_out.append(NotPredicted((4, 5, 7, 8, 9, 11, 12, 13), "the program does not start"))
        else:
            registers += self._started()
            table = table_register(gathered, self._banks, self._is_last)
            if table is not None:
                registers.append(table)
            else:
                left_out.append(NotPredicted((5,), "the partition table of the disk is not known"))
            if self._firmware is None:
                left_out.append(
                    NotPredicted((7,), "the settings of the firmware are not known (--firmware)")
                )
                self._assumptions.append("Secure Boot is on, and allows the program")
            else:
                registers.append(self._policy(self._firmware, authority))
        root = self._examined.facts.hash(self._root, "sha256") if self._examined.facts else None
        return Prediction(
            image=self._name,
            program=self._program.component,
            digests={"sha256": root.hex()} if root is not None else {},
            banks=self._banks,
            registers=tuple(sorted(registers, key=lambda each: each.pcr)),
            not_predicted=tuple(left_out),
            assumptions=tuple(self._assumptions),
            findings=tuple(self._findings),
        )

    @property
    def _root(self) -> str:
        assert self._examined.gathered is not None
        return self._examined.gathered.root

    def _authority(self) -> Authority | None:
        """What lets the program start; a finding where nothing does. None with Secure Boot off."""
        if self._firmware is None or not self._secure_boot:
            return None
        found = authority_of(self._program, self._examined.verdict, self._firmware)
        if found.entry is None:
            detail = found.forbidden or "no entry of db is for it"
            self._findings.append(Finding.of(BOOT_NOT_ALLOWED, self._program.component, detail))
        return found

    def _policy(self, firmware: Firmware, authority: Authority | None) -> PredictedRegister:
        """PCR 7 (PFP 1.06, section 3.3.4.8)."""
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
        events = [
            event(
                names.EFI_VARIABLE_DRIVER_CONFIG,
                f"variable {name}",
                variable_data(name, vendor, value),
                self._banks,
            )
            for name, vendor, value in measured
        ]
        events.append(separator(self._banks))
        if authority is not None and authority.entry is not None:
            entry = encode(authority.entry.owner) + authority.entry.data
            events.append(
                event(
                    names.EFI_VARIABLE_AUTHORITY,
                    f"the entry of db that allows the program: {authority.text}",
                    variable_data("db", IMAGE_SECURITY, entry),
                    self._banks,
                    self._program.component,
                )
            )
        if self._secure_boot and not self._is_last:
            unknown = "what the program starts, and what it looks up for that, is not known"
            return PredictedRegister(7, tuple(events), {}, unknown)
        return self._known(7, events)

    def _started(self) -> list[PredictedRegister]:
        """The PCRs of boot loader, kernel and what they are given."""
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
        if not is_unified(program):
            if self._is_last:
                return [self._known(4, events)]
            unknown = "what the program starts after this is not known"
            return [PredictedRegister(4, tuple(events), {}, unknown)]
        name, version = program.loader() or ("", None)
        version = version if name == STUB else None
        inner, unknown = kernel_start(program, version, self._secure_boot, banks)
        if inner is not None:
            events.append(inner)
        if unknown:
            fourth = PredictedRegister(4, tuple(events), {}, unknown)
        else:
            fourth = self._known(4, events)
        registers = [fourth, kernel_register(program, banks)]
        registers.append(sections_register(program, version, banks))
        if version is not None:
            self._assumptions.append(_NOTHING_BESIDE)
            registers += [self._known(pcr, []) for pcr in (8, 12, 13)]
        return registers

    @property
    def _is_last(self) -> bool:
        """Whether the firmware is asked to start nothing after the program."""
        return is_unified(self._program)

    def _known(self, pcr: int, events: Sequence[PredictedEvent]) -> PredictedRegister:
        return PredictedRegister(pcr, tuple(events), values_after(pcr, events, self._banks))


def variable_data(name: str, vendor: str, value: bytes) -> bytes:
    """UEFI_VARIABLE_DATA (PFP 1.06, section 10.2.6)."""
    encoded = name.encode("utf-16-le")
    sizes = len(name).to_bytes(8, "little") + len(value).to_bytes(8, "little")
    return encode(vendor) + sizes + encoded + value

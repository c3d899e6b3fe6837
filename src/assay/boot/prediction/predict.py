"""What a boot of an image measures, PCR by PCR, as far as the image and the settings of the
firmware decide it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from assay.appraisal.case import BuiltInRule
from assay.boot.prediction.events import BANKS
from assay.boot.prediction.firmware import Firmware, plain_path
from assay.boot.prediction.partition_table import table_register
from assay.boot.prediction.program import Program
from assay.boot.prediction.shim import SECOND_STAGE, is_fallback, is_shim
from assay.boot.prediction.stages import Stages
from assay.comparison.parts import blob_of
from assay.formats.pe.program import VIEW
from assay.model.codes import pe as pe_codes
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.measured_boot import NotPredicted, Prediction
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import Examined, Gathered, VerifyOptions, examine
from assay.printable import printable
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust

REMOVABLE = "efi/boot/bootx64.efi"
"""The path that firmware starts of a disk without a boot entry, on x86-64."""
_FIRMWARE_PCRS = (0, 1, 2, 3, 6)
_UNCLEAR = {
    code.name
    for code in (
        pe_codes.PE_MALFORMED,
        pe_codes.PE_SECTIONS_OVERLAP,
        pe_codes.PE_GAP,
        pe_codes.PE_CERTIFICATE_TABLE,
    )
}
"""What makes a program one that firmware may measure in more than one way, signed or not."""
_OWN = "they are the firmware's and the machine's own"


class PredictOptions(Struct, frozen=True):
    """``firmware`` has the settings (None: not given), ``program`` is the path of the program that
    is started in a disk image, empty for that of removable media. ``second_stage`` is the file
    that a shim starts, where the image is a shim alone."""

    firmware: Firmware | None = None
    banks: tuple[str, ...] = BANKS
    program: str = ""
    second_stage: str = ""
    formats: Options = Options()
    open: OpenOptions = OpenOptions()


def predict(name: str, options: PredictOptions) -> Prediction:
    """Predict. Raises UsageError where the name stands for no program, AssayError where the image
    cannot be read."""
    return predict_with_parts(name, options)[0]


def predict_with_parts(name: str, options: PredictOptions) -> tuple[Prediction, dict[str, str]]:
    """As `predict`, with the parts of the image by their SHA-256 digests: of programs, the digest
    that firmware measures."""
    examined, gathered = _open(name, options)
    component = _program(gathered, options.program, options.firmware)
    program = _part(gathered, component)
    second = None
    if is_shim(program):
        second = _second_stage(gathered, component, options)
    stages = Stages(program, second, options.firmware, options.banks)
    stages.findings += _damage(examined.verdict, gathered, [program, second])
    registers = stages.registers()
    left_out = [NotPredicted(_FIRMWARE_PCRS, _OWN), *stages.left_out]
    if registers:
        table = table_register(gathered, options.banks, stages.leaves_boot_services)
        if table is not None:
            registers.append(table)
        else:
            left_out.append(NotPredicted((5,), "the partition table of the disk is not known"))
    digest = examined.facts.hash(gathered.root, "sha256") if examined.facts else None
    prediction = Prediction(
        image=name,
        program=component,
        digests={"sha256": digest.hex()} if digest is not None else {},
        banks=options.banks,
        registers=tuple(sorted(registers, key=lambda each: each.pcr)),
        not_predicted=tuple(left_out),
        assumptions=tuple(stages.assumptions),
        findings=tuple(stages.findings),
    )
    return prediction, _digests(gathered, examined)


def _digests(gathered: Gathered, examined: Examined) -> dict[str, str]:
    found: dict[str, str] = {}
    for component in gathered.reading.components:
        digest = examined.facts.hash(component.id, "sha256") if examined.facts else None
        if digest is not None and component.size:
            found.setdefault(digest.hex(), component.id.removesuffix(f"/{VIEW}"))
    return found


def _open(name: str, options: PredictOptions) -> tuple[Examined, Gathered]:
    request = VerifyOptions(
        Trust(), BuiltInRule(self_consistent=True), options.formats, options.open
    )
    found = examine(name, request)
    if len(found) != 1:
        raise UsageError(f"{name} stands for {len(found)} images; name one of them")
    if found[0].gathered is None:
        raise AssayError(_first_error(found[0].verdict))
    return found[0], found[0].gathered


def _damage(
    verdict: Verdict, gathered: Gathered, programs: Sequence[Program | None]
) -> Iterator[Finding]:
    """What is wrong with the programs themselves, and with where they are: of one that is not
    whole, or that readers read or find differently, nobody knows what a machine measures."""
    names = [each.component for each in programs if each is not None]
    above = {
        gathered.root,
        *(str(place) for name in names for place in PurePosixPath(name).parents),
    }
    for found in verdict.findings:
        within = any(
            name == gathered.root or f"{found.component}/".startswith(f"{name}/") for name in names
        )
        is_error = found.severity is Severity.ERROR
        if (within and (is_error or found.code in _UNCLEAR)) or (
            is_error and found.component in above
        ):
            yield found


def _first_error(verdict: Verdict) -> Finding:
    return next(
        (each for each in verdict.findings if each.severity is Severity.ERROR), verdict.findings[0]
    )


def removable(firmware: Firmware | None) -> str:
    """The path that firmware starts by itself. Raises UsageError where its settings name another
    one."""
    starts = firmware.starts if firmware is not None else ""
    if starts not in ("", REMOVABLE):
        raise UsageError(
            f"the first boot entry of the firmware starts {printable(starts, 300)}; say with"
            " --program what is started"
        )
    return REMOVABLE


def _program(gathered: Gathered, path: str, firmware: Firmware | None) -> str:
    """The component that firmware starts. Raises UsageError."""
    wanted = plain_path(path)
    if gathered.format == "pe" and not wanted:
        return gathered.root
    wanted = wanted or removable(firmware)
    # firmware starts what is at this path of a file system, and not somewhere below it
    systems = {each.id for each in gathered.reading.components if each.kind == "fat"}
    found = [
        component.id
        for component in gathered.reading.components
        if component.id.lower() == wanted
        or (
            component.id.lower().endswith(f"/{wanted}")
            and component.id[: -len(wanted) - 1] in systems
        )
    ]
    if len(found) != 1:
        what = "no program" if not found else f"{len(found)} programs"
        raise UsageError(f"{gathered.image.name}: {what} at {wanted}; name one with --program")
    return found[0]


def _part(gathered: Gathered, component: str) -> Program:
    """Raises UsageError, and AssayError where it is no program."""
    blob = blob_of(gathered, component)
    if blob is None:
        raise UsageError(f"{component} is stored in a form that firmware does not read")
    return Program(blob, component)


def _second_stage(gathered: Gathered, shim: str, options: PredictOptions) -> Program | None:
    """What a shim starts: it lies in the same directory."""
    if options.second_stage:
        _, beside = _open(options.second_stage, options)
        blob = blob_of(beside, beside.root)
        return Program(blob, SECOND_STAGE, below=SECOND_STAGE) if blob is not None else None
    wanted = str(PurePosixPath(shim).with_name(SECOND_STAGE)).lower()
    every = {each.id: each.id.lower() for each in gathered.reading.components}
    if any(is_fallback(shim, name) for name in every.values()):
        return None
    found = [name for name, lower in every.items() if lower == wanted]
    return _part(gathered, found[0]) if len(found) == 1 else None

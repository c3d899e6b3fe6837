"""What a boot measures is predicted from files, and each difference from a log is explained."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from jsonschema import validate

from assay.boot.prediction.compare import compare_with_log
from assay.boot.prediction.events import BANKS
from assay.boot.prediction.firmware import read_firmware
from assay.boot.prediction.predict import PredictOptions, predict
from assay.boot.prediction.statement import decode, encode
from assay.cli.main import cli
from assay.model.finding import UsageError
from assay.model.measured_boot import (
    BootComparison,
    Deviation,
    PredictedRegister,
    Prediction,
    RegisterOutcome,
)
from assay.report import schemas
from assay.tcg import names
from assay.tcg.log import read_log
from assay.uefi.signature_list import encode_list
from tests.boot.images import (
    DB,
    INITRD,
    LINE,
    OTHER,
    SHA256,
    Settings,
    authenticode,
    covered,
    entry_of,
    image,
    kernel,
    machine,
    stub,
)
from tests.boot.machine import disk
from tests.support import pe, uefi, uki
from tests.support.certificates import Holder, make
from tests.support.event_logs import Measured, log, replayed, separator
from tests.support.event_logs import variable as variable_data

VENDOR = make("vendor")
REVOKED = uefi.entries(SHA256, bytes(32))
CLAIMED = {4, 7, 8, 9, 11, 12, 13}


def tbs_digest(holder: Holder) -> bytes:
    """What dbx names a certificate by: the digest of what is signed in it."""
    return hashlib.sha256(holder.certificate.tbs).digest()


def predicted(
    folder: Path, data: bytes, settings: Settings | None = None, **options: object
) -> Prediction:
    path = folder / "image.efi"
    path.write_bytes(data)
    firmware = read_firmware(settings.store(folder)) if settings is not None else None
    return predict(str(path), PredictOptions(firmware, **options))  # type: ignore[arg-type]


def register(prediction: Prediction, pcr: int) -> PredictedRegister:
    return next(each for each in prediction.registers if each.pcr == pcr)


def compared(prediction: Prediction, events: list[Measured]) -> BootComparison:
    return compare_with_log(prediction, read_log(log(*events, banks=BANKS)), "log")


@pytest.mark.parametrize("enabled", [True, False], ids=["Secure Boot", "without"])
def test_all_values_are_those_of_the_machine(tmp_path: Path, enabled: bool) -> None:
    settings, data = Settings(enabled=enabled), image(DB)
    prediction = predicted(tmp_path, data, settings)
    events = machine(data, settings)
    assert {each.pcr for each in prediction.registers} == CLAIMED
    for pcr in CLAIMED:
        for bank in BANKS:
            value = register(prediction, pcr).values[bank]
            assert value == replayed(events, pcr, bank).hex(), (pcr, bank)
    found = compared(prediction, events)
    assert found.exit_status == 0
    assert {each.outcome for each in found.registers} == {RegisterOutcome.EQUAL}


def test_the_partition_table_of_a_disk(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("sgdisk", "mformat", "mcopy", "mmd"))):
        pytest.skip("sgdisk or mtools is not installed")
    settings, data = Settings(), image(DB)
    (tmp_path / "image.efi").write_bytes(data)
    path = disk(tmp_path, tmp_path / "image.efi")
    with path.open("rb") as file:
        start = file.read(4096)
    # the header, how many partitions there are, and the one that there is
    partition_table = start[512:604] + struct.pack("<Q", 1) + start[1024:1152]
    firmware = read_firmware(settings.store(tmp_path))
    prediction = predict(str(path), PredictOptions(firmware))
    assert prediction.program.endswith("EFI/BOOT/BOOTX64.EFI")
    events = machine(data, settings)
    events.insert(-2, Measured(5, names.EFI_GPT_EVENT, partition_table))
    found = compared(prediction, events)
    assert found.exit_status == 0
    assert {each.pcr for each in found.registers} == CLAIMED | {5}
    assert {each.outcome for each in found.registers} == {RegisterOutcome.EQUAL}


def test_what_userspace_adds_later(tmp_path: Path) -> None:
    prediction = predicted(tmp_path, image())
    found = register(prediction, 11)
    events = [
        *machine(image(), Settings()),
        *(Measured(11, names.IPL, phase) for phase in (b"enter-initrd", b"leave-initrd")),
    ]
    assert found.later["leave-initrd"]["sha384"] == replayed(events, 11, "sha384").hex()


def test_settings_are_the_same_in_every_form(tmp_path: Path) -> None:
    settings, data = Settings(), image(DB)
    (tmp_path / "image.efi").write_bytes(data)
    found = [
        predict(str(tmp_path / "image.efi"), PredictOptions(read_firmware(path))).registers
        for path in (
            settings.store(tmp_path),
            settings.dump(tmp_path),
            settings.directory(tmp_path),
        )
    ]
    assert found[0] == found[1] == found[2]


def test_without_settings_pcr_7_is_not_predicted(tmp_path: Path) -> None:
    prediction = predicted(tmp_path, image(DB))
    assert {each.pcr for each in prediction.registers} == CLAIMED - {7}
    assert any(7 in each.pcrs for each in prediction.not_predicted)
    assert "Secure Boot is on, and allows the program" in prediction.assumptions


def test_a_program_that_is_allowed_by_its_digest(tmp_path: Path) -> None:
    data = image()
    entry = uefi.entries(SHA256, authenticode(data))
    settings = Settings(db=entry)
    prediction = predicted(tmp_path, data, settings)
    found = compared(prediction, machine(data, settings, authority=entry[28:]))
    assert found.exit_status == 0


def test_the_first_signature_that_db_allows_counts(tmp_path: Path) -> None:
    """Signed twice, the first time below an authority that db does not have."""
    settings, data = Settings(), image(make("nobody"), DB)
    assert compared(predicted(tmp_path, data, settings), machine(data, settings)).exit_status == 0


@pytest.mark.parametrize(
    ("data", "dbx", "code"),
    [
        (image(), b"", "boot-not-signed"),
        (image(make("nobody")), b"", "boot-not-allowed"),
        (image(DB), uefi.certificates(DB), "boot-revoked-certificate"),
        (image(DB), uefi.revoked(tbs_digest(DB)), "boot-revoked-certificate-hash"),
        (image(DB), uefi.entries(SHA256, authenticode(image(DB))), "boot-revoked-hash"),
    ],
)
def test_a_program_that_does_not_start_measures_nothing(
    tmp_path: Path, data: bytes, dbx: bytes, code: str
) -> None:
    prediction = predicted(tmp_path, data, Settings(dbx=dbx))
    assert not prediction.registers
    assert code in {each.code for each in prediction.findings}
    with pytest.raises(UsageError):
        encode(prediction)


@pytest.mark.parametrize("signers", [(), (DB,)], ids=["unsigned", "signed"])
def test_a_damaged_image_is_not_predicted(tmp_path: Path, signers: tuple[Holder, ...]) -> None:
    """Cut short, or with sections over one another: firmware may measure anything."""
    whole = image(*signers)
    overlapping = uki.program((".linux", kernel()), (".initrd", INITRD), stub=stub(252))
    sections = [(name, 0x1000, data) for name, _, data in overlapping.sections]
    twisted = overlapping.but(sections=sections)
    made = pe.signed(twisted, *signers) if signers else twisted.unsigned()
    for data in (whole[: len(whole) // 2], made):
        prediction = predicted(tmp_path, data)
        assert not prediction.registers
        assert prediction.findings


@pytest.mark.parametrize(
    ("data", "pcr"),
    [
        (image(DB, version=None), 4),
        (image(DB, version=None), 11),
        (image(DB, version=255), 4),
        (image(DB, line=b"a\nb"), 9),
        (image(DB, line=b"quiet "), 9),
        (image(DB, linux=kernel(b"5.19.0")), 9),
        (image(DB, linux=b"no kernel at all"), 9),
        (image(DB, version=257, more=((".dtbauto", b"tree"),)), 11),
        (image(DB, version=257, more=((".ucode", b"code"),)), 9),
    ],
    ids=[
        "a stub of unknown version, kernel",
        "a stub of unknown version, sections",
        "a stub that was not seen",
        "a line end in the command line",
        "a space at its end",
        "a kernel in between",
        "no kernel",
        "a device tree for some hardware",
        "microcode before the initrd",
    ],
)
def test_what_is_not_known_is_not_predicted(tmp_path: Path, data: bytes, pcr: int) -> None:
    found = register(predicted(tmp_path, data, Settings()), pcr)
    assert not found.values
    assert found.unknown


def test_a_boot_loader_leaves_open_what_it_starts(tmp_path: Path) -> None:
    from tests.support.pe import Program, signed

    settings, data = Settings(), signed(Program(), DB)
    prediction = predicted(tmp_path, data, settings)
    assert not any(each.values for each in prediction.registers)
    events = machine(data, settings)
    found = compared(prediction, events)
    assert {each.outcome for each in found.registers} == {RegisterOutcome.AS_FAR_AS_KNOWN}
    assert found.exit_status == 3
    swapped = compared(prediction, machine(data[:0x500] + b"x" + data[0x501:], settings))
    assert swapped.exit_status == 1


def shim(*signers: Holder, version: bytes = b"16.1") -> bytes:
    """A shim with a certificate of its own, that revokes one digest."""
    levels = b"sbat,1,2025021800\nshim,4\ngrub,5\n\0", b"sbat,1,2025051000\nshim,4\ngrub,6\n\0"
    header = struct.pack("<III", 0, 8, 8 + len(levels[0]))
    program = uki.program(
        (".data.ident", b"UEFI SHIM\n$Version: " + version + b" $\n"),
        (".sbatlevel", header + levels[0] + levels[1]),
        (".vendor_cert", uefi.vendor_section(VENDOR.der, REVOKED)),
        (".sbat", b"sbat,1,SBAT,sbat,1,x\nshim,4,UEFI shim,shim,1,x\n"),
        stub=b"no stub",
    )
    return pe.signed(program, *signers)


def loader(*signers: Holder) -> bytes:
    program = uki.program(
        (".sbat", b"sbat,1,SBAT,sbat,1,x\ngrub,5,GRUB,grub2,2,x\n"), stub=b"no stub"
    )
    return pe.signed(program, *signers)


def below_shim(settings: Settings, first: bytes, second: bytes) -> list[Measured]:
    """What a machine measures whose shim starts a boot loader."""
    lock = "605dab50-e046-4300-abb6-3dd810dd8b23"
    level = variable_data("SbatLevel", b"sbat,1,2025021800\nshim,4\ngrub,5\n", lock)
    key = variable_data("MokListRT", UUID(lock).bytes_le + VENDOR.der, lock)
    own = encode_list(uefi.GUIDS["X509"], lock, VENDOR.der)
    events = machine(first, settings)
    started = next(
        n for n, each in enumerate(events) if each.kind == names.EFI_BOOT_SERVICES_APPLICATION
    )
    return [
        *events[: started + 1],
        Measured(14, names.IPL, b"MokList\0", own),
        Measured(14, names.IPL, b"MokListX\0", REVOKED),
        Measured(7, names.EFI_VARIABLE_AUTHORITY, level),
        Measured(14, names.IPL, b"MokListTrusted\0", b"\1"),
        Measured(7, names.EFI_VARIABLE_AUTHORITY, key),
        Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, b"grubx64.efi", covered(second)),
        Measured(8, names.IPL, b"grub_cmd: ls\0", b"ls"),
        Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, b"kernel", b"a kernel"),
    ]


def staged(
    folder: Path, first: bytes, second: bytes, settings: Settings
) -> tuple[Prediction, BootComparison]:
    (folder / "second.efi").write_bytes(second)
    prediction = predicted(folder, first, settings, second_stage=str(folder / "second.efi"))
    return prediction, compared(prediction, below_shim(settings, first, second))


def test_a_shim_measures_its_keys_and_what_it_starts(tmp_path: Path) -> None:
    prediction, found = staged(tmp_path, shim(DB), loader(VENDOR), Settings())
    assert found.exit_status == 0
    outcomes = {each.pcr: each.outcome for each in found.registers}
    assert outcomes == {
        4: RegisterOutcome.AS_FAR_AS_KNOWN,
        7: RegisterOutcome.EQUAL,
        14: RegisterOutcome.EQUAL,
    }
    assert len(register(prediction, 4).events) == 4
    assert any("same certificate" in each for each in prediction.assumptions)


def test_a_unified_kernel_below_a_shim_is_known_in_part(tmp_path: Path) -> None:
    """The kernel's command line, initrd and sections are; how the stub starts it is not."""
    (tmp_path / "second.efi").write_bytes(
        image(VENDOR, version=258, more=((".sbat", b"sbat,1,S,sbat,1,x\nuki,1,U,u,1,x\n"),))
    )
    path = str(tmp_path / "second.efi")
    prediction = predicted(tmp_path, shim(DB), Settings(), second_stage=path)
    for pcr in (4, 7):
        assert register(prediction, pcr).unknown
    for pcr in (9, 11, 14):
        assert register(prediction, pcr).values


def test_a_newer_stub_starts_the_kernel_itself(tmp_path: Path) -> None:
    for enabled in (True, False):
        settings = Settings(enabled=enabled)
        prediction = predicted(tmp_path, image(DB, version=258), settings)
        assert register(prediction, 4).values
        assert len(register(prediction, 4).events) == 3


def test_what_a_boot_loader_started_is_found_in_the_image(tmp_path: Path) -> None:
    data, parts = shim(DB), {hashlib.sha256(b"a kernel").hexdigest(): "partition[ESP]/vmlinuz"}
    (tmp_path / "second.efi").write_bytes(loader(VENDOR))
    path = str(tmp_path / "second.efi")
    prediction = predicted(tmp_path, data, Settings(), second_stage=path)
    events = [
        *below_shim(Settings(), data, loader(VENDOR)),
        Measured(4, names.EFI_BOOT_SERVICES_APPLICATION, b"", b"of somewhere else"),
        Measured(9, names.IPL, b"/vmlinuz\0", b"a kernel"),
    ]
    found = compare_with_log(prediction, read_log(log(*events)), "log", parts)
    assert [(each.pcr, each.component) for each in found.further] == [
        (4, "partition[ESP]/vmlinuz"),
        (4, ""),
        (9, "partition[ESP]/vmlinuz"),
    ]


def test_a_second_stage_that_the_shim_does_not_start(tmp_path: Path) -> None:
    prediction, _ = staged(tmp_path, shim(DB), loader(make("nobody")), Settings())
    assert not prediction.registers
    assert "boot-not-allowed" in {each.code for each in prediction.findings}


@pytest.mark.parametrize(
    ("name", "value", "knows"),
    [
        ("SbatLevel", b"sbat,1,2025021800\nshim,4\ngrub,5\n", True),
        ("SbatLevel", b"sbat,1,2026010100\nshim,4\n", False),
        ("MokListTrusted", b"\1", True),
        ("MokList", b"", False),
        ("MokIgnoreDB", b"\1", False),
    ],
)
def test_variables_of_shim_on_the_machine(
    tmp_path: Path, name: str, value: bytes, knows: bool
) -> None:
    settings = Settings()
    value = value or uefi.certificates(OTHER)
    settings.values[(name, "605dab50-e046-4300-abb6-3dd810dd8b23")] = value
    (tmp_path / "second.efi").write_bytes(loader(VENDOR))
    path = str(tmp_path / "second.efi")
    prediction = predicted(tmp_path, shim(DB), settings, second_stage=path)
    for pcr in (7, 14):
        assert bool(register(prediction, pcr).values) == knows
        assert bool(register(prediction, pcr).unknown) != knows


def test_another_version_of_shim(tmp_path: Path) -> None:
    prediction, found = staged(tmp_path, shim(DB, version=b"15.8"), loader(VENDOR), Settings())
    assert not register(prediction, 14).values
    assert register(prediction, 7).unknown
    assert found.exit_status == 3


def _other_line(events: list[Measured]) -> None:
    at = next(n for n, each in enumerate(events) if each.measured == LINE)
    events[at] = Measured(11, names.IPL, events[at].data, b"root=/dev/vda init=/bin/sh")


def _other_program(events: list[Measured]) -> None:
    at = next(
        n for n, each in enumerate(events) if each.kind == names.EFI_BOOT_SERVICES_APPLICATION
    )
    events[at] = Measured(4, events[at].kind, events[at].data, b"another program")


def _failed_option(events: list[Measured]) -> None:
    for number, text in enumerate((b"Returning from", b"Calling")):
        data = text + b" EFI Application from Boot Option"
        events.insert(20 + number, Measured(4, names.EFI_ACTION, data))


def _updated_dbx(events: list[Measured]) -> None:
    at = next(n for n, each in enumerate(events) if b"d\0b\0x\0" in each.data)
    vendor = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
    data = variable_data("dbx", uefi.entries(SHA256, bytes(32)), vendor)
    events[at] = Measured(7, events[at].kind, data)


def _other_authority(events: list[Measured]) -> None:
    at = next(n for n, each in enumerate(events) if each.kind == names.EFI_VARIABLE_AUTHORITY)
    vendor = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
    events[at] = Measured(7, events[at].kind, variable_data("db", entry_of(OTHER), vendor))


def _other_initrd(events: list[Measured]) -> None:
    at = next(n for n, each in enumerate(events) if each.measured == INITRD and each.pcr == 9)
    events[at] = Measured(9, events[at].kind, events[at].data, INITRD + b"credentials")


def _credential(events: list[Measured]) -> None:
    data = "Credentials initrd\0".encode("utf-16-le")
    events.append(Measured(12, names.IPL, data, b"archive"))


def _no_separator(events: list[Measured]) -> None:
    events.remove(separator(4))


def _swapped(events: list[Measured]) -> None:
    """The names of two sections in each other's place."""
    places = [n for n, each in enumerate(events) if each.pcr == 11]
    first, second = places[0], places[2]
    events[first], events[second] = events[second], events[first]


@pytest.mark.parametrize(
    ("change", "pcr", "deviation", "says"),
    [
        (_other_line, 11, Deviation.DIFFERENT, "this part of it was replaced"),
        (_other_program, 4, Deviation.DIFFERENT, "another version of the program"),
        (_failed_option, 4, Deviation.EXTRA, "another boot option first"),
        (_updated_dbx, 7, Deviation.DIFFERENT, "another dbx"),
        (_other_authority, 7, Deviation.DIFFERENT, "signed by someone else"),
        (_other_initrd, 9, Deviation.DIFFERENT, "another initrd"),
        (_credential, 12, Deviation.EXTRA, "a credential"),
        (_no_separator, 4, Deviation.MISSING, "did not close the PCR"),
        (_swapped, 11, Deviation.REORDERED, "in another order"),
    ],
)
def test_each_difference_is_explained(
    tmp_path: Path,
    change: Callable[[list[Measured]], None],
    pcr: int,
    deviation: Deviation,
    says: str,
) -> None:
    settings, data = Settings(), image(DB)
    prediction = predicted(tmp_path, data, settings)
    events = machine(data, settings)
    change(events)
    found = compared(prediction, events)
    assert found.exit_status == 1
    outcomes = {each.pcr: each.outcome for each in found.registers}
    assert outcomes.pop(pcr) is RegisterOutcome.DIFFERENT
    assert set(outcomes.values()) == {RegisterOutcome.EQUAL}
    [compared_register] = [each for each in found.registers if each.pcr == pcr]
    assert deviation in {each.deviation for each in compared_register.differences}
    assert any(says in each.means for each in compared_register.differences)


def test_a_log_that_lies_is_not_as_predicted(tmp_path: Path) -> None:
    """The digests are those of the prediction; what the event says was changed."""
    settings, data = Settings(), image(DB)
    prediction = predicted(tmp_path, data, settings)
    events = machine(data, settings)
    truth = events[1]
    events[1] = Measured(7, truth.kind, variable_data("SecureBoot", b"\0"), truth.data)
    found = compared(prediction, events)
    assert {each.outcome for each in found.registers} == {RegisterOutcome.EQUAL}
    assert "tcg-event-data" in {each.code for each in found.findings}
    assert found.exit_status == 1


def test_a_truncated_log_is_not_as_predicted(tmp_path: Path) -> None:
    settings, data = Settings(), image(DB)
    prediction = predicted(tmp_path, data, settings)
    whole = log(*machine(data, settings), banks=BANKS)
    found = compare_with_log(prediction, read_log(whole[:-5]), "log")
    assert found.exit_status == 1


def test_a_log_without_a_bank_in_common(tmp_path: Path) -> None:
    settings, data = Settings(), image(DB)
    prediction = predicted(tmp_path, data, settings, banks=("sha384",))
    events = read_log(log(*machine(data, settings), banks=("sha256",)))
    assert compare_with_log(prediction, events, "log").exit_status == 3


def test_a_statement_says_the_same_and_is_canonical(tmp_path: Path) -> None:
    settings, data = Settings(), image(DB)
    prediction = predicted(tmp_path, data, settings)
    document = encode(prediction)
    (tmp_path / "elsewhere").mkdir()
    assert encode(predicted(tmp_path / "elsewhere", data, settings)) == document
    read = decode(document, "statement")
    assert read.registers == prediction.registers
    assert compared(read, machine(data, settings)).exit_status == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["predicate"]["registers"][0].update(pcr=99),
        lambda value: value["predicate"]["registers"][0].update(pcr=7),
        lambda value: value["predicate"]["registers"][0]["values"].update(sha256="00"),
        lambda value: value["predicate"]["registers"][0]["events"][0]["digests"].pop("sha1"),
        lambda value: value["predicate"].update(more=1),
        lambda value: value.update(predicateType="https://example.com/other"),
    ],
    ids=["no such PCR", "a PCR twice", "no value", "a digest missing", "more", "another type"],
)
def test_a_damaged_statement_is_refused(tmp_path: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    value = json.loads(encode(predicted(tmp_path, image(DB), Settings())))
    change(value)
    with pytest.raises(UsageError):
        decode(json.dumps(value).encode(), "statement")


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    return done.exit_code, done.output


def test_the_commands(tmp_path: Path) -> None:
    settings, data = Settings(), image(DB)
    store = settings.store(tmp_path)
    efi = tmp_path / "esp" / "EFI" / "Boot"
    efi.mkdir(parents=True)
    (efi / "bootx64.efi").write_bytes(data)
    events = machine(data, settings)
    (tmp_path / "log").write_bytes(log(*events))
    statement = tmp_path / "statement.json"
    esp = tmp_path / "esp"

    status, text = run("boot", "predict", esp, "--firmware", store)
    assert status == 0
    assert f"PCR 7   sha256:{replayed(events, 7, 'sha256').hex()}" in text
    assert "not predicted  PCR 0, 1, 2, 3, 6" in text

    status, text = run("boot", "predict", esp, "--firmware", store, "--format", "json")
    assert status == 0
    validate(json.loads(text), json.loads(schemas.text_of("boot-prediction-1")))

    status, _ = run("boot", "predict", esp, "--firmware", store, "--statement", "-o", statement)
    assert status == 0
    for name in (esp, statement):
        arguments = ("boot", "compare", name, "--event-log", tmp_path / "log", "--firmware", store)
        status, text = run(*arguments)
        assert (status, text.split()[:2]) == (0, ["AS", "PREDICTED"])
    status, text = run(*arguments, "--format", "json")
    validate(json.loads(text), json.loads(schemas.text_of("boot-comparison-1")))

    _other_line(events)
    (tmp_path / "log").write_bytes(log(*events))
    status, text = run(*arguments)
    assert status == 1
    assert "content of .cmdline" in text

    (efi / "bootx64.efi").write_bytes(image())
    status, text = run("boot", "predict", esp, "--firmware", store)
    assert status == 1
    assert "boot-not-signed" in text


def test_settings_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no variables")
    for path in (tmp_path / "text", tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError):
            read_firmware(path)

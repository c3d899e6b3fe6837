"""Images and settings that would have a wrong value predicted, and nothing said."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from msgspec.structs import replace

from assay.boot.prediction.compare import compare_with_log
from assay.boot.prediction.firmware import Firmware, read_firmware
from assay.boot.prediction.predict import PredictOptions, predict
from assay.model.finding import UsageError
from assay.model.measured_boot import PredictedRegister, Prediction, RegisterOutcome
from assay.tcg.log import read_log
from assay.uefi.guid import GLOBAL
from tests.boot.images import DB, Settings, image, machine
from tests.boot.test_check_images import disk
from tests.boot.test_prediction import loader, register, run, shim
from tests.support import uefi
from tests.support.disks import Fat12, entry_of, long_entries
from tests.support.event_logs import log

PATH = "EFI/BOOT/BOOTX64.EFI"


def predicted(path: Path, firmware: Firmware | None = None, program: str = "") -> Prediction:
    return predict(str(path), PredictOptions(firmware, program=program))


def entry(path: str, *, attributes: int = 1) -> bytes:
    """EFI_LOAD_OPTION with the path of a file."""
    text = path.encode("utf-16-le") + b"\0\0"
    nodes = struct.pack("<BBH", 4, 4, 4 + len(text)) + text if path else b"\x02\x01\x04\x00"
    nodes += b"\x7f\xff\x04\x00"
    label = "an entry".encode("utf-16-le") + b"\0\0"
    return struct.pack("<IH", attributes, len(nodes)) + label + nodes


def settings(folder: Path, **variables: bytes) -> Firmware:
    more = [uefi.variable(name, GLOBAL, data, attributes=7) for name, data in variables.items()]
    path = folder / "VARS.fd"
    every = [*Settings().variables(), *more]
    path.write_bytes(uefi.volume(*(uefi.record(each) for each in every)))
    return read_firmware(path)


def test_a_program_at_the_right_path_below_another_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no program at"):
        predicted(disk(tmp_path, {f"old/{PATH}": image(DB)}))
    both = disk(tmp_path, {f"old/{PATH}": image(), PATH: image(DB)})
    assert predicted(both).program == f"partition[ESP]/{PATH}"


def test_the_boot_entries_name_another_program_than_the_default(tmp_path: Path) -> None:
    path = disk(tmp_path, {PATH: image(DB), "EFI/debian/shimx64.efi": image(DB, line=b"x")})
    named = entry("\\EFI\\debian\\shimx64.efi")
    setup = entry("", attributes=0x109)
    for variables in (
        {"BootOrder": b"\0\0", "Boot0000": named},
        {"BootOrder": b"\1\0\2\0\0\0", "Boot0001": setup, "Boot0000": named},
        {"BootOrder": b"\3\0", "BootNext": b"\0\0", "Boot0003": entry(""), "Boot0000": named},
        {"BootOrder": b"\3\0\0\0", "Boot0003": entry(PATH, attributes=0), "Boot0000": named},
    ):
        firmware = settings(tmp_path, **variables)
        with pytest.raises(UsageError, match=r"starts efi/debian/shimx64\.efi"):
            predicted(path, firmware)
        found = predicted(path, firmware, "EFI/debian/shimx64.efi")
        assert found.program.endswith("debian/shimx64.efi")
    for variables in (
        {"BootOrder": b"\0\0", "Boot0000": entry("\\EFI\\Boot\\bootx64.efi")},
        {"BootOrder": b"\0\0", "Boot0000": entry("")},
        {"BootOrder": b"\0", "Boot0000": named},
        {"BootOrder": b"\0\0", "Boot0000": named[:9]},
    ):
        assert predicted(path, settings(tmp_path, **variables)).program.endswith(PATH)


def test_two_files_that_answer_to_the_path(tmp_path: Path) -> None:
    first, second = image(DB), image(DB, line=b"other")
    count = max(-(-len(each) // 512) for each in (first, second))
    chains, clusters = {2: 0xFFF, 3: 0xFFF}, {2: entry_of("BOOT", 3, 0, 0x10)}
    short = []
    for start, data in ((10, first), (10 + count, second)):
        short.append(entry_of("BOOTX64.EFI", start, len(data)))
        for n in range(count):
            chains[start + n] = start + n + 1 if n < count - 1 else 0xFFF
            clusters[start + n] = data[n * 512 : (n + 1) * 512]
    clusters[3] = short[0] + long_entries("evil.bin", short[1]) + short[1]
    path = tmp_path / "esp.img"
    made = Fat12(entry_of("EFI", 2, 0, 0x10), chains, clusters, sectors=300)
    path.write_bytes(made.build())
    found = predicted(path)
    assert [each.code for each in found.findings] == ["fat-ambiguous"]
    assert not found.registers


def test_a_partition_table_that_readers_read_differently(tmp_path: Path) -> None:
    path = disk(tmp_path, {PATH: image(DB)})
    data = bytearray(path.read_bytes())
    data[1024 + 32] ^= 1  # where the partition begins
    path.write_bytes(data)
    found = predicted(path)
    assert found.findings
    assert not found.registers


def test_a_database_that_cannot_be_read_predicts_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dbx"):
        read_firmware(Settings(dbx=b"nonsense" * 9).store(tmp_path))


def test_a_shim_that_starts_the_fallback_and_no_boot_loader(tmp_path: Path) -> None:
    """At the path of removable media a shim prefers the program that writes boot entries anew."""
    files = {PATH: shim(DB), "EFI/BOOT/grubx64.efi": loader(DB)}
    without = disk(tmp_path, files)
    firmware = read_firmware(Settings(enabled=False).store(tmp_path))
    assert len(register(predicted(without, firmware), 4).events) == 4
    beside = disk(tmp_path, files | {"EFI/BOOT/fbx64.efi": loader(DB)})
    found = register(predicted(beside, firmware), 4)
    assert len(found.events) == 3
    assert found.unknown
    elsewhere = {f"EFI/debian/{name}": files[f"EFI/BOOT/{of}"] for name, of in (
        ("shimx64.efi", "BOOTX64.EFI"), ("grubx64.efi", "grubx64.efi"), ("fbx64.efi", "grubx64.efi")
    )}  # fmt: skip
    found = register(predicted(disk(tmp_path, elsewhere), firmware, "EFI/debian/shimx64.efi"), 4)
    assert len(found.events) == 4
    folder = tmp_path / "esp"
    for name, data in (files | {"EFI/BOOT/fbx64.efi": loader(DB)}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    store = str(tmp_path / "VARS.fd")
    status, text = run("boot", "predict", folder, "--firmware", store, "--format", "json")
    assert status == 0, text
    assert "grubx64" not in text


def test_a_log_of_sha1_alone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "image.efi"
    path.write_bytes(image(DB))
    firmware = read_firmware(Settings().store(tmp_path))
    events = machine(image(DB), Settings())
    for banks, told in ((("sha1",), True), (("sha1", "sha256"), False)):
        found = compare_with_log(predicted(path, firmware), read_log(log(*events, banks=banks)), "")
        assert ("tcg-log-sha1" in {each.code for each in found.findings}) is told


def test_a_prediction_without_a_value_equals_nothing(tmp_path: Path) -> None:
    path = tmp_path / "image.efi"
    path.write_bytes(image(DB))
    made = replace(predicted(path), registers=(PredictedRegister(16, (), {}),))
    found = compare_with_log(made, read_log(log(*machine(image(DB), Settings()))), "")
    assert [each.outcome for each in found.registers] == [RegisterOutcome.DIFFERENT]

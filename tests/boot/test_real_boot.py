"""A boot of a machine under emulation, with firmware, TPM and Secure Boot. It takes about half a
minute, and runs where it is asked for: scripts/measured-boot."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from assay.boot.prediction.compare import compare_with_log
from assay.boot.prediction.events import BANKS
from assay.boot.prediction.firmware import read_firmware
from assay.boot.prediction.predict import PredictOptions, predict
from assay.model.measured_boot import BootComparison, Prediction, RegisterOutcome
from assay.tcg.covered import covered_by
from assay.tcg.log import read_log
from assay.tcg.order import check_order
from assay.tcg.replay import replay
from tests.boot import machine

BINARIES = Path(__file__).parents[2] / ".cache" / "boot"
SHIM = BINARIES / "usr/lib/shim/shimx64.efi.signed"
GRUB = BINARIES / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
MICROSOFT = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
OWNER = "11111111-2222-3333-4444-555555555555"


def _kernel() -> Path:
    found = sorted(BINARIES.glob("boot/vmlinuz-*"))
    if not found:
        pytest.skip("no kernel here: scripts/boot-binaries gets one")
    return found[0]


def _run(*command: object) -> None:
    subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=60)


def _key(folder: Path, name: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    _run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
        "-subj", f"/CN=Assay test {name}/", "-keyout", key, "-out", certificate,
    )  # fmt: skip
    return key, certificate


asked = pytest.mark.skipif(
    "ASSAY_MEASURED_BOOT" not in os.environ, reason="takes long: run scripts/measured-boot"
)


@asked
@pytest.mark.parametrize("secure", [True, False], ids=["Secure Boot", "without Secure Boot"])
def test_a_boot_measures_what_was_predicted(tmp_path: Path, secure: bool) -> None:
    enroll = shutil.which("virt-fw-vars")
    if absent := machine.missing() or ("" if enroll else "virt-fw-vars"):
        pytest.skip(f"not here: {absent}")
    keys = {name: _key(tmp_path, name) for name in ("PK", "KEK", "db")}
    unsigned = machine.unified_image(tmp_path, _kernel(), "console=ttyS0 panic=-1")
    image = tmp_path / "image.efi"
    key, certificate = keys["db"]
    _run("sbsign", "--key", key, "--cert", certificate, "--output", image, unsigned)
    variables = tmp_path / "VARS.fd"
    if secure:
        _run(
            enroll, "-i", machine.EMPTY_VARIABLES, "-o", variables, "--secure-boot",
            "--set-pk", OWNER, keys["PK"][1], "--add-kek", OWNER, keys["KEK"][1],
            "--add-db", OWNER, keys["db"][1],
        )  # fmt: skip
    else:
        shutil.copy(machine.EMPTY_VARIABLES, variables)
    disk = machine.disk(tmp_path, image)
    prediction = predict(str(disk), PredictOptions(read_firmware(variables)))

    booted = machine.boot(tmp_path, disk, variables)

    found = _compared(prediction, booted)
    assert {each.pcr for each in found.registers} == {4, 5, 7, 8, 9, 11, 12, 13}
    assert {each.outcome for each in found.registers} == {RegisterOutcome.EQUAL}
    assert found.exit_status == 0


def _compared(prediction: Prediction, booted: machine.Booted) -> BootComparison:
    """The comparison with a log that is whole, does not lie, and is that of the TPM."""
    log = read_log(booted.event_log)
    assert log.complete
    assert not list(check_order(log))
    assert not [event.number for event in log.events if covered_by(event).lies]
    for pcr, value in replay(log).values["sha256"].items():
        assert booted.pcrs[pcr] == value, pcr
    for register in prediction.registers:
        if not register.unknown:
            assert set(register.values) == set(BANKS)
            assert booted.pcrs[register.pcr].hex() == register.values["sha256"], register.pcr
    return compare_with_log(prediction, log, "the machine's log")


@asked
def test_a_boot_of_debian_below_the_keys_of_microsoft(tmp_path: Path) -> None:
    """Firmware with Microsoft's keys starts Debian's shim, that GRUB, and that Debian's kernel:
    genuine binaries all of them."""
    absent = [str(path) for path in (SHIM, GRUB, MICROSOFT) if not path.exists()]
    if missing := machine.missing() or ", ".join(absent):
        pytest.skip(f"not here: {missing}")
    files = {"initrd": machine.initrd(), "grub.cfg": _GRUB_SAYS}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    disk = machine.disk(
        tmp_path,
        SHIM,
        {
            "EFI/BOOT/grubx64.efi": GRUB,
            "EFI/debian/grub.cfg": tmp_path / "grub.cfg",
            "vmlinuz": _kernel(),
            "initrd": tmp_path / "initrd",
        },
    )
    variables = tmp_path / "VARS.fd"
    shutil.copy(MICROSOFT, variables)
    prediction = predict(str(disk), PredictOptions(read_firmware(variables)))

    booted = machine.boot(tmp_path, disk, variables)

    found = _compared(prediction, booted)
    outcomes = {each.pcr: each.outcome for each in found.registers}
    assert outcomes == {
        4: RegisterOutcome.AS_FAR_AS_KNOWN,
        5: RegisterOutcome.AS_FAR_AS_KNOWN,
        7: RegisterOutcome.EQUAL,
        14: RegisterOutcome.EQUAL,
    }
    # what shim left behind in the variables changes nothing
    again = predict(str(disk), PredictOptions(read_firmware(variables)))
    assert again.registers == prediction.registers


_GRUB_SAYS = b"linux /vmlinuz console=ttyS0 panic=-1\ninitrd /initrd\nboot\n"

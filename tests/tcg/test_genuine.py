"""Logs of real machines: what peers replay, and what TPMs had."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from assay.tcg.covered import covered_by
from assay.tcg.log import looks_like_log, read_log
from assay.tcg.order import check_order
from assay.tcg.replay import replay
from tests.support.event_logs import Measured, boot, log, old_log

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors"
LOGS = VECTORS / "event-logs"
PRETTY = LOGS / "tpm2-tools" / "event-pretty"
BOOTED = VECTORS / "measured-boot"

_NO_LOGS = {"CCEL.bin", "cos-113-intel-tdx.table.bin"}
_PARTS = {"sb_cert_eventlog", "short_no_action_eventlog"}


def _logs() -> list[Path]:
    found = [*LOGS.glob("**/*.bin"), *LOGS.glob("**/legacydata/*eventlog"), *BOOTED.glob("*/*.bin")]
    return sorted(
        path
        for path in found
        if path.name not in _NO_LOGS and "ima" not in path.name and "sha256" not in path.name
    )


def values_in(text: str) -> dict[str, dict[int, bytes]]:
    """The PCR values at the end of what tpm2_eventlog prints."""
    found: dict[str, dict[int, bytes]] = {}
    bank = ""
    _, _, values = text.partition("\npcrs:\n")
    for line in values.splitlines():
        if named := re.fullmatch(r"  (\w+):", line):
            bank = {"sm3_256": "sm3-256"}.get(named[1], named[1])
        elif value := re.fullmatch(r"    (\d+) *: 0x([0-9a-f]+)", line):
            found.setdefault(bank, {})[int(value[1])] = bytes.fromhex(value[2])
    return found


@pytest.mark.skipif(not PRETTY.exists(), reason="no event logs here")
def test_replays_agree_with_those_beside_the_logs() -> None:
    compared = 0
    for expected in sorted(PRETTY.glob("*.yaml")):
        wanted = values_in(expected.read_text())
        found = read_log((LOGS / "tpm2-tools" / expected.stem).read_bytes())
        ours = replay(found).values
        for bank, registers in wanted.items():
            for pcr, value in registers.items():
                assert ours[bank][pcr] == value, (expected.name, bank, pcr)
                compared += 1
        for bank, mine in ours.items():
            assert set(mine) <= set(wanted.get(bank, {}))
    assert compared > 100


@pytest.mark.skipif(not BOOTED.exists(), reason="no event logs here")
def test_replays_agree_with_the_tpm_of_the_machine() -> None:
    for folder in BOOTED.iterdir():
        held = values_in("\npcrs:\n" + (folder / "pcrs.txt").read_text())
        found = replay(read_log((folder / "eventlog.bin").read_bytes())).values
        for bank, registers in held.items():
            for pcr, value in found.get(bank, {}).items():
                if pcr in registers and pcr != 10:
                    assert registers[pcr] == value, (folder.name, bank, pcr)


@pytest.mark.skipif(not LOGS.exists(), reason="no event logs here")
def test_no_genuine_event_lies_and_none_is_out_of_order() -> None:
    logs = _logs()
    assert len(logs) > 20
    for path in logs:
        data = path.read_bytes()
        assert looks_like_log(data[:4096]) or path.name in _PARTS, path.name
        found = read_log(data)
        assert found.complete, path.name
        assert not [event.number for event in found.events if covered_by(event).lies], path.name
        if path.name not in _PARTS:
            assert not list(check_order(found)), path.name


@pytest.mark.skipif(not shutil.which("tpm2_eventlog"), reason="no tpm2-tools here")
@pytest.mark.parametrize(
    "data",
    [
        log(*boot(), banks=("sha1", "sha256", "sha384", "sha512")),
        log(*boot(secure=False), banks=("sha256",)),
        log(*boot(), Measured(8, 0xD, b"grub_cmd: ls\0", b"ls")),
        old_log(*boot()),
    ],
    ids=["four banks", "one bank", "GRUB", "SHA-1 alone"],
)
def test_tpm2_eventlog_replays_the_same(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    done = subprocess.run(
        ["tpm2_eventlog", str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert replay(read_log(data)).values == values_in(done.stdout)

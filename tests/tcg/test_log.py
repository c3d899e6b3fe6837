"""Event logs are read whole, or it is said where they stop being one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import AssayError
from assay.tcg import names
from assay.tcg.data import said_by
from assay.tcg.device_path import device_path
from assay.tcg.log import looks_like_log, read_log
from assay.tcg.replay import replay
from tests.support.disks import inspect
from tests.support.event_logs import (
    Measured,
    boot,
    locality,
    log,
    old_log,
    one,
    replayed,
    separator,
    spec_id,
    variable,
)

BANKS = ("sha1", "sha256", "sha384", "sha512")


def codes(data: bytes) -> list[str]:
    found = read_log(data)
    return [each.code for each in (*found.findings, *replay(found).findings)]


def test_every_bank_is_replayed() -> None:
    events = boot()
    values = replay(read_log(log(*events, banks=BANKS))).values
    assert set(values) == set(BANKS)
    for bank in BANKS:
        assert set(values[bank]) == set(range(8))
        for pcr in range(8):
            assert values[bank][pcr] == replayed(events, pcr, bank)


def test_a_log_with_sha1_alone() -> None:
    events = boot()
    found = read_log(old_log(*events))
    assert not found.agile
    assert found.complete
    assert replay(found).values == {
        "sha1": {pcr: replayed(events, pcr, "sha1") for pcr in range(8)}
    }


def test_the_tpm_was_started_from_another_locality() -> None:
    events = [locality(3), *boot()]
    found = replay(read_log(log(*events)))
    assert found.locality == 3
    start = bytes(31) + b"\3"
    assert found.values["sha256"][0] == replayed(events, 0, "sha256", start)
    assert found.values["sha256"][1] == replayed(events, 1, "sha256")
    assert not found.findings


@pytest.mark.parametrize(
    "events",
    [
        [*boot(), locality(3)],
        [locality(3), locality(0), *boot()],
        [locality(2), *boot()],
    ],
    ids=["after PCR 0 was extended", "twice", "one that cannot be"],
)
def test_a_locality_that_was_added_later_does_not_count(events: list[Measured]) -> None:
    assert "tcg-locality" in codes(log(*events))


def test_registers_for_a_dynamic_launch_start_with_ones() -> None:
    events = [Measured(17, names.EVENT_TAG, b"launch")]
    found = replay(read_log(log(*events)))
    assert found.values["sha256"][17] == replayed(events, 17, "sha256", b"\xff" * 32)


@pytest.mark.parametrize("filling", [bytes(64), b"\xff" * 64, bytes(8)])
def test_what_fills_the_buffer_is_no_event(filling: bytes) -> None:
    whole = log(*boot())
    found = read_log(whole + filling)
    assert found.complete
    assert found.end == len(whole)
    assert found.events == read_log(whole).events


def test_a_truncated_log_is_no_whole_log() -> None:
    whole = log(*boot())
    ends = {0, 32} | {event.span[1] for event in read_log(whole).events}
    refused: set[str] = set()
    for length in range(len(whole)):
        try:
            found = read_log(whole[:length])
        except AssayError as error:
            refused.add(error.finding.code)
            continue
        assert found.complete == (length in ends)
        if not found.complete:
            assert found.findings[0].code == "tcg-log-truncated"
    assert refused <= {"tcg-log-truncated", "tcg-log-malformed"}


def test_an_absurd_length_takes_no_memory() -> None:
    event = bytearray(one(separator(0), ("sha256",)))
    event[-8:-4] = struct.pack("<I", 0xFFFFFFF0)
    found = read_log(spec_id(("sha256",)) + bytes(event))
    assert not found.complete
    assert found.findings[0].cause == "truncation"


def test_more_digests_than_banks() -> None:
    event = one(separator(0), ("sha256",))
    event = event[:8] + struct.pack("<I", 0x10000) + event[12:]
    assert codes(spec_id(("sha256",)) + event) == ["tcg-log-malformed"]


def test_a_digest_of_a_bank_that_the_log_does_not_have() -> None:
    assert codes(spec_id(("sha256",)) + one(separator(0), ("sha384",))) == ["tcg-log-malformed"]


def test_two_digests_of_one_bank() -> None:
    event = one(separator(0), ("sha256", "sha256"))
    assert codes(spec_id(("sha1", "sha256")) + event) == ["tcg-log-malformed"]


def test_a_bank_without_digests_has_no_value() -> None:
    data = spec_id(("sha1", "sha256")) + one(separator(0), ("sha1",))
    found = replay(read_log(data))
    assert 0 in found.values["sha1"]
    assert 0 not in found.values["sha256"]
    assert [each.code for each in found.findings] == ["tcg-digest-missing"]


@pytest.mark.parametrize(
    "banks",
    [("sha256", "sha256"), ()],
    ids=["a bank twice", "no bank"],
)
def test_banks_that_cannot_be(banks: tuple[str, ...]) -> None:
    with pytest.raises(AssayError) as caught:
        read_log(spec_id(banks))
    assert caught.value.finding.code == "tcg-log-malformed"


def test_a_known_bank_with_digests_of_another_size() -> None:
    data = bytearray(spec_id(("sha256",)))
    at = data.index(struct.pack("<HH", 0xB, 32))
    data[at + 2] = 20
    with pytest.raises(AssayError):
        read_log(bytes(data))


def test_a_log_of_a_confidential_machine_has_other_registers() -> None:
    data = spec_id(("sha384",), index=1) + one(separator(1), ("sha384",))
    assert read_log(data).confidential
    assert not read_log(log(*boot())).confidential


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_are_a_log_or_none(data: bytes) -> None:
    looks_like_log(data)
    for candidate in (data, spec_id(("sha1", "sha256")) + data):
        try:
            found = read_log(candidate)
        except AssayError:
            continue
        replay(found)
        for event in found.events:
            assert said_by(event).text.isprintable()


@given(st.binary(max_size=120))
def test_any_bytes_show_as_a_device_path(data: bytes) -> None:
    assert device_path(data).isprintable()


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (names.EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\1"), "SecureBoot = on"),
        (names.EFI_VARIABLE_DRIVER_CONFIG, variable("PK", b""), "PK = (empty)"),
        (names.EFI_VARIABLE_BOOT, variable("BootOrder", b"\1\0\2\0"), "BootOrder = 0001,0002"),
        (names.EFI_PLATFORM_FIRMWARE_BLOB, struct.pack("<QQ", 4096, 16), "16 bytes at 0x1000"),
        (names.IPL, ".linux\0".encode("utf-16-le"), ".linux"),
        (names.EFI_ACTION, b"Exit Boot Services Invocation", "Exit Boot Services Invocation"),
        (names.SEPARATOR, b"\xff" * 4, "0xffffffff"),
        (names.EVENT_TAG, struct.pack("<II", 0x8F3B22EC, 4) + b"abcd", "0x8f3b22ec (initrd): abcd"),
        (names.IPL, b"\x1b[31mred", "1b5b33316d726564"),
    ],
)
def test_events_are_told_in_words(kind: int, data: bytes, text: str) -> None:
    [_, event] = read_log(log(Measured(7, kind, data))).events
    assert said_by(event).text == text


def test_a_device_path_in_the_notation_of_the_specification() -> None:
    nodes = (
        b"\2\1\x0c\0\xd0\x41\x03\x0a\0\0\0\0"
        b"\1\1\6\0\0\1"
        b"\3\x12\x0a\0\0\0\xff\xff\0\0"
        b"\4\4"
        + struct.pack("<H", 4 + 24)
        + "\\EFI\\a.efi\0\0".encode("utf-16-le")[:24]
        + b"\x7f\xff\4\0"
    )
    shown = device_path(nodes)
    assert shown == "PciRoot(0x0)/Pci(0x1,0x0)/Sata(0x0,0xffff,0x0)/\\EFI\\a.efi"


def test_a_log_with_very_many_events(tmp_path: Path) -> None:
    """What would take time by the square of their number takes hours. Zeros that begin an event
    are no filling."""
    path = tmp_path / "log"
    events = [Measured(0, 0, bytes(9))] * 6000
    path.write_bytes(log(*events, banks=("sha256",)))
    verdict = inspect(path)
    assert sum(each.id.startswith("event[") for each in verdict.components) == 6001

"""Events that lie about what was measured, and logs whose events were moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.model.verdict import Verdict
from assay.tcg import names
from assay.tcg.covered import covered_by
from assay.tcg.log import read_log
from tests.support.checking import check, codes_of
from tests.support.event_logs import (
    Measured,
    boot,
    log,
    old_log,
    record,
    separator,
    variable,
)


def look(tmp_path: Path, data: bytes) -> Verdict:
    path = tmp_path / "log"
    path.write_bytes(data)
    return check(str(path))


def test_an_honest_log(tmp_path: Path) -> None:
    verdict = look(tmp_path, log(*boot()))
    assert verdict.format == "tcg-event-log"
    assert codes_of(verdict) <= {"no-anchor"}
    assert verdict.claims_held == len(boot()) - 1
    assert verdict.claims_broken == 0


def test_a_log_that_says_secure_boot_was_on(tmp_path: Path) -> None:
    """The attack: the machine measured that it is off, and the log's text was changed."""
    events = boot(secure=False)
    lie = variable("SecureBoot", b"\1")
    events[1] = Measured(7, names.EFI_VARIABLE_DRIVER_CONFIG, lie, variable("SecureBoot", b"\0"))
    verdict = look(tmp_path, log(*events))
    assert {"tcg-event-data", "digest-mismatch"} <= codes_of(verdict)
    assert verdict.claims_broken == 1


def test_an_event_that_lies_in_one_bank_alone() -> None:
    data = bytearray(log(*boot()))
    event = read_log(bytes(data)).events[2]
    sha1 = next(each for each in event.digests if each.bank == "sha1")
    data[sha1.start] ^= 1
    assert covered_by(read_log(bytes(data)).events[2]).lies


def test_any_changed_bit_of_covered_data_is_seen(tmp_path: Path) -> None:
    whole = log(*boot())
    for event in read_log(whole).events[1:]:
        if not covered_by(event).required:
            continue
        for at in (event.data_start, event.span[1] - 1):
            damaged = bytearray(whole)
            damaged[at] ^= 0x10
            assert "tcg-event-data" in codes_of(look(tmp_path, bytes(damaged)))


def test_a_log_with_sha1_digests_alone_can_lie_too(tmp_path: Path) -> None:
    lie = Measured(5, names.EFI_ACTION, b"Exit Boot Services Invocation", b"something else")
    verdict = look(tmp_path, old_log(*boot(), lie))
    assert {"tcg-log-sha1", "tcg-event-data"} <= codes_of(verdict)


@pytest.mark.parametrize(
    ("kind", "data", "measured"),
    [
        (names.EFI_VARIABLE_BOOT, variable("Boot0001", b"option"), b"option"),
        (names.EFI_VARIABLE_BOOT, variable("Boot0001", b"option"), variable("Boot0001", b"option")),
        (names.EFI_VARIABLE_AUTHORITY, variable("Shim", b"certificate") + b"\xaf", None),
        (names.IPL, b"grub_cmd: ls\0", b"ls"),
        (names.IPL, b"kernel_cmdline: /vmlinuz quiet\0", b"/vmlinuz quiet"),
        (names.IPL, ".linux\0".encode("utf-16-le"), b".linux\0"),
    ],
    ids=["boot variable", "of older firmware", "old shim", "GRUB", "command line", "section"],
)
def test_what_is_measured_of_the_data(kind: int, data: bytes, measured: bytes | None) -> None:
    if measured is None:
        measured = data[:-1]
    [_, event] = read_log(log(Measured(7, kind, data, measured))).events
    coverage = covered_by(event)
    assert coverage.spans is not None
    assert b"".join(data[start:end] for start, end in coverage.spans) == measured


def test_a_digest_of_something_else_is_no_lie_where_it_may_be() -> None:
    for kind in (names.EFI_BOOT_SERVICES_APPLICATION, names.IPL, names.EVENT_TAG, names.POST_CODE):
        [_, event] = read_log(log(Measured(4, kind, b"a name", b"a program"))).events
        assert not covered_by(event).lies


def _moved(events: list[Measured]) -> list[Measured]:
    """Secure Boot's switch after the separator."""
    return [events[0], *events[2:], events[1]]


def _repeated(events: list[Measured]) -> list[Measured]:
    return [*events, separator(4)]


def _early(events: list[Measured]) -> list[Measured]:
    """The program before anything was closed."""
    program = next(each for each in events if each.kind == names.EFI_BOOT_SERVICES_APPLICATION)
    return [program, *events]


def _open(events: list[Measured]) -> list[Measured]:
    return [each for each in events if (each.pcr, each.kind) != (2, names.SEPARATOR)]


def _version_last(events: list[Measured]) -> list[Measured]:
    return [*events[1:], events[0]]


@pytest.mark.parametrize("change", [_moved, _repeated, _early, _open, _version_last])
def test_reordered_events(
    tmp_path: Path, change: Callable[[list[Measured]], list[Measured]]
) -> None:
    assert "tcg-event-order" in codes_of(look(tmp_path, log(*change(boot()))))


def test_a_separator_that_tells_of_an_error(tmp_path: Path) -> None:
    events = [each for each in boot() if (each.pcr, each.kind) != (2, names.SEPARATOR)]
    events.insert(3, separator(2, b"\1\0\0\0"))
    assert "tcg-separator-error" in codes_of(look(tmp_path, log(*events)))


def test_a_truncated_log_is_refused(tmp_path: Path) -> None:
    verdict = look(tmp_path, log(*boot())[:-3])
    assert "tcg-log-truncated" in codes_of(verdict)
    pcr = next(each for each in verdict.components if each.id == "sha256/pcr[5]")
    assert "value" not in pcr.labels


def test_the_log_of_systemd(tmp_path: Path) -> None:
    data = record(11, "enter-initrd") + record(11, "leave-initrd")
    verdict = look(tmp_path, data)
    assert verdict.format == "tcg-records"
    assert codes_of(verdict) <= {"no-anchor"}
    assert verdict.claims_held == 2
    names_of = [each.labels.get("name") for each in verdict.components]
    assert "PCR 11  phase: enter-initrd" in names_of


def test_a_record_that_lies(tmp_path: Path) -> None:
    assert "tcg-event-data" in codes_of(look(tmp_path, record(11, "ready", "sysinit")))


@pytest.mark.parametrize(
    "data",
    [
        record(11, "ready")[:-1],
        record(11, "ready") + b"\x1e{}\n",
        record(11, "ready").replace(b'"pcr":11', b'"pcr":99'),
        record(11, "ready").replace(b'"sha256"', b'"sha1"'),
        record(11, "ready").replace(b'"digest":"', b'"digest":"zz'),
    ],
    ids=["cut short", "no digests", "no such PCR", "two digests of a bank", "no digits"],
)
def test_damaged_records(tmp_path: Path, data: bytes) -> None:
    assert codes_of(look(tmp_path, data)) & {"tcg-log-malformed", "tcg-log-truncated"}

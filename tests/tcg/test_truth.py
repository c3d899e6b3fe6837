"""Events that lie about what was measured, and logs whose events were moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import UsageError
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.tcg import names
from assay.tcg.covered import covered_by
from assay.tcg.log import read_log
from assay.tcg.replay import replay
from assay.trust.anchors import Trust
from tests.support.checking import check, codes_of
from tests.support.event_logs import (
    Measured,
    boot,
    locality,
    log,
    old_log,
    record,
    replayed,
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


def known(tmp_path: Path, data: bytes, *pcrs: str) -> Verdict:
    """The verdict on a log with values of PCRs to trust (``N=algorithm:hex``)."""
    path = tmp_path / "log"
    path.write_bytes(data)
    trust = Trust()
    for text in pcrs:
        number, _, value = text.partition("=")
        trust.add_pcr(int(number), value)
    [verdict] = verify(str(path), VerifyOptions(trust))
    return verdict


BANKS = ("sha1", "sha256", "sha384", "sha512")


@pytest.mark.parametrize("bank", ["sha256", "sha384", "sha512"])
def test_a_known_pcr_value_vouches_for_what_its_events_say(tmp_path: Path, bank: str) -> None:
    events = [locality(3), *boot()]
    data = log(*events, banks=BANKS)
    size = {"sha256": 32, "sha384": 48, "sha512": 64}[bank]
    values = [
        f"{pcr}={bank}:{replayed(events, pcr, bank, start).hex()}"
        for pcr, start in ((0, bytes(size - 1) + b"\3"), (7, bytes(size)))
    ]
    verdict = known(tmp_path, data, *values)
    assert verdict
    states = {each.id: each.state for each in verdict.components}
    for number, event in enumerate(events, 1):
        bound = event.pcr in (0, 7) and event.kind != names.NO_ACTION
        assert (states[f"event[{number}]"] is State.BOUND) == bound, number


def test_another_value_refuses_the_log(tmp_path: Path) -> None:
    other = replayed(boot(secure=False), 7, "sha256").hex()
    verdict = known(tmp_path, log(*boot()), f"7=sha256:{other}")
    assert "digest-mismatch" in codes_of(verdict)
    assert not verdict


def test_all_values_given_have_to_hold(tmp_path: Path) -> None:
    events = boot()
    right = f"7=sha256:{replayed(events, 7, 'sha256').hex()}"
    assert known(tmp_path, log(*events), right)
    assert not known(tmp_path, log(*events), right, f"4=sha256:{bytes(32).hex()}")


def test_a_log_that_lies_under_a_right_value(tmp_path: Path) -> None:
    """The digests are the machine's, the text beside them is not."""
    events = boot()
    lie = variable("SecureBoot", b"\0")
    events[1] = Measured(7, names.EFI_VARIABLE_DRIVER_CONFIG, lie, variable("SecureBoot", b"\1"))
    right = f"7=sha256:{replayed(boot(), 7, 'sha256').hex()}"
    verdict = known(tmp_path, log(*events), right)
    assert not verdict
    assert {"tcg-event-data", "digest-mismatch"} <= codes_of(verdict)


def test_events_that_were_swapped(tmp_path: Path) -> None:
    events = boot()
    right = f"4=sha256:{replayed(events, 4, 'sha256').hex()}"
    events[3], events[8] = events[8], events[3]
    assert not known(tmp_path, log(*events), right)


def test_a_value_of_a_pcr_without_events(tmp_path: Path) -> None:
    verdict = known(tmp_path, log(*boot()), f"14=sha256:{bytes(32).hex()}")
    assert "tcg-pcr-absent" in codes_of(verdict)
    assert not verdict


def test_a_truncated_log_has_no_values(tmp_path: Path) -> None:
    right = f"7=sha256:{replayed(boot(), 7, 'sha256').hex()}"
    assert not known(tmp_path, log(*boot())[:-3], right)


def test_sha1_values_vouch_for_nothing() -> None:
    with pytest.raises(UsageError):
        Trust().add_pcr(7, f"sha1:{bytes(20).hex()}")


@given(
    st.lists(st.tuples(st.integers(0, 23), st.binary(max_size=40)), min_size=1, max_size=12),
    st.sampled_from(["sha256", "sha384", "sha512"]),
)
@settings(max_examples=40, deadline=None)
def test_the_digest_of_a_replayed_pcr_is_its_value(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, bytes]], bank: str
) -> None:
    made = [Measured(pcr, names.IPL, data) for pcr, data in events]
    data = log(*made, banks=(bank,))
    values = replay(read_log(data)).values[bank]
    given_values = [f"{pcr}={bank}:{value.hex()}" for pcr, value in values.items()]
    verdict = known(tmp_path_factory.mktemp("log"), data, *given_values)
    assert verdict.claims_broken == 0
    assert verdict

"""Time stamps in entries: whose word the time of an entry is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from assay.cms.timestamp import TimeAuthority
from assay.ledger import entry
from assay.ledger.audit import audit
from assay.ledger.log import Log
from assay.ledger.stamp import check, stamp
from assay.sources.model import OpenOptions
from assay.sources.time_stamping import stamper
from assay.x509.load import read_certificates
from tests.cli.support import assay_here
from tests.ledger.support import signer, verdict
from tests.support.certificates import Holder, make
from tests.support.tsa import TimeStamper, time_stamper, tsa_signer


@pytest.fixture
def root() -> Holder:
    return make("Root of time", ca=True)


@pytest.fixture
def authority(tmp_path: Path, root: Holder) -> Iterator[TimeStamper]:
    with time_stamper(tmp_path / "tsa", tsa_signer(root), root) as found:
        yield found


def clocks(*roots: Holder) -> tuple[TimeAuthority, ...]:
    found = [each for root in roots for each in read_certificates(root.pem)]
    return (TimeAuthority(tuple(found)),)


def recorded(time: datetime | None = None) -> tuple[bytes, bytes]:
    text = (time or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return entry.record(verdict(), text, entry.Context())


def test_an_entry_with_a_time_stamp(tmp_path: Path, authority: TimeStamper, root: Holder) -> None:
    leaf, body = recorded()
    stamped = stamp(leaf, stamper(authority.url, OpenOptions()))
    log = Log.create(str(tmp_path / "v.db"), signer())
    log.append([(stamped, body), recorded()])
    for given in (clocks(root), ()):
        result = audit(log, clocks=given)
        assert (result.findings, result.stamped) == ([], 1)
    codes = [found.code for found in audit(log, clocks=clocks(make("Another", ca=True))).findings]
    assert codes == ["ledger-timestamp-invalid"]


def test_time_stamp_of_another_entry(authority: TimeStamper, root: Holder) -> None:
    stamped = entry.parse(stamp(recorded()[0], stamper(authority.url, OpenOptions())))
    assert check(stamped, clocks(root)) is None
    for changed in (
        replace(stamped, decision="refused"),
        replace(stamped, image="another"),
        replace(stamped, timestamp=stamped.timestamp[:-8]),
        replace(stamped, timestamp="!"),
    ):
        found = check(changed, clocks(root))
        assert found is not None
        assert found.code == "ledger-timestamp-invalid"


@pytest.mark.parametrize("days", [-1, 1])
def test_an_entry_that_states_another_time_than_its_stamp(
    authority: TimeStamper, root: Holder, days: int
) -> None:
    """The clock of the machine that recorded was set back, or forward."""
    leaf, _ = recorded(datetime.now(UTC) + timedelta(days=days))
    found = check(entry.parse(stamp(leaf, stamper(authority.url, OpenOptions()))), clocks(root))
    assert found is not None
    assert "another time" in found.detail


def test_the_command_line(tmp_path: Path, authority: TimeStamper, root: Holder) -> None:
    def assay(*words: str, status: int = 0) -> str:
        done = assay_here(*words, cwd=tmp_path)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    (tmp_path / "disk.img").write_bytes(b"content")
    (tmp_path / "root.pem").write_bytes(root.pem)
    (tmp_path / "other.pem").write_bytes(make("Another", ca=True).pem)
    assay("key", "generate", "l.key", "--kind", "ed25519", "--no-passphrase")
    assay("ledger", "init", "v.db", "--key", "l.key", "--origin", "v.example")
    record = ["verify", "disk.img", "--self-consistent", "--ledger", "v.db", "--ledger-key",
              "l.key", "--ledger-timestamp-url", authority.url]  # fmt: skip
    assay(*record)
    assert "time stamps: 1, by the authority in root.pem" in assay(
        "ledger", "verify", "v.db", "--tsa-ca", "root.pem"
    )
    assert "ledger-timestamp-invalid" in assay(
        "ledger", "verify", "v.db", "--tsa-ca", "other.pem", status=1
    )
    authority.status = 500
    assay(*record, status=3)
    assert '"index": 0' in assay("ledger", "list", "v.db", "--format", "json")
    assert "1 entry" in assay("ledger", "verify", "v.db"), "what has no time stamp is not recorded"

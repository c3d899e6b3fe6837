"""Revoked keys and certificates: what ssh-keygen revokes does not count."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import UsageError
from assay.signatures.ssh import revocation
from assay.trust.anchors import Trust
from tests.signatures.ssh.support import Keygen, number, string
from tests.signatures.ssh.test_ssh import Certified, allowed
from tests.signatures.support import codes_of, run, trust_in, verdict_of

HEADER = b"SSHKRL\n\0" + number(1) + bytes(24) + string(b"") + string(b"a comment")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"assay" * 100)
    return path


def revoked(keys: Path, listing: Path) -> Trust:
    trust = trust_in(keys)
    trust.add_ssh_revoked(str(listing))
    return trust


def krl(folder: Path, *arguments: str | Path) -> Path:
    path = folder / "krl"
    run("ssh-keygen", "-k", "-q", "-f", path, *arguments)
    return path


def test_a_key_on_a_plain_list_or_krl_is_revoked(image: Path, tmp_path: Path) -> None:
    signer, other = Keygen(tmp_path), Keygen(tmp_path, "other")
    signature = signer.sign(image)
    keys = allowed(tmp_path, f"alice {signer.line}")
    plain = tmp_path / "plain"
    plain.write_text(f"# lost\n\n{other.public.read_text()}{signer.public.read_text()}")
    fingerprints = tmp_path / "specification"
    for word in ("sha1", "sha256", "key"):
        fingerprints.write_text(f"{word}: {signer.line}\n")
        for listing in (plain, krl(tmp_path, signer.public), krl(tmp_path, fingerprints)):
            verdict = verdict_of(image, revoked(keys, listing))
            assert verdict.exit_status == 1
            assert "key-revoked" in codes_of(verdict)
            assert not signer.accepts(keys, "alice", image, signature, "file", "-r", listing)
    innocent = krl(tmp_path, other.public)
    assert verdict_of(image, revoked(keys, innocent)).exit_status == 0
    assert signer.accepts(keys, "alice", image, signature, "file", "-r", innocent)


@pytest.mark.parametrize(
    ("specification", "gone"),
    [
        ("serial: 5", True),
        ("serial: 6", False),
        ("serial: 1-9", True),
        ("serial: 6-9", False),
        ("serial: 1\nserial: 3\nserial: 5\nserial: 7\nserial: 9", True),
        ("serial: 1\nserial: 3\nserial: 7\nserial: 9\nserial: 11", False),
        ("id: release key 7", True),
        ("id: release key 8", False),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_certificates_are_revoked_by_number_and_name(
    image: Path, tmp_path: Path, specification: str, gone: bool, named: bool
) -> None:
    made = Certified(tmp_path, "-n", "alice", "-z", "5")
    signature = made.sign(image)
    keys = allowed(tmp_path, f"alice cert-authority {made.authority.line}")
    lines = tmp_path / "specification"
    lines.write_text(specification + "\n")
    authority = ["-s", made.authority.public] if named else ["-s", "NONE"]
    listing = krl(tmp_path, *authority, lines)
    verdict = verdict_of(image, revoked(keys, listing))
    assert (verdict.exit_status == 1) == gone
    assert ("key-revoked" in codes_of(verdict)) == gone
    agreed = made.signer.accepts(keys, "alice", image, signature, "file", "-r", listing)
    assert agreed != gone


def test_an_authority_that_is_revoked_vouches_for_nobody(image: Path, tmp_path: Path) -> None:
    made = Certified(tmp_path, "-n", "alice")
    made.sign(image)
    keys = allowed(tmp_path, f"alice cert-authority {made.authority.line}")
    for public in (made.authority.public, made.signer.public, made.signer.certificate):
        plain = tmp_path / "plain"
        plain.write_text(public.read_text())
        for listing in (plain, krl(tmp_path, public)):
            assert "key-revoked" in codes_of(verdict_of(image, revoked(keys, listing)))


def test_numbers_of_another_authority_do_not_count(image: Path, tmp_path: Path) -> None:
    made, other = Certified(tmp_path, "-n", "alice", "-z", "5"), Keygen(tmp_path, "other")
    made.sign(image)
    keys = allowed(tmp_path, f"alice cert-authority {made.authority.line}")
    lines = tmp_path / "specification"
    lines.write_text("serial: 5\n")
    listing = krl(tmp_path, "-s", other.public, lines)
    assert verdict_of(image, revoked(keys, listing)).exit_status == 0


def section(kind: int, data: bytes) -> bytes:
    return HEADER + number(kind, 1) + string(data)


@pytest.mark.parametrize(
    "data",
    [
        HEADER[:-1],
        HEADER.replace(number(1), number(2), 1),
        section(9, b""),
        section(2, b"\0\0"),
        section(3, string(b"short")),
        section(255, string(b"x@example.com") + b"\1" + string(b"")),
        section(1, string(b"") + string(b"") + b"\x21" + string(number(9, 8) + number(1, 8))),
        section(1, string(b"") + string(b"") + b"\x20" + string(b"\0" * 7)),
        section(1, string(b"") + string(b"") + b"\x77" + string(b"")),
        section(
            1, string(b"") + string(b"") + b"\x22" + string(bytes(8) + string(b"\1" + bytes(2**18)))
        ),
        b"<html>not found</html>\n",
        b"SHA256SUMS\n",
    ],
    ids=[
        "cut",
        "another version",
        "unknown section",
        "cut key",
        "short digest",
        "critical extension",
        "backwards range",
        "cut serial",
        "unknown certificates",
        "endless bitmap",
        "web page",
        "another file",
    ],
)
def test_a_list_that_is_not_understood_in_full_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="--ssh-revoked"):
        Trust().add_ssh_revoked(str(path))


def test_an_extension_that_is_not_critical_is_passed_over() -> None:
    revocation.read(section(255, string(b"x@example.com") + b"\0" + string(b"")))
    revocation.read(HEADER + b"\4" + string(b"key") + string(b"signature"))
    revocation.read(b"")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_reading_revoked_keys_raises_nothing_else(data: bytes) -> None:
    for attempt in (data, HEADER + data):
        try:
            revocation.read(attempt)
        except UsageError:
            continue

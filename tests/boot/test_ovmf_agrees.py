"""The rules of `assay boot check` against those of real firmware: EDK II decides on the same
programs with the same databases. It takes about half a minute, and runs where it is asked for:
scripts/measured-boot."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.boot import ovmf
from tests.boot.boot_support import ask_of
from tests.support import pe, uefi
from tests.support.certificates import NOW, Holder, key_of, make, root, usage

if "ASSAY_MEASURED_BOOT" not in os.environ:
    pytest.skip("takes long: run scripts/measured-boot", allow_module_level=True)

SIGN = usage("digital_signature")
_numbers = iter(range(100))


def _key() -> object:
    return key_of("rsa2048", next(_numbers))


PLATFORM = root("Platform", key=_key())
AUTHORITY = root("Authority", key=_key())
SIGNER = make("Signer", AUTHORITY, key=_key())
OLD = root("Old Authority", key=_key(), start=datetime(2010, 1, 1, tzinfo=UTC),
           end=datetime(2015, 1, 1, tzinfo=UTC))  # fmt: skip
OLD_SIGNER = make("Old Signer", OLD, key=_key(), start=datetime(2010, 1, 1, tzinfo=UTC),
                  end=datetime(2012, 1, 1, tzinfo=UTC))  # fmt: skip
REVOKED = root("Revoked Authority", key=_key())
REVOKED_SIGNER = make("Signer below Revoked", REVOKED, key=_key())
LOST = make("Signer whose Key was lost", AUTHORITY, key=_key())
LOST_LATER = make("Signer lost later", AUTHORITY, key=_key())
BETWEEN = make("Between", AUTHORITY, ca=True, key=_key())
BELOW = make("Signer below Between", BETWEEN, key=_key())
LOST_BETWEEN = make("Between that was lost", AUTHORITY, ca=True, key=_key())
BELOW_LOST = make("Signer below lost Between", LOST_BETWEEN, key=_key())
STRANGER = root("Stranger", key=_key())
SELF = make("Enrolled by itself", key=_key(), key_usage=SIGN)


def program(number: int) -> ovmf.Loadable:
    return ovmf.loadable(b"\x31\xc0\xc3" + number.to_bytes(2, "little"))


def _signed(number: int, *holders: Holder, **more: object) -> bytes:
    return pe.signed(program(number), *holders, **more)  # type: ignore[arg-type]


def _digest(number: int, algorithm: str = "sha256") -> bytes:
    return program(number).digest(_plain(number), algorithm)


def _tbs(holder: Holder) -> bytes:
    return hashlib.sha256(holder.certificate.tbs).digest()


def _plain(number: int) -> bytes:
    data = program(number).unsigned()
    return data + bytes(-len(data) % 8)


def _mixed(number: int, *parts: bytes) -> bytes:
    return pe.with_table(program(number), _plain(number), b"".join(map(pe.entry, parts)))


CASES: dict[str, bytes] = {
    "below an authority": _signed(1, SIGNER),
    "over SHA-384": _signed(2, SIGNER, algorithm="sha384"),
    "below an authority that has expired": _signed(3, OLD_SIGNER),
    "below an authority between": _signed(4, BELOW, certificates=[BETWEEN]),
    "enrolled by itself": _signed(5, SELF),
    "unsigned": _plain(6),
    "unsigned, with its digest in db": _plain(7),
    "by a stranger": _signed(8, STRANGER),
    "by a stranger, with its digest in db": _signed(9, STRANGER),
    "by a stranger and an authority": _signed(10, STRANGER, SIGNER),
    "by an authority and a stranger": _signed(11, SIGNER, STRANGER),
    "its digest is revoked": _signed(12, SIGNER),
    "its digest is in db and revoked": _signed(13, SIGNER),
    "below a revoked authority": _signed(14, REVOKED_SIGNER),
    "below a revoked authority and a good one": _signed(15, REVOKED_SIGNER, SIGNER),
    "below a good authority and a revoked one": _signed(16, SIGNER, REVOKED_SIGNER),
    "revoked by TBS hash": _signed(17, LOST),
    "revoked by TBS hash from a time on": _signed(18, LOST_LATER),
    "below one revoked by TBS hash": _signed(19, BELOW_LOST, certificates=[LOST_BETWEEN]),
    "with the signature of another program": _mixed(20, pe.signature(SIGNER, _digest(1))),
    "with a foreign signature before a good one": _mixed(
        21, pe.signature(SIGNER, _digest(1)), pe.signature(SIGNER, _digest(21))
    ),
    "with a foreign signature behind a good one": _mixed(
        22, pe.signature(SIGNER, _digest(22)), pe.signature(SIGNER, _digest(1))
    ),
    "with a foreign signature by a lost key behind a good one": _mixed(
        23, pe.signature(SIGNER, _digest(23)), pe.signature(LOST, _digest(1))
    ),
    "with a forged signature": _mixed(
        24, pe.signature(STRANGER, _digest(24), names=SIGNER, certificates=[SIGNER])
    ),
}
DB = (
    uefi.certificates(AUTHORITY, OLD, SELF)
    + uefi.entries("SHA256", _digest(7), _digest(9), _digest(13))
)  # fmt: skip
DBX = (
    uefi.certificates(REVOKED)
    + uefi.entries("SHA256", _digest(12), _digest(13))
    + uefi.revoked(_tbs(LOST))
    + uefi.revoked(_tbs(LOST_LATER), NOW.replace(year=2090))
    + uefi.revoked(_tbs(LOST_BETWEEN))
)
STRICTER = {"below one revoked by TBS hash": True}
"""EDK II looks for TBS hashes of the signer and of the authority in db, and not of what is between
them, as the specification has it (section 32.5.3.3). We refuse."""


def test_firmware_loads_what_is_allowed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("qemu-system-x86_64", "mformat", "mcopy", "sgdisk"):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
    store = ovmf.variables(tmp_path, PLATFORM, DB, DBX)
    found = ovmf.statuses(tmp_path, store, SIGNER, list(CASES.values()))
    assert len(found) == len(CASES)
    assert set(found) <= {ovmf.SUCCESS, ovmf.ACCESS_DENIED, ovmf.SECURITY_VIOLATION}
    firmware = {name: status == ovmf.SUCCESS for name, status in zip(CASES, found, strict=True)}
    ours = {name: ask_of(tmp_path, data, store).exit_status == 0 for name, data in CASES.items()}
    differing = {name: firmware[name] for name in CASES if ours[name] != firmware[name]}
    assert differing == STRICTER

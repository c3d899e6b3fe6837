"""UEFI signature databases as anchors of a policy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.policy_documents.load import load
from tests.policy.support import AT, Person, judge, write
from tests.policy.test_trusting import vouching
from tests.support.certificates import Holder, make, root
from tests.support.pe import Program, signed
from tests.support.uefi import certificates, entries

TEXT = """
rules: [{name: boot, require: {signers: firmware, coverage: {complete: true}}}]
anchors:
  firmware:
    uefi-databases: [db.esl]
    forbidden: [dbx.esl]
"""


class Boot:
    """A program signed by somebody below an authority, one step between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = root("Platform CA")
        self.between = make("Vendor CA", self.authority, ca=True)
        self.holder = make("Vendor", self.between, eku=["1.3.6.1.5.5.7.3.3"])
        program = Program()
        data = signed(program, self.holder, certificates=[self.between])
        self.path = folder / "boot.efi"
        self.path.write_bytes(data)
        self.digest = program.digest(data)
        (folder / "db.esl").write_bytes(certificates(self.authority))
        self.policy = write(folder, TEXT)

    def vouching(self, forbidden: bytes) -> set[str]:
        (self.folder / "dbx.esl").write_bytes(forbidden)
        return vouching(judge(self.policy, self.path))


def _elsewhere() -> bytes:
    return certificates(root("Somebody Else")) + entries("SHA256", bytes(32))


def test_a_program_below_a_certificate_in_db(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    assert boot.vouching(_elsewhere()) == {"firmware"}
    verdict = judge(boot.policy, boot.path)
    assert verdict, verdict.rule
    data = bytearray(boot.path.read_bytes())
    data[0x200] ^= 1
    boot.path.write_bytes(data)
    assert not judge(boot.policy, boot.path)


def test_a_program_below_another_certificate(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    (tmp_path / "db.esl").write_bytes(certificates(root("Platform CA")))
    assert boot.vouching(_elsewhere()) == set()


def _certificate_hash(holder: Holder) -> bytes:
    digest = hashlib.sha256(holder.made.tbs_certificate_bytes).digest()
    return entries("X509_SHA256", digest + bytes(16))


def test_what_dbx_forbids(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    forbidden = {
        "program": entries("SHA256", bytes(32), boot.digest),
        "signer": certificates(boot.holder),
        "intermediate": certificates(boot.between),
        "authority": certificates(boot.authority),
        "hash of the intermediate": _certificate_hash(boot.between),
        "hash of the signer": _certificate_hash(boot.holder),
        "hashes that cannot be compared": entries("SHA1", bytes(20)),
    }
    for what, lists in forbidden.items():
        assert boot.vouching(_elsewhere() + lists) == set(), what


def test_a_database_vouches_for_programs_alone(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    boot.path.write_bytes(b"no program")
    person = Person(tmp_path, "someone")
    (tmp_path / "dbx.esl").write_bytes(_elsewhere())
    assert vouching(judge(boot.policy, boot.path, person.sign(boot.path))) == set()


@pytest.mark.parametrize("data", [b"", b"not lists", b"\x30\x03\x02\x01\x01"])
def test_a_database_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    boot = Boot(tmp_path)
    (tmp_path / "dbx.esl").write_bytes(data)
    with pytest.raises(UsageError, match=r"dbx\.esl"):
        judge(boot.policy, boot.path)


def test_one_entry_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    boot = Boot(tmp_path)
    (tmp_path / "dbx.esl").write_bytes(_elsewhere() + entries("X509", b"no certificate"))
    with pytest.raises(UsageError, match=r"dbx\.esl"):
        load([boot.policy], at=AT).apply("boot.efi")

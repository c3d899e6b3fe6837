"""What is left of the vectors of go-uefi and shim: every file of them is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.boot.programs import read_program
from assay.cms.signed_data import read_signed_data
from assay.formats.pe.indirect_data import read_indirect_data
from assay.sources.blobs import MemoryBlob
from assay.uefi.efivarfs import read_file_name, read_variable
from assay.uefi.signature_list import each_entry, read_lists
from assay.uefi.variable import NON_VOLATILE, RUNTIME, attribute_names
from tests.boot.boot_support import ask
from tests.uefi.support import vectors


def _variables() -> list[Path]:
    folders = [vectors("shim-efivars"), vectors("go-uefi") / "tests/data"]
    return [path for folder in folders for path in folder.rglob("*-*-*-*-*-*") if path.is_file()]


def test_every_dumped_variable_has_a_name_and_attributes() -> None:
    found = []
    for path in _variables():
        name = read_file_name(path.name)
        assert name is not None, path
        variable = read_variable(path.read_bytes(), name)
        assert variable is not None
        found.append((variable.name, attribute_names(variable.attributes)))
    named = dict(found)
    assert len(found) > 25
    assert named["Boot0000"] == "NV+BS+RT"
    assert named["SecureBoot"] == "BS+RT"
    assert named["BootOrder"] == "NV+BS+RT"


def test_variables_that_are_called_by_their_names_alone() -> None:
    data = (vectors("go-uefi") / "tests/data/signatures/efivars/PK").read_bytes()
    assert int.from_bytes(data[:4], "little") & (NON_VOLATILE | RUNTIME)
    [(known, entry)] = each_entry(read_lists(data[4:]))
    assert known.name == "X509"
    assert entry.data[:1] == b"\x30"


def test_a_signature_that_go_uefi_made(tmp_path: Path) -> None:
    folder = vectors("go-uefi") / "authenticode/testdata"
    plain, signed = folder / "test.pecoff", folder / "test.pecoff.signed"
    alone = read_signed_data((folder / "test.authenticode.signed").read_bytes())
    assert read_indirect_data(alone).digest.algorithm == "sha256"
    made = read_program("signed", MemoryBlob(signed.read_bytes()))
    [claimed] = made.signatures
    assert claimed.fault is None
    (tmp_path / "own.der").write_bytes(claimed.pool[0].der)
    assert ask(signed, f"db={tmp_path / 'own.der'}", at=None).exit_status == 0
    assert ask(plain, f"db={tmp_path / 'own.der'}", at=None).exit_status == 1


def test_signed_data_of_go_uefi() -> None:
    data = (vectors("go-uefi") / "pkcs7/testdata/test.signed").read_bytes()
    signed = read_signed_data(data)
    assert not signed.wrapped
    assert [str(each) for each in signed.certificates] == ["C=Database Key"]


def test_the_same_program_twice_is_the_same_program() -> None:
    folder = vectors("go-uefi")
    one = folder / "tests/data/binary/test.pecoff"
    assert one.read_bytes() == (folder / "authenticode/testdata/test.pecoff").read_bytes()


@pytest.mark.parametrize("name", ["KEK", "PK", "db"])
def test_certificates_of_go_uefi_are_what_a_machine_may_have(name: str) -> None:
    from assay.boot.firmware import read_firmware

    path = vectors("go-uefi") / f"tests/data/signatures/secureboot/keys/{name}/{name}.der"
    found = read_firmware([str(path)])
    assert found.found == {name}
    assert not found.findings

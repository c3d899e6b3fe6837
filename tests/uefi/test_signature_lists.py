"""Signature lists: real ones, those of efitools, and hostile ones."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.pe.headers import read_headers
from assay.formats.pe.layout import layout_of
from assay.formats.uefi import LISTS, VARIABLE
from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.uefi.guid import encode, read_guid
from assay.uefi.signature_list import TYPES, Kind, each_entry, encode_list, read_lists
from tests.signatures.support import run, tool
from tests.support.certificates import make, root
from tests.support.uefi import GUIDS, OWNER, TIME, certificates, entries, revoked
from tests.uefi.support import BOOT, microsoft, reading, vectors

ROOT = root("Platform")
GOOD = certificates(ROOT) + entries("SHA256", bytes(32), b"\1" * 32)


def refused(data: bytes) -> AssayError:
    with pytest.raises(AssayError) as caught:
        read_lists(data)
    assert caught.value.finding.code == "uefi-signature-list"
    assert caught.value.finding.offset is not None
    return caught.value


def test_the_db_of_a_machine() -> None:
    data = (vectors("shim-efivars") / "efivars-0").joinpath(
        "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
    )
    found = reading(VARIABLE, data.read_bytes())
    assert not found.findings
    named = {part.labels.get("name", "") for part in found.components}
    assert any("CN=Microsoft Corporation UEFI CA 2011" in name for name in named)
    assert any("Canonical Ltd. Master Certificate Authority" in name for name in named)
    assert len([part for part in found.components if part.kind == "efi-hash"]) == 5
    assert "NV+BS+RT+AT" in found.components[0].description


@pytest.mark.parametrize("name", ["db", "dbdefault", "kekdefault", "pk"])
def test_variables_of_go_uefi(name: str) -> None:
    data = (vectors("go-uefi") / "efi/signature/testdata" / name).read_bytes()
    found = reading(VARIABLE, data)
    assert not found.findings
    assert [part for part in found.components if part.kind == "efi-signature-list"]


@pytest.mark.parametrize("name", ["PK", "KEK", "db"])
def test_lists_of_go_uefi(name: str) -> None:
    folder = vectors("go-uefi") / "tests/data/signatures"
    [(known, entry)] = each_entry(read_lists((folder / f"siglist/{name}.der.esl").read_bytes()))
    assert known.kind is Kind.CERTIFICATE
    assert entry.data == (folder / f"secureboot/keys/{name}/{name}.der").read_bytes()


def test_microsofts_revocations_are_those_that_its_list_names() -> None:
    from assay.uefi.authentication import read_update

    data = (vectors("secureboot-authvars") / "DBX/amd64/DBXUpdate.bin").read_bytes()
    found = each_entry(read_lists(data[read_update(data).content_start :]))
    hashes = {entry.data.hex() for known, entry in found if known.kind is Kind.HASH}
    told = json.loads(microsoft("DBX/dbx_info_msft_latest.json").read_bytes())
    published = {each["authenticodeHash"].lower() for each in told["images"]["x64"]}
    assert len(hashes) == 443
    assert hashes <= published


def test_cert_to_efi_sig_list_writes_what_we_do(tmp_path: Path) -> None:
    ROOT.write(tmp_path, "root")
    run(tool("cert-to-efi-sig-list"), "-g", OWNER, "root.crt", "root.esl", cwd=tmp_path)
    assert (tmp_path / "root.esl").read_bytes() == certificates(ROOT)


def test_hash_to_efi_sig_list_finds_the_digest_that_we_find(tmp_path: Path) -> None:
    for program in BOOT.rglob("fbx64.efi"):
        run(tool("hash-to-efi-sig-list"), program, "program.esl", cwd=tmp_path)
        [(known, entry)] = each_entry(read_lists((tmp_path / "program.esl").read_bytes()))
        blob = MemoryBlob(program.read_bytes())
        view = layout_of(read_headers(blob), blob.size).signed
        ours = hashlib.sha256(b"".join(blob.read_at(a, b - a) for a, b in view)).digest()
        assert (known.algorithm, entry.data) == ("sha256", ours)
        return
    pytest.skip("Debian's boot binaries are not here (scripts/boot-binaries)")


def test_sig_list_to_certs_reads_what_we_write(tmp_path: Path) -> None:
    (tmp_path / "db.esl").write_bytes(certificates(ROOT, make("Other")))
    run(tool("sig-list-to-certs"), "db.esl", "out", cwd=tmp_path)
    assert (tmp_path / "out-0.der").read_bytes() == ROOT.der


def test_every_entry_is_a_component_with_what_it_says() -> None:
    data = GOOD + revoked(hashlib.sha256(ROOT.certificate.tbs).digest(), TIME)
    found = reading(LISTS, data)
    parts = {part.id: part for part in found.components}
    assert parts["list[0]/entry[0]"].labels["owner"] == OWNER
    assert "CN=Platform" in parts["list[0]/entry[0]"].labels["name"]
    assert parts["list[1]/entry[1]"].labels["name"] == "sha256:" + "01" * 32
    assert "revoked from 2026-03-01T12:00:00Z" in parts["list[2]/entry[0]"].labels["name"]
    assert not found.claims
    assert not found.findings


def test_a_certificate_that_is_none_is_told_and_not_passed_over() -> None:
    found = reading(LISTS, entries("X509", b"no certificate at all"))
    assert [each.code for each in found.findings] == ["uefi-entry-unreadable"]
    assert found.findings[0].component == "list[0]/entry[0]"


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_guids_keep_their_form(kind: str) -> None:
    assert read_guid(encode(kind)) == kind


# hostile lists


def test_a_list_that_is_cut_off() -> None:
    # how long it is depends on the certificate, made anew each time: no matter for parameters
    for end in range(1, len(GOOD)):
        if end == len(certificates(ROOT)):
            assert len(read_lists(GOOD[:end])) == 1
        else:
            refused(GOOD[:end])


@pytest.mark.parametrize("field", [16, 20, 24])
@pytest.mark.parametrize("value", [0, 1, 15, 16, 27, 29, 0x7FFFFFFF, 0xFFFFFFFF])
def test_length_fields_that_disagree(field: int, value: int) -> None:
    data = bytearray(entries("SHA256", bytes(32), b"\1" * 32))
    if struct.unpack_from("<I", data, field)[0] == value:
        return
    struct.pack_into("<I", data, field, value)
    refused(bytes(data))


def test_an_entry_size_that_hides_a_revocation() -> None:
    """Two hashes, read as one entry of twice the size, would revoke neither."""
    data = bytearray(entries("SHA256", bytes(32), b"\1" * 32))
    struct.pack_into("<I", data, 24, 96)
    refused(bytes(data))


def test_a_header_that_hides_an_entry() -> None:
    data = bytearray(entries("SHA256", bytes(32), b"\1" * 32))
    struct.pack_into("<I", data, 20, 48)
    refused(bytes(data))


def test_data_behind_the_last_list() -> None:
    refused(GOOD + b"\0")


def test_more_entries_than_any_firmware_has_room_for() -> None:
    data = encode_list(GUIDS["EXTERNAL_MANAGEMENT"], OWNER, *[b"\0"] * 65537)
    with pytest.raises(AssayError):
        read_lists(data)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_behind_a_list_are_read_or_refused(more: bytes) -> None:
    try:
        found = read_lists(GOOD + more)
    except AssayError:
        return
    assert found[-1].end == len(GOOD + more)

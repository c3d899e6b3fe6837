"""Variable stores and dumps: Debian's, those of virt-firmware, and hostile ones."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.uefi import DUMP, STORE
from assay.model.finding import AssayError
from assay.uefi.dump import read_dump
from assay.uefi.efivarfs import FileName, read_file_name, read_variable
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY
from assay.uefi.store import read_store
from assay.uefi.variable import attribute_names
from tests.signatures.support import run
from tests.support.certificates import root
from tests.support.uefi import TIME, certificates, entries, record, variable, volume
from tests.uefi.support import VECTORS, ovmf, reading, vectors, virt_fw_vars

ROOT = root("Platform")
DB = variable("db", IMAGE_SECURITY, certificates(ROOT), time=TIME)
DBX = variable("dbx", IMAGE_SECURITY, entries("SHA256", bytes(32)), time=TIME)
PK = variable("PK", GLOBAL, certificates(ROOT), time=TIME)


def refused(data: bytes) -> None:
    with pytest.raises(AssayError) as caught:
        read_store(data)
    assert caught.value.finding.code == "uefi-store-malformed"


STORES = ["OVMF_VARS.ms.fd", "OVMF_VARS_4M.ms.fd", "OVMF_VARS_4M.snakeoil.fd", "OVMF_VARS_4M.fd"]


@pytest.mark.parametrize("name", STORES)
def test_the_stores_of_ovmf_say_what_virt_firmware_reads_in_them(name: str, tmp_path: Path) -> None:
    path = ovmf(name)
    run(virt_fw_vars(), "-i", path, "--output-json", tmp_path / "vars.json")
    ours = {(each.name, each.vendor): each for each in read_store(path.read_bytes()).variables}
    theirs = {
        (each.name, each.vendor): each for each in read_dump((tmp_path / "vars.json").read_bytes())
    }
    assert ours.keys() == theirs.keys()
    for key, mine in ours.items():
        other = theirs[key]
        assert (mine.attributes, mine.data) == (other.attributes, other.data)
        if other.time is not None:
            assert mine.time == other.time


def test_the_store_of_debians_firmware_has_microsofts_authorities_of_2011() -> None:
    found = reading(STORE, ovmf("OVMF_VARS_4M.ms.fd").read_bytes())
    assert not found.findings
    names = [part.labels.get("name", "") for part in found.components]
    assert any("CN=Microsoft Corporation UEFI CA 2011" in name for name in names)
    assert not any("CA 2023" in name for name in names)
    assert {"variable[PK]", "variable[KEK]", "variable[db]", "variable[dbx]"} <= {
        part.id for part in found.components
    }


def test_what_virt_firmware_enrols_is_read(tmp_path: Path) -> None:
    certificate, _ = ROOT.write(tmp_path, "root")
    empty, out = ovmf("OVMF_VARS_4M.fd"), tmp_path / "out.fd"
    owner = "11111111-2222-3333-4444-123456789abc"
    run(
        virt_fw_vars(), "-i", empty, "-o", out, "--set-pk", owner, certificate, "--add-kek", owner,
        certificate, "--add-db", owner, certificate, "--add-dbx-hash", owner, "ab" * 32,
    )  # fmt: skip
    variables = {each.name: each for each in read_store(out.read_bytes()).variables}
    assert variables["PK"].data == certificates(ROOT)
    assert ("ab" * 32) in variables["dbx"].data.hex()
    assert attribute_names(variables["db"].attributes) == "NV+BS+RT+AT"


@pytest.mark.parametrize("authenticated", [True, False])
def test_both_layouts(authenticated: bool) -> None:
    made = [record(each, authenticated=authenticated) for each in (PK, DB, DBX)]
    store = read_store(volume(*made, authenticated=authenticated))
    assert store.authenticated is authenticated
    assert [each.name for each in store.variables] == ["PK", "db", "dbx"]
    assert [each.data for each in store.variables] == [PK.data, DB.data, DBX.data]
    assert {each.time for each in store.variables} == {TIME if authenticated else None}
    assert not store.findings


def test_a_variable_that_was_replaced_does_not_count() -> None:
    old = variable("db", IMAGE_SECURITY, entries("SHA256", b"\1" * 32))
    for state in (0x3C, 0x3D, 0x7F, 0x3E):
        store = read_store(volume(record(old, state=state), record(DB)))
        assert [each.data for each in store.variables] == [DB.data]
        assert store.deleted == 1


def test_a_variable_whose_successor_was_never_written_counts() -> None:
    store = read_store(volume(record(DB, state=0x3E), record(DBX)))
    assert [each.name for each in store.variables] == ["db", "dbx"]


def test_a_dbx_that_is_there_twice_is_told_apart_by_its_vendor() -> None:
    """A variable of the same name and another vendor is no dbx."""
    fake = variable("dbx", GLOBAL, entries("SHA256", b"\2" * 32))
    found = reading(STORE, volume(record(DBX), record(fake)))
    ids = [part.id for part in found.components if part.kind == "efi-variable"]
    assert ids == ["variable[dbx]", f"variable[dbx-{GLOBAL}]"]


@pytest.mark.parametrize("attributes", [0x07, 0x06, 0x17, 0x67])
def test_a_db_that_anyone_may_change_is_told(attributes: int) -> None:
    made = variable("db", IMAGE_SECURITY, DB.data, attributes=attributes)
    found = reading(STORE, volume(record(made)))
    assert [each.code for each in found.findings] == ["uefi-attributes"]


def test_a_name_that_looks_like_a_path_or_an_escape_code() -> None:
    made = variable("../db\x1b[2J/x", IMAGE_SECURITY, b"data")
    found = reading(STORE, volume(record(made)))
    [part] = [part for part in found.components if part.kind == "efi-variable"]
    assert "\x1b" not in part.id
    assert "/" not in part.id.removeprefix("variable")


# hostile stores

GOOD = volume(record(PK), record(DB), record(DBX))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (16, b"\0" * 4),
        (40, b"_FVX"),
        (48, b"\0\0"),
        (48, b"\x49\0"),
        (48, b"\xff\xff"),
        (72, b"\0" * 16),
        (88, b"\xff\xff\xff\x7f"),
        (88, b"\1\0\0\0"),
        (92, b"\0"),
        (93, b"\xfc"),
    ],
)
def test_headers_that_cannot_be(place: int, value: bytes) -> None:
    data = bytearray(GOOD)
    data[place : place + len(value)] = value
    refused(bytes(data))


def test_a_wrong_checksum_of_the_volume_is_told() -> None:
    data = bytearray(GOOD)
    data[52] ^= 1
    store = read_store(bytes(data))
    assert [each.code for each in store.findings] == ["uefi-store-malformed"]
    assert len(store.variables) == 3


@pytest.mark.parametrize("size", [0, 40, 56, 71, 72, 99])
def test_a_store_that_is_cut_off_in_its_headers(size: int) -> None:
    refused(GOOD[:size])


def test_a_store_that_is_cut_off_is_told() -> None:
    with pytest.raises(AssayError):
        read_store(GOOD[:200])


@pytest.mark.parametrize("field", ["name", "data"])
def test_a_variable_that_ends_behind_the_store(field: str) -> None:
    data = bytearray(GOOD)
    at = 100 + len(record(PK)) + {"name": 36, "data": 40}[field]
    struct.pack_into("<I", data, at, 0x7FFFFFF0)
    store = read_store(bytes(data))
    assert [each.name for each in store.variables] == ["PK"]
    assert store.findings[0].code == "uefi-store-malformed"
    assert store.findings[0].severity.value == "error"


def test_a_variable_hidden_behind_the_last_one() -> None:
    """Firmware stops where no variable begins; so do we, and say that something is there."""
    store = read_store(volume(record(PK), bytes(4), record(DB)))
    assert [each.name for each in store.variables] == ["PK"]
    assert "not erased" in store.findings[0].detail


def test_a_name_without_an_end() -> None:
    made = bytearray(record(DB))
    made[60 + 4 : 60 + 6] = b"x\0"
    store = read_store(volume(bytes(made)))
    assert store.findings[0].severity.value == "error"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_change_is_read_or_refused(data: st.DataObject) -> None:
    made = bytearray(GOOD[:3000])
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    try:
        store = read_store(bytes(made))
    except AssayError:
        return
    assert all(each.span and each.span[1] <= len(made) for each in store.variables)


# dumps and single variables


def test_a_dump_says_what_the_store_says() -> None:
    document = {
        "version": 2,
        "variables": [
            {"name": "db", "guid": IMAGE_SECURITY, "attr": 0x27, "data": DB.data.hex()},
            {"name": "dbx", "guid": IMAGE_SECURITY, "attr": 0x07, "data": DBX.data.hex()},
        ],
    }
    found = reading(DUMP, json.dumps(document).encode())
    assert [each.code for each in found.findings] == ["uefi-attributes"]
    parts = {part.id: part for part in found.components}
    assert "CN=Platform" in parts["variable[db]"].labels["entry[0]"]
    assert parts["variable[dbx]"].labels["entry[0]"] == "sha256:" + "00" * 32


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"version": 1, "variables": []},
        {"version": 2, "variables": {}},
        {"version": 2, "variables": [{}]},
        {"version": 2, "variables": [[]]},
        {"version": 2, "variables": [{"name": "db", "guid": "x", "attr": 1, "data": ""}]},
        {"version": 2, "variables": [{"name": "", "guid": GLOBAL, "attr": 1, "data": ""}]},
        {"version": 2, "variables": [{"name": "db", "guid": GLOBAL, "attr": -1, "data": ""}]},
        {"version": 2, "variables": [{"name": "db", "guid": GLOBAL, "attr": 1, "data": "0"}]},
        {
            "version": 2,
            "variables": [{"name": "a", "guid": GLOBAL, "attr": 1, "data": "", "time": "11"}],
        },
    ],
)
def test_a_dump_that_cannot_be(document: object) -> None:
    with pytest.raises(AssayError) as caught:
        read_dump(json.dumps(document).encode())
    assert caught.value.finding.code == "uefi-dump-malformed"


def test_names_of_files_in_efivarfs() -> None:
    assert read_file_name(f"db-{IMAGE_SECURITY.upper()}") == FileName("db", IMAGE_SECURITY)
    assert read_file_name(f"a-b-{GLOBAL}") == FileName("a-b", GLOBAL)
    for name in ("db", f"-{GLOBAL}", "db-x", f"db-{GLOBAL}0"):
        assert read_file_name(name) is None


def test_a_file_without_attributes_is_no_variable() -> None:
    assert read_variable(b"\x27\0\0", FileName("db", IMAGE_SECURITY)) is None


def test_a_directory_of_variables_is_an_image_for_each_that_matters() -> None:
    from assay.sources.model import OpenOptions
    from assay.sources.open import open_images

    folder = vectors("shim-efivars") / "efivars-0"
    names = [image.label for image in open_images(str(folder), OpenOptions())]
    assert names == sorted(
        path.name for path in folder.iterdir() if path.name.startswith(("db-", "dbD", "dbx"))
    )
    assert VECTORS.is_dir()

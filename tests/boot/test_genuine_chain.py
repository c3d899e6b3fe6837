"""The whole chain on genuine binaries: Microsoft, shim, Debian's authority, GRUB, kernel."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.boot.programs import read_program
from assay.model.boot import Outcome, Role
from assay.sources.blobs import MemoryBlob
from tests.boot.boot_support import ask, errors, link
from tests.formats.pe.test_genuine import genuine
from tests.signatures.support import run, tool
from tests.support import uefi
from tests.support.certificates import key_of, make
from tests.uefi.support import microsoft, ovmf, vectors

UEFI_2011 = "Microsoft Corporation UEFI CA 2011"
UEFI_2023 = "Microsoft UEFI CA 2023"


def database(*names: str) -> list[str]:
    return [f"db={microsoft('DB/Certificates', name)}" for name in names]


OF_2011 = "MicCorUEFCA2011_2011-06-27.der"
OF_2023 = "microsoft uefi ca 2023.der"
WINDOWS_2011 = "MicWinProPCA2011_2011-10-19.der"


@pytest.fixture
def esp(tmp_path: Path) -> Path:
    """An EFI system partition as Debian installs it, with a kernel on it."""
    for name, target in (
        ("shimx64", "EFI/BOOT/BOOTX64.EFI"),
        ("shimx64", "EFI/debian/shimx64.efi"),
        ("mmx64", "EFI/debian/mmx64.efi"),
        ("fbx64", "EFI/debian/fbx64.efi"),
        ("grubx64", "EFI/debian/grubx64.efi"),
        ("fwupdx64", "EFI/debian/fwupdx64.efi"),
        ("vmlinuz", "debian/vmlinuz"),
    ):
        place = tmp_path / "esp" / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(genuine(name), place)
    return tmp_path / "esp"


def test_microsoft_to_shim_to_debian_to_kernel(esp: Path) -> None:
    answer = ask(esp, ovmf("OVMF_VARS_4M.ms.fd"), at=None)
    assert answer.exit_status == 0, answer.findings
    roles = {each.id.rpartition("/")[2]: each.role for each in answer.links}
    assert roles == {
        "BOOTX64.EFI": Role.SHIM,
        "shimx64.efi": Role.SHIM,
        "mmx64.efi": Role.MOK_MANAGER,
        "fbx64.efi": Role.FALLBACK,
        "grubx64.efi": Role.BOOT_LOADER,
        "fwupdx64.efi": Role.FIRMWARE_UPDATER,
        "vmlinuz": Role.KERNEL,
    }
    [ground] = link(answer, "shimx64.efi").allowed_by
    assert (ground.authority, ground.database, ground.signature) == (
        UEFI_2011,
        "db",
        "signature[0]",
    )
    for name in ("mmx64.efi", "fbx64.efi", "grubx64.efi", "fwupdx64.efi", "vmlinuz"):
        [ground] = link(answer, name).allowed_by
        assert ground.database == "vendor certificate"
        assert ground.name.startswith("CN=Debian Secure Boot CA")
    assert "2025021800" in link(answer, "grubx64.efi").sbat_level


def test_the_authorities_of_2011_and_2023_are_told_apart() -> None:
    shim = genuine("shimx64")
    for names, expected in (
        ([OF_2011], {UEFI_2011}),
        ([OF_2023], {UEFI_2023}),
        ([OF_2011, OF_2023], {UEFI_2011, UEFI_2023}),
    ):
        answer = ask(shim, *database(*names), at=None)
        assert answer.exit_status == 0, answer.findings
        assert {each.authority for each in answer.links[0].allowed_by} == expected
        missing = [each for each in answer.findings if each.code == "boot-authority-missing"]
        assert bool(missing) == (OF_2023 not in names)


def test_the_authority_for_windows_alone_does_not_start_shim() -> None:
    answer = ask(genuine("shimx64"), *database(WINDOWS_2011), at=None)
    assert answer.exit_status == 1
    assert errors(answer) == {"boot-not-allowed"}


def test_grub_before_any_shim_is_refused() -> None:
    answer = ask(genuine("grubx64"), ovmf("OVMF_VARS_4M.ms.fd"), at=None)
    assert errors(answer) == {"boot-not-allowed"}


def test_the_kernel_through_shim_and_grub() -> None:
    through = [str(genuine("shimx64")), str(genuine("grubx64"))]
    answer = ask(genuine("vmlinuz"), *database(OF_2023), through=through, at=None)
    assert answer.exit_status == 0, answer.findings
    assert [each.checked_by for each in answer.links[1:]] == ["shimx64.efi.signed"] * 2


def test_the_unsigned_twin_is_refused() -> None:
    for name in ("shimx64", "fbx64"):
        twin = genuine(name).with_name(f"{name}.efi")
        answer = ask(twin, *database(OF_2011), at=None)
        assert errors(answer) == {"boot-not-signed"}


def test_the_signature_of_the_twin_counts_where_its_digest_is_enrolled(tmp_path: Path) -> None:
    twin = genuine("shimx64").with_name("shimx64.efi")
    made = read_program("shim", MemoryBlob(twin.read_bytes()))
    (tmp_path / "db.esl").write_bytes(uefi.entries("SHA256", made.digests["sha256"]))
    answer = ask(twin, tmp_path / "db.esl", at=None)
    assert answer.exit_status == 0, answer.findings


def test_microsofts_current_dbx_does_not_revoke_debians_current_shim(esp: Path) -> None:
    dbx = vectors("secureboot-authvars") / "DBX/amd64/DBXUpdate.bin"
    answer = ask(esp, ovmf("OVMF_VARS_4M.ms.fd"), dbx, at=None)
    assert answer.exit_status == 0, answer.findings
    [summary] = [each for each in answer.databases if each.name == "dbx"]
    assert summary.hashes == 444


def test_an_authority_that_is_revoked_as_that_for_windows_is(esp: Path) -> None:
    revoked = vectors("secureboot-authvars") / "Optional/DBX/DBXUpdate2024.bin"
    assert ask(esp, *database(OF_2011), revoked, at=None).exit_status == 0
    dbx = f"dbx={microsoft('DB/Certificates', OF_2011)}"
    answer = ask(esp, *database(OF_2011, OF_2023), dbx, at=None)
    assert answer.exit_status == 1
    assert "boot-revoked-certificate" in errors(answer)
    [ground] = link(answer, "shimx64.efi").refused_by
    assert ground.authority == UEFI_2011


@pytest.mark.parametrize("name", ["grubx64", "vmlinuz"])
def test_revoked_by_hash_in_the_vendors_own_list(esp: Path, tmp_path: Path, name: str) -> None:
    made = read_program(name, MemoryBlob(genuine(name).read_bytes()))
    (tmp_path / "MokListX.esl").write_bytes(uefi.entries("SHA256", made.digests["sha256"]))
    answer = ask(esp, ovmf("OVMF_VARS_4M.ms.fd"), tmp_path / "MokListX.esl", at=None)
    assert errors(answer) == {"boot-revoked-hash"}
    refused = [each.id for each in answer.links if each.outcome is Outcome.REFUSED]
    assert len(refused) == 1


def test_the_db_of_a_real_machine_starts_debians_shim() -> None:
    answer = ask(genuine("shimx64"), vectors("shim-efivars") / "efivars-0", at=None)
    assert answer.exit_status == 0, answer.findings
    assert answer.links[0].allowed_by[0].authority == UEFI_2011


def test_go_uefis_signed_programs() -> None:
    folder = vectors("go-uefi")
    own = folder / "tests/data/signatures/secureboot/keys/db/db.der"
    signed = folder / "tests/data/binary/HelloWorld.efi.signed"
    unsigned = folder / "tests/data/binary/HelloWorld.efi"
    stub = folder / "tests/data/binary/linuxx64.efi.stub"
    assert ask(unsigned, f"db={own}", at=None).exit_status == 1
    assert ask(stub, f"db={own}", at=None).exit_status == 1
    first = ask(signed, f"db={own}", at=None)
    made = read_program("hello", MemoryBlob(signed.read_bytes()))
    assert [each.fault for each in made.signatures] == [None]
    [claimed] = made.signatures
    assert claimed.leaf is not None
    by_own = claimed.leaf.der == own.read_bytes()
    assert first.exit_status == (0 if by_own else 1)


def test_what_sbsign_signs(tmp_path: Path) -> None:
    signer = make("Owner", key=key_of("rsa2048"))
    signer.write(tmp_path, "owner")
    (tmp_path / "db.der").write_bytes(signer.der)
    shutil.copy(genuine("fbx64").with_name("fbx64.efi"), tmp_path / "a.efi")
    run(tool("sbsign"), "--key", "owner.key", "--cert", "owner.crt", "--output", "b.efi", "a.efi",
        cwd=tmp_path)  # fmt: skip
    assert ask(tmp_path / "b.efi", tmp_path / "db.der", at=None).exit_status == 0
    assert ask(tmp_path / "a.efi", tmp_path / "db.der", at=None).exit_status == 1

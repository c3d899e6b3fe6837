"""Disk images, modules and verified file systems as links of the chain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.model.boot import BootCheck, Outcome, Role
from assay.model.finding import UsageError
from tests.boot.boot_support import (
    PUBLISHER,
    SIGNER,
    STRANGER,
    VENDOR,
    ask,
    errors,
    grub,
    kernel,
    link,
    machine,
    mok,
    partition,
    shim,
    unified,
)
from tests.formats.disk.ddi import Image, some_data, tree_of
from tests.formats.pe.test_genuine import BOOT, genuine
from tests.signatures.support import run, tool
from tests.support import pe
from tests.support.disks import ESP, Gpt, Part
from tests.uefi.support import ovmf


def system_partition(folder: Path, files: dict[str, bytes], sectors: int = 8192) -> bytes:
    """A FAT file system with these files, by mtools."""
    image = folder / "esp.img"
    image.write_bytes(bytes(sectors * 512))
    run(tool("mformat"), "-i", image, "-T", str(sectors), "::")
    made: set[str] = set()
    for name, data in files.items():
        *above, file = name.split("/")
        for depth in range(len(above)):
            place = "/".join(above[: depth + 1])
            if place not in made:
                run(tool("mmd"), "-i", image, f"::/{place}")
                made.add(place)
        (folder / file).write_bytes(data)
        run(tool("mcopy"), "-i", image, folder / file, f"::/{name}")
    return image.read_bytes()


def disk(folder: Path, files: dict[str, bytes], *, other: Image | None = None) -> Path:
    """A disk with an EFI system partition, and the partitions of another image."""
    esp = system_partition(folder, files)
    parts, content, at = [Part(2048, 2048 + len(esp) // 512 - 1, ESP)], {2048: esp}, 0
    at = 2048 + len(esp) // 512 + 8
    for name, data in (other.content if other is not None else {}).items():
        assert other is not None
        from tests.formats.disk.ddi import TYPES

        sectors = -(-len(data) // 512)
        parts.append(Part(at, at + sectors - 1, TYPES[name], other.guids.get(name, "")))
        content[at] = data
        at += sectors + 8
    path = folder / "disk.img"
    path.write_bytes(bytes(Gpt(parts, sectors=at + 100, content=content).build()))
    return path


CHAIN = {
    "EFI/BOOT/BOOTX64.EFI": pe.signed(shim(), PUBLISHER),
    "EFI/BOOT/grubx64.efi": pe.signed(grub(), SIGNER),
    "vmlinuz": pe.signed(kernel(), SIGNER),
}


def test_a_disk_image(tmp_path: Path) -> None:
    answer = ask(disk(tmp_path, CHAIN), machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    ids = {each.id: each.checked_by for each in answer.links}
    first = "partition[ESP]/EFI/BOOT/BOOTX64.EFI"
    assert ids == {
        first: "firmware",
        "partition[ESP]/EFI/BOOT/grubx64.efi": first,
        "partition[ESP]/vmlinuz": first,
    }


def test_a_disk_image_with_a_program_that_nobody_allows(tmp_path: Path) -> None:
    image = disk(tmp_path, CHAIN | {"EFI/BOOT/evil.efi": pe.signed(grub(), STRANGER)})
    answer = ask(image, machine(tmp_path))
    assert answer.exit_status == 1
    assert link(answer, "evil.efi").outcome is Outcome.REFUSED


def test_a_file_system_by_itself(tmp_path: Path) -> None:
    system_partition(tmp_path, CHAIN)
    answer = ask(tmp_path / "esp.img", machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    assert len(answer.links) == 3


def test_a_damaged_partition_table_is_not_passed_over(tmp_path: Path) -> None:
    image = disk(tmp_path, CHAIN)
    data = bytearray(image.read_bytes())
    data[512 + 56] ^= 1  # the disk's GUID in the primary header, but not in its checksum
    image.write_bytes(data)
    assert ask(image, machine(tmp_path)).exit_status != 0


# verified file systems


def _rooted(folder: Path, change: int | None = None) -> BootCheck:
    tree = tree_of(folder, some_data(blocks=20))
    made = Image().add("root", tree)
    if change is not None:
        damaged = bytearray(made.content["root"])
        damaged[change] ^= 1
        made.content["root"] = bytes(damaged)
    line = f"quiet roothash={tree.root}".encode()
    files = {"EFI/BOOT/BOOTX64.EFI": pe.signed(unified(line), PUBLISHER)}
    return ask(disk(folder, files, other=made), machine(folder))


def test_the_root_that_a_unified_kernel_image_names_is_read_block_by_block(tmp_path: Path) -> None:
    answer = _rooted(tmp_path)
    assert answer.exit_status == 0, answer.findings
    found = link(answer, "/roothash")
    assert found.role is Role.ROOT
    assert "agrees with it, block by block" in found.detail


def test_a_changed_block_of_the_root_file_system(tmp_path: Path) -> None:
    answer = _rooted(tmp_path, change=5000)
    assert answer.exit_status == 1
    assert link(answer, "BOOTX64.EFI").outcome is Outcome.ALLOWED
    assert link(answer, "/roothash").outcome is Outcome.REFUSED
    assert "chunk-mismatch" in errors(answer)


def test_a_root_that_is_elsewhere_is_said_to_be(tmp_path: Path) -> None:
    line = b"roothash=" + b"ab" * 32
    files = {"EFI/BOOT/BOOTX64.EFI": pe.signed(unified(line), PUBLISHER)}
    answer = ask(disk(tmp_path, files), machine(tmp_path))
    assert answer.exit_status == 0
    assert "not in the image" in link(answer, "/roothash").detail


# modules


def _modules(folder: Path, count: int = 3) -> Path:
    """Some modules of Debian's kernel."""
    for release in sorted((BOOT / "lib" / "modules").glob("*")):
        place = folder / release.name
        place.mkdir()
        for path in sorted(release.rglob("*.ko"), key=lambda each: each.stat().st_size)[:count]:
            shutil.copy(path, place / path.name)
        return place
    pytest.skip("Debian's kernel modules are not here (scripts/boot-binaries)")


def _debian(folder: Path) -> Path:
    esp = folder / "esp"
    esp.mkdir()
    shutil.copy(genuine("shimx64"), esp / "shimx64.efi")
    shutil.copy(genuine("vmlinuz"), esp / "vmlinuz")
    return esp


def test_the_chain_goes_on_to_the_modules_of_the_kernel(tmp_path: Path) -> None:
    pytest.importorskip("lz4")
    modules = _modules(tmp_path)
    answer = ask(_debian(tmp_path), ovmf("OVMF_VARS_4M.ms.fd"), modules=str(modules), at=None)
    assert answer.exit_status == 0, answer.findings
    found = link(answer, modules.name)
    assert (found.role, found.checked_by) == (Role.MODULES, "vmlinuz")
    assert "3 of 3 modules" in found.detail
    assert found.allowed_by[0].name == "CN=Build time autogenerated kernel key"


def test_a_module_that_was_changed(tmp_path: Path) -> None:
    pytest.importorskip("lz4")
    modules = _modules(tmp_path)
    first = sorted(modules.iterdir())[0]
    data = bytearray(first.read_bytes())
    data[100] ^= 1
    first.write_bytes(data)
    answer = ask(_debian(tmp_path), ovmf("OVMF_VARS_4M.ms.fd"), modules=str(modules), at=None)
    assert answer.exit_status == 1
    assert link(answer, modules.name).outcome is Outcome.REFUSED
    assert any(first.name in each.component for each in answer.findings)


def test_modules_without_a_kernel_that_loads_them(tmp_path: Path) -> None:
    (tmp_path / "6.1").mkdir()
    with pytest.raises(UsageError, match="no kernel"):
        ask(partition(tmp_path), machine(tmp_path), modules=str(tmp_path / "6.1"))


def test_the_owners_key_is_for_modules_only_where_that_was_said(tmp_path: Path) -> None:
    """MokListTrusted is what tells a kernel to trust MokList for modules."""
    from assay.boot.firmware import read_firmware
    from tests.boot.boot_support import SHIM_LOCK

    names = [mok("MokList", VENDOR)]
    assert not read_firmware([str(machine(tmp_path, more=names))]).mok_trusted
    names.append(("MokListTrusted", SHIM_LOCK, b"\1"))
    assert read_firmware([str(machine(tmp_path, more=names))]).mok_trusted

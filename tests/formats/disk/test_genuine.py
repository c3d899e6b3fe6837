"""A disk that boots Debian: shim, GRUB and kernel on a FAT32 file system, laid out by others."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.report.tree import render
from assay.trust.anchors import Trust
from tests.formats.pe.test_genuine import debian, genuine, microsoft  # noqa: F401
from tests.signatures.support import run, tool
from tests.support.checking import codes_of
from tests.support.disks import inspect

FILES = {"EFI/BOOT/BOOTX64.EFI": "shimx64", "EFI/BOOT/grubx64.efi": "grubx64", "vmlinuz": "vmlinuz"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk")
    image, system = folder / "disk.img", folder / "esp.img"
    run("truncate", "-s", "100M", image)
    script = b"label: gpt\nstart=2048, size=192512, type=U, name=boot\nsize=2048, type=L\n"
    run(tool("sfdisk"), "-q", image, stdin=script)
    run("truncate", "-s", str(192512 * 512), system)
    run(tool("mkfs.fat"), "-F", "32", "-s", "1", "-n", "BOOT", system)
    run(tool("mmd"), "-i", system, "::/EFI", "::/EFI/BOOT")
    for name, binary in FILES.items():
        run(tool("mcopy"), "-i", system, genuine(binary), f"::/{name}")
    run("dd", f"if={system}", f"of={image}", "bs=1M", "seek=1", "conv=notrunc")
    return image


def check(image: Path, *authorities: Path) -> Verdict:
    trust = Trust()
    for each in authorities:
        trust.add_ca(each)
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


def test_everything_on_it_is_found(disk: Path) -> None:
    verdict = inspect(disk)
    assert codes_of(verdict) == {"wrong-key"}  # nobody is trusted
    digests = {each.id: each.digests for each in verdict.components}
    for name, binary in FILES.items():
        wanted = sha256(genuine(binary).read_bytes()).hexdigest()
        assert f"sha256:{wanted}" in digests[f"partition[ESP]/{name}"]
    shown = render(verdict)
    assert "EFI system partition (boot)" in shown
    assert "FAT32, clusters of 512, label BOOT" in shown


def test_who_signed_the_programs_vouches_for_them_and_not_for_the_disk(
    disk: Path,
    debian: Path,  # noqa: F811
) -> None:
    verdict = check(disk, debian, microsoft(2011))
    assert verdict.exit_status == 1
    states = {each.id: each.state for each in verdict.components}
    for name in FILES:
        assert states[f"partition[ESP]/{name}/authenticode"] is State.BOUND
    programs = sum(genuine(each).stat().st_size for each in FILES.values())
    assert 0.98 * programs < verdict.coverage.bound < programs


def test_a_changed_kernel_on_the_disk(disk: Path, debian: Path, tmp_path: Path) -> None:  # noqa: F811
    data = bytearray(disk.read_bytes())
    kernel = genuine("vmlinuz").read_bytes()
    at = data.index(kernel[100_000:100_064])
    data[at] ^= 1
    changed = tmp_path / "disk.img"
    changed.write_bytes(data)
    verdict = check(changed, debian)
    found = [each for each in verdict.findings if each.code == "digest-mismatch"]
    assert [each.component for each in found] == ["partition[ESP]/vmlinuz/authenticode"]

"""Programs against revocation levels (``--sbat-level``), genuine ones and such as were put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.model.finding import Severity, UsageError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.formats.pe.test_authenticode import ROOT, SIGNER
from tests.formats.pe.test_genuine import genuine
from tests.support import pe
from tests.support.certificates import NOW
from tests.support.checking import codes_of
from tests.support.pe import Program
from tests.uefi.test_sbat import GRUB, LEVEL, ROW, shim_levels


def program(sbat: bytes = ROW + GRUB) -> Program:
    return Program(
        sections=((".text", None, b"\xc3" * 512), (".sbat", None, sbat.ljust(512, b"\0")))
    )


def check(folder: Path, data: bytes, level: bytes | Path = LEVEL) -> Verdict:
    """The verdict on a program signed by `SIGNER`, whose authority is trusted."""
    image, authority, given = folder / "a.efi", folder / "ca.pem", folder / "level"
    image.write_bytes(data)
    authority.write_bytes(ROOT.pem)
    if isinstance(level, bytes):
        given.write_bytes(level)
    else:
        given = level
    request = VerifyOptions(Trust().add_ca(authority), at=NOW, sbat_levels=[str(given)])
    [verdict] = verify(str(image), request)
    return verdict


def signed(made: Program) -> bytes:
    return pe.signed(made, SIGNER)


def test_a_program_that_the_level_takes(tmp_path: Path) -> None:
    verdict = check(tmp_path, signed(program()))
    assert verdict.exit_status == 0, verdict.findings
    assert "sbat-accepted" in {finding.code for finding in verdict.findings}


def test_sbat_rollback_an_old_boot_loader_with_a_good_signature(tmp_path: Path) -> None:
    verdict = check(tmp_path, signed(program(ROW + GRUB.replace(b"5", b"4", 1))))
    assert verdict.exit_status == 1
    [found] = [each for each in verdict.findings if each.code == "sbat-revoked"]
    assert found.component == "section[.sbat]"
    assert (found.expected, found.actual) == ("grub 5 or later", "grub 4")
    assert verdict.coverage.bound > 0  # the signature is right, for all that


def test_a_program_without_sbat_data(tmp_path: Path) -> None:
    verdict = check(tmp_path, signed(Program()))
    assert verdict.exit_status == 1
    assert "sbat-missing" in codes_of(verdict)


def test_a_kernel_without_sbat_data_is_a_warning(tmp_path: Path) -> None:
    data = bytearray(Program(headers_size=0x400).unsigned())
    data[0x202:0x206] = b"HdrS"
    verdict = check(tmp_path, bytes(data))
    [found] = [each for each in verdict.findings if each.code == "sbat-missing"]
    assert found.severity is Severity.WARNING


def test_data_that_shim_cannot_read_is_no_data(tmp_path: Path) -> None:
    verdict = check(tmp_path, signed(program(b"nonsense")))
    assert verdict.exit_status == 1
    assert codes_of(verdict) == {"sbat-missing", "sbat-malformed"}


def test_a_level_and_an_image_without_a_program(tmp_path: Path) -> None:
    assert "sbat-missing" in codes_of(check(tmp_path, b"no program"))


def test_levels_of_a_shim_are_told_apart(tmp_path: Path) -> None:
    shim = Program(
        sections=((".sbatlevel", None, shim_levels(b"sbat,1,2024\nshim,3\n", LEVEL)),)
    ).unsigned()
    verdict = check(tmp_path, signed(program(ROW + GRUB.replace(b"5", b"4", 1))), shim)
    [found] = [each for each in verdict.findings if each.code == "sbat-revoked"]
    assert "latest of the shim" in found.detail


def test_the_variable_as_efivarfs_has_it(tmp_path: Path) -> None:
    verdict = check(tmp_path, signed(program()), b"\6\0\0\0" + LEVEL)
    assert verdict.exit_status == 0


@pytest.mark.parametrize("level", [b"", b"no level", Program().unsigned()])
def test_a_level_that_is_none_is_wrong_usage(tmp_path: Path, level: bytes) -> None:
    with pytest.raises(UsageError, match="--sbat-level"):
        check(tmp_path, signed(program()), level)


@pytest.mark.parametrize("name", ["shimx64", "mmx64", "fbx64", "grubx64", "gcdx64", "fwupdx64"])
def test_debians_programs_are_taken_by_the_levels_of_its_shim(tmp_path: Path, name: str) -> None:
    verdict = check(tmp_path, genuine(name).read_bytes(), genuine("shimx64"))
    found = {finding.code for finding in verdict.findings}
    assert "sbat-accepted" in found
    assert not {"sbat-revoked", "sbat-missing", "sbat-malformed"} & found

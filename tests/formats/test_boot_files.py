"""Directories with the files of an EFI system partition."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.model.finding import AssayError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.boot_files import SOURCE
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.support import pe
from tests.support.certificates import Holder, make
from tests.support.checking import codes_of
from tests.support.pe import Program


def check(folder: Path, *holders: Holder) -> Verdict:
    trust = Trust()
    for number, holder in enumerate(holders):
        trust.add_ca(holder.write(folder.parent, f"ca{number}")[0])
    [verdict] = verify(str(folder), VerifyOptions(trust))
    return verdict


def files(folder: Path, **content: bytes) -> Path:
    for name, data in content.items():
        path = folder / "EFI" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_every_program_has_to_be_vouched_for(tmp_path: Path) -> None:
    one, other = make("One"), make("Other")
    image = files(tmp_path / "esp", boot=pe.signed(Program(), one))
    assert check(image, one).exit_status == 0
    files(image, second=pe.signed(Program(after=b"second"), other))
    assert check(image, one).exit_status == 1
    assert check(image, one, other).exit_status == 0
    files(image, third=Program().unsigned())
    verdict = check(image, one, other)
    assert verdict.exit_status == 1
    assert "EFI/third" in {each.id for each in verdict.components}


def test_a_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    one = make("One")
    image = files(tmp_path / "esp", boot=pe.signed(Program(), one))
    (tmp_path / "secret").write_text("elsewhere")
    (image / "EFI" / "link").symlink_to(tmp_path / "secret")
    (image / "EFI" / "folder").symlink_to(tmp_path)
    verdict = check(image, one)
    assert "link-leads-outside" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_a_directory_without_boot_files(tmp_path: Path) -> None:
    (tmp_path / "efi").write_text("a file")
    with pytest.raises(AssayError) as caught:
        SOURCE.open(str(tmp_path), OpenOptions())
    assert caught.value.finding.code == "not-an-image"

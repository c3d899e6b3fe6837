"""``assay boot check`` on the command line: exit statuses, output, and requests that make no
sense."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from assay.report.schemas import text_of
from tests.boot.boot_support import PUBLISHER, STRANGER, grub, kernel, machine, partition
from tests.cli.support import assay
from tests.support import pe


def test_allowed(tmp_path: Path) -> None:
    done = assay("boot", "check", partition(tmp_path), "--firmware", machine(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ALLOWED")
    assert "allowed by   signature[0] by Vendor Signer: vendor certificate" in done.stdout
    assert not done.stderr


def test_refused(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_kernel=pe.signed(kernel(), STRANGER))
    done = assay("boot", "check", esp, "--firmware", machine(tmp_path))
    assert done.returncode == 1
    assert "boot-not-allowed" in done.stdout
    done = assay("boot", "check", "-q", esp, "--firmware", machine(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")


def test_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = assay("boot", "check", tmp_path / "empty", "--firmware", machine(tmp_path))
    assert done.returncode == 3
    assert "NOT CHECKED" in done.stdout


def test_of_several_images_the_worst_decides(tmp_path: Path) -> None:
    good, bad = partition(tmp_path), tmp_path / "bad.efi"
    bad.write_bytes(grub().unsigned())
    done = assay("boot", "check", good, bad, "--firmware", machine(tmp_path), "--format", "json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(text_of("boot-check-1")))
    assert [each["exit_status"] for each in document["checks"]] == [0, 1]


def test_standard_input(tmp_path: Path) -> None:
    machine(tmp_path)
    command = [sys.executable, "-m", "assay", "boot", "check", "-", "--firmware", "vars.fd"]
    for data, status in ((pe.signed(kernel(), PUBLISHER), 0), (pe.signed(kernel(), STRANGER), 1)):
        done = subprocess.run(command, input=data, capture_output=True, cwd=tmp_path, timeout=120)
        assert done.returncode == status, done.stderr


def test_a_level_of_sbat(tmp_path: Path) -> None:
    level = tmp_path / "level.csv"
    level.write_bytes(b"sbat,1,2027010100\ngrub,6\n")
    esp = partition(tmp_path)
    done = assay("boot", "check", esp, "--firmware", machine(tmp_path), "--sbat-level", level)
    assert done.returncode == 1
    assert "sbat-revoked" in done.stdout
    # a shim's latest level is as good
    done = assay(
        "boot", "check", esp, "--firmware", machine(tmp_path),
        "--sbat-level", esp / "EFI/vendor/shimx64.efi",
    )  # fmt: skip
    assert done.returncode == 1


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--firmware", "/nonexistent"),
        ("--firmware", "README"),
        ("--firmware", "vars.fd", "--at", "yesterday"),
        ("--firmware", "vars.fd", "--sbat-level", "README"),
        ("--firmware", "vars.fd", "--through", "README"),
    ],
)
def test_requests_that_make_no_sense(tmp_path: Path, options: tuple[str, ...]) -> None:
    partition(tmp_path)
    machine(tmp_path)
    (tmp_path / "README").write_text("nothing")
    done = assay("boot", "check", "esp", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert "Error" in done.stderr


def test_every_code_is_explained() -> None:
    from assay.model.codes import boot, codes_in, uefi

    for code in [*codes_in(boot), *codes_in(uefi)]:
        done = assay("explain", code.name)
        assert done.returncode == 0
        assert code.title in done.stdout.replace("\n", " ").replace("  ", " ")

"""``--sbom`` and what belongs to it, and ``assay inspect --packages``, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from assay import Trust, UsageError, verify
from assay.report.schemas import text_of
from tests.cli.support import assay
from tests.contents.test_compare import DEBIAN, LISTED, TOOL
from tests.support import sboms
from tests.support.images import Layout


@pytest.fixture
def image(tmp_path: Path) -> str:
    layout = Layout()
    more = {"node_modules/@a/b/package.json": b'{"name": "@a/b", "version": "1"}'}
    return layout.write(tmp_path / "image", layout.image([DEBIAN, more]))


def test_what_is_said_of_an_sbom_that_is_right(image: str, tmp_path: Path) -> None:
    path = sboms.write(tmp_path, sboms.spdx(LISTED, TOOL), "app.spdx.json")
    done = assay("verify", image, "--self-consistent", "--sbom", path)
    assert done.returncode == 0, done.stdout
    assert "  accounted  66.7 % of 6 files by 1 SBOM, 1 of 2 packages are listed\n" in done.stdout
    assert "sbom-entry-extra" in done.stdout
    assert "pkg:npm/%40a/b@1" in done.stdout
    more = assay("verify", image, "--self-consistent", "--sbom", path, "-v").stdout
    assert "files      2 by a digest in an SBOM, 0 by a checksum of their package" in more
    assert "app.spdx.json (SPDX 2.3 JSON, given)" in more
    assert "var/lib/dpkg/status (deb) in layer[0]/content: 1 package" in more
    assert "manifests (npm) in layer[1]/content: 1 package" in more
    assert "sbom-files-unaccounted" in more


def test_figures_are_there_for_programs(image: str, tmp_path: Path) -> None:
    path = sboms.write(tmp_path, sboms.cyclonedx(LISTED))
    done = assay("verify", image, "--self-consistent", "--sbom", path, "--format", "json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(text_of("verdict-1")))
    [account] = document["verdicts"][0]["contents"]
    assert account["files"]["accounted"] == 4
    assert account["files"]["fraction"] == round(4 / 6, 6)
    assert account["sboms"][0]["accounted"]["by_checksum"] == 2
    assert account["packages_installed"] == 2


def test_a_plain_verdict_has_no_figures(image: str) -> None:
    done = assay("verify", image, "--self-consistent", "--format", "json")
    assert json.loads(done.stdout)["verdicts"][0]["contents"] == []
    assert "accounted" not in assay("verify", image, "--self-consistent", "-v").stdout


def test_packages_are_listed_for_people(image: str) -> None:
    done = assay("inspect", image, "--packages")
    assert done.returncode == 0
    lines = done.stdout[done.stdout.index("packages of") :].splitlines()
    assert lines == [
        "packages of manifest: 2",
        "  var/lib/dpkg/status  [layer[0]]",
        "    tool 1:2-3 (4 files)",
        "  node_modules/@a/b/package.json  [layer[1]]",
        "    @a/b 1 (1 file)",
    ]


def test_packages_are_listed_for_programs(image: str) -> None:
    done = assay("inspect", image, "--packages", "--files", "--format", "json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(text_of("verdict-1")))
    [verdict] = document["verdicts"]
    [packages] = verdict["package_lists"]
    assert packages["complete"] is True
    assert packages["databases"][0]["packages"] == [
        {"name": "tool", "version": "1:2-3", "purl": "pkg:deb/tool@1:2-3?arch=amd64", "files": 4}
    ]
    assert len(verdict["file_indexes"][0]["files"]) == 6


def test_a_file_has_no_packages(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"disk")
    done = assay("inspect", tmp_path / "disk.img", "--packages")
    assert done.returncode == 0
    assert "packages of" not in done.stdout


@pytest.mark.parametrize("share", ["-1", "101", "nan", "much"])
def test_a_share_that_is_none_is_wrong_usage(image: str, share: str) -> None:
    assert assay("verify", image, "--sbom-coverage", share).returncode == 2


def test_from_python(image: str, tmp_path: Path) -> None:
    path = sboms.write(tmp_path, sboms.spdx(LISTED, TOOL))
    verdict = verify(image, Trust(), self_consistent=True, sboms=[path], sbom_coverage=0.5)
    assert verdict
    assert verdict.contents[0].files.fraction == 4 / 6
    assert not verify(image, Trust(), self_consistent=True, require_sbom=True)
    with pytest.raises(UsageError):
        verify(image, Trust(), sboms=path)
    with pytest.raises(UsageError):
        verify(image, Trust(), sbom_coverage=50)

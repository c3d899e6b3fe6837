"""Where the files of others are, and short ways to verify."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from assay.model.component import Component, Stored
from assay.model.reading import Options, Reading, Site
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.blobs import MemoryBlob
from assay.trust.anchors import Trust
from tests.support.certificates import NOW, Holder

HOME = Path(__file__).parents[2]
VECTORS = HOME.parent / "shared" / "vectors"
BOOT = HOME / ".cache" / "boot"
OVMF = Path("/usr/share/OVMF")


def vectors(name: str) -> Path:
    """A folder of test vectors; the test is skipped where it is not there."""
    if not (VECTORS / name).is_dir():
        pytest.skip(f"{name}: no test vectors here")
    return VECTORS / name


def microsoft(*parts: str) -> Path:
    """A certificate of Microsoft's."""
    return vectors("secureboot-certs").joinpath(*parts)


def ovmf(name: str) -> Path:
    """A variable store of Debian's firmware for virtual machines."""
    if not (OVMF / name).is_file():
        pytest.skip("ovmf is not installed")
    return OVMF / name


def virt_fw_vars() -> Path:
    """The program of virt-firmware; the test is skipped where it is not installed."""
    for place in (shutil.which("virt-fw-vars"), HOME / ".cache/python-peers/bin/virt-fw-vars"):
        if place and Path(place).exists():
            return Path(place)
    pytest.skip("virt-firmware is not installed")


def check(
    path: Path,
    *authorities: Holder | Path,
    enforce_validity: bool = False,
    at: datetime | None = NOW,
) -> Verdict:
    """The verdict on a file, with authorities to trust."""
    trust = Trust(demands={"enforce-validity": "yes"} if enforce_validity else {})
    for number, each in enumerate(authorities):
        file = each
        if isinstance(each, Holder):
            file = path.parent / f"ca-{number}.pem"
            file.write_bytes(each.pem)
        trust.add_ca(str(file))
    [verdict] = verify(str(path), VerifyOptions(trust, at=at))
    return verdict


def reading(format_: object, data: bytes) -> Reading:
    """What a format reads of these bytes."""
    site = Site(
        Component("", "file", Stored("f"), size=len(data)), MemoryBlob(data), None, Options()
    )
    found: Reading = format_.read(site)  # type: ignore[attr-defined]
    return found

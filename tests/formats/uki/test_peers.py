"""Unified kernel images built with systemd's stub and objcopy, signed with sbsign, and their PCR
values as systemd-measure has them."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.tcg import unified_kernel as kernel
from assay.trust.anchors import Trust
from tests.formats.pe.test_genuine import genuine
from tests.formats.uki.test_unified import told
from tests.signatures.support import run, tool
from tests.support.certificates import END, START, key_of, make
from tests.support.peers import free_port
from tests.support.uki import pem

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
MEASURE = Path("/usr/lib/systemd/systemd-measure")
KEY = key_of("rsa2048")
TEXTS = {
    "osrel": b'ID=test\nPRETTY_NAME="Test OS"\n',
    "cmdline": b"root=/dev/vda quiet",
    "initrd": b"no archive" * 1000,
    "splash": b"BM picture",
    "dtb": b"\xd0\x0d\xfe\xed tree",
    "pcrpkey": pem(KEY),
}
MEASURED = ("linux", *TEXTS)


def _needed(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            pytest.skip(f"{path} is not installed")


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """The sections of an image as files, with a kernel of Debian."""
    found = {"linux": genuine("vmlinuz")}
    for name, data in TEXTS.items():
        found[name] = tmp_path / name
        found[name].write_bytes(data)
    return found


def built(folder: Path, parts: dict[str, Path]) -> Path:
    """An image with these sections, one after the other in memory."""
    image, at, options = folder / "linux.efi", 0x100000, []
    for name, path in parts.items():
        options += ["--add-section", f".{name}={path}", "--change-section-vma", f".{name}=0x{at:x}"]
        at += -(-path.stat().st_size // 0x1000) * 0x1000
    run(tool("objcopy"), *options, STUB, image)
    return image


def signed(folder: Path, image: Path) -> tuple[Path, Path]:
    """The image signed with sbsign, and the certificate of the signer."""
    holder = make("Machine Owner", key=key_of("rsa2048", 2), start=START, end=END)
    certificate, key = holder.write(folder, "owner")
    made = folder / "signed.efi"
    run(tool("sbsign"), "--key", key, "--cert", certificate, "--output", made, image)
    return made, certificate


def check(image: Path, certificate: Path, pcr_key: Path) -> Verdict:
    trust = Trust().add_ca(certificate).add_pcr_key(str(pcr_key))
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


def _arguments(parts: dict[str, Path]) -> list[str]:
    return [f"--{name}={path}" for name, path in parts.items() if name in MEASURED]


@pytest.mark.parametrize("left_out", [(), ("initrd",), ("osrel", "pcrpkey", "dtb", "splash")])
def test_systemd_measure_computes_the_same_values(
    parts: dict[str, Path], left_out: tuple[str, ...]
) -> None:
    _needed(MEASURE)
    parts = {name: path for name, path in parts.items() if name not in left_out}
    said = run(MEASURE, "calculate", *_arguments(parts)).decode().split()
    contents = {f".{name}": path.read_bytes() for name, path in parts.items()}
    for bank in kernel.BANKS:
        digests = {name: hashlib.new(bank, data).digest() for name, data in contents.items()}
        for path in kernel.PHASE_PATHS:
            value = kernel.pcr_11(bank, kernel.selected(digests, 252), path)
            assert f"11:{bank}={value.hex()}" in said


def _neighbours() -> tuple[int, int]:
    """Two free ports, the second one higher by one, which is where clients look for it."""
    for _ in range(50):
        port = free_port()
        try:
            with socket.socket() as found:
                found.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            continue
        return port, port + 1
    pytest.skip("no two free ports side by side")


@contextmanager
def software_tpm(folder: Path) -> Iterator[str]:
    """swtpm on loopback, as systemd calls it."""
    folder.mkdir()
    port, control = _neighbours()
    process = subprocess.Popen(
        [
            tool("swtpm"), "socket", "--tpm2", "--tpmstate", f"dir={folder}",
            "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
            "--ctrl", f"type=tcp,port={control},bindaddr=127.0.0.1",
            "--flags", "not-need-init,startup-clear",
        ]
    )  # fmt: skip
    try:
        for _ in range(200):
            assert process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", control), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"swtpm:host=127.0.0.1,port={port}"
    finally:
        process.terminate()
        process.wait()


def test_values_that_systemd_measure_signed(tmp_path: Path, parts: dict[str, Path]) -> None:
    _needed(MEASURE, STUB)
    private = tmp_path / "pcr.key"
    private.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with software_tpm(tmp_path / "tpm") as device:
        made = run(
            MEASURE, "sign", *_arguments(parts), f"--private-key={private}",
            f"--public-key={parts['pcrpkey']}", f"--tpm2-device={device}",
        )  # fmt: skip
    pcrsig = tmp_path / "pcrsig"
    pcrsig.write_bytes(made)
    image, certificate = signed(tmp_path, built(tmp_path, parts | {"pcrsig": pcrsig}))
    verdict = check(image, certificate, parts["pcrpkey"])
    assert verdict.exit_status == 0, verdict.findings
    [agrees] = told(verdict, "pcr-signature-agrees")
    assert agrees.count("sha256 sha384 sha512") == 4
    # the same signatures on an image with another command line
    parts["cmdline"].write_bytes(b"init=/bin/sh")
    image, certificate = signed(tmp_path, built(tmp_path, parts | {"pcrsig": pcrsig}))
    verdict = check(image, certificate, parts["pcrpkey"])
    assert verdict.exit_status == 1
    assert told(verdict, "pcr-signature-other-values")


def test_the_kernel_in_an_image_is_the_distributions(
    tmp_path: Path, parts: dict[str, Path]
) -> None:
    _needed(STUB)
    image, certificate = signed(tmp_path, built(tmp_path, parts))
    [verdict] = verify(str(image), VerifyOptions(Trust().add_ca(certificate)))
    assert verdict.exit_status == 0, verdict.findings
    digest = hashlib.sha256(parts["linux"].read_bytes()).hexdigest()
    found = {part.id: part for part in verdict.components}
    assert f"sha256:{digest}" in found["section[.linux]"].digests
    assert "section[.linux]/signature[0]" in {each.id for each in verdict.signatures}
    assert "systemd-stub" in " ".join(told(verdict, "uki-section-not-measured"))

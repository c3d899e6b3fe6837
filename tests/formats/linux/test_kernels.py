"""Kernel images, and the keys built into them."""

from __future__ import annotations

import gzip
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.linux.keyring import Keyring, KeyringScanner, read_keyring
from assay.model.finding import AssayError, UsageError
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.signatures.support import tool
from tests.support import modules, uki
from tests.support.certificates import key_of, make
from tests.support.checking import codes_of
from tests.support.initrds import MAIN

SIGNING = modules.signing_key("Build time key")
SECOND = modules.signing_key("Distribution CA", key=key_of("p256"))
REVOKED = modules.signing_key("Revoked key", key=key_of("p384"))
PLAIN = modules.kernel(modules.key_list(SIGNING, SECOND))

TOOLS = {
    "gzip": ["gzip", "-n", "-9", "-c"],
    "xz": ["xz", "--check=crc32", "-c"],
    "zstd": ["zstd", "-q", "-9", "-c"],
    "lz4-legacy": ["lz4", "-l", "-9", "-c", "-q"],
    "lz4": ["lz4", "-9", "-c", "-q"],
    "bzip2": ["bzip2", "-9", "-c"],
    "lzma": ["xz", "--format=lzma", "-c"],
    "lzo": ["lzop", "-9", "-c"],
}


def compressed(kind: str, data: bytes = PLAIN) -> bytes:
    """As the kernel's build does it (scripts/Makefile.lib): with the size behind it."""
    tool(TOOLS[kind][0])
    made = subprocess.run(TOOLS[kind], input=data, capture_output=True, check=True).stdout
    return made if kind == "gzip" else made + struct.pack("<I", len(data))


def keyring_of(data: bytes) -> Keyring:
    return read_keyring(lambda at, length: data[at : at + length], len(data))[1]


def names(keyring: Keyring) -> list[str]:
    return [str(each.certificate) for each in keyring.keys]


def refusal(data: bytes) -> str:
    with pytest.raises(AssayError) as caught:
        keyring_of(data)
    return caught.value.finding.code


def looked_at(path: Path) -> Verdict:
    [verdict] = verify(str(path), VerifyOptions(Trust(), formats=Options(closely=True)))
    return verdict


BOTH = ["CN=Build time key", "CN=Distribution CA"]


@pytest.mark.parametrize("kind", [kind for kind in TOOLS if kind != "lzo"])
def test_every_compression(kind: str) -> None:
    keyring = keyring_of(modules.bzimage(compressed(kind)))
    assert names(keyring) == BOTH
    assert keyring.release == modules.RELEASE


def test_lzo_is_refused_by_name() -> None:
    with pytest.raises(AssayError, match="LZO") as caught:
        keyring_of(modules.bzimage(compressed("lzo")))
    assert caught.value.finding.code == "kernel-compression"


def zboot(payload: bytes, *, size: int | None = None) -> bytes:
    length = len(payload) if size is None else size
    head = b"MZ\0\0zimg" + struct.pack("<IIII", 512, length, 0, 0) + b"gzip\0"
    return head.ljust(512, b"\0") + payload


def test_efi_zboot() -> None:
    made = compressed("zstd")
    assert names(keyring_of(zboot(made, size=len(made) - 4))) == BOTH
    assert names(keyring_of(zboot(gzip.compress(PLAIN)))) == BOTH


@pytest.mark.parametrize("mark", ["arm64", "riscv"])
def test_images_of_other_architectures(mark: str) -> None:
    head = bytearray(64)
    if mark == "arm64":
        head[0x38:0x3C] = b"ARM\x64"
    else:
        head[0x30:0x3C] = b"RISCV\0\0\0RSC\x05"
    image = bytes(head) + PLAIN[64:]
    assert names(keyring_of(image)) == BOTH
    assert names(keyring_of(gzip.compress(image))) == BOTH


def test_revoked_keys_are_no_keys() -> None:
    """revocation_certificate_list has one length behind it, whatever follows that."""
    certificates = REVOKED.der + bytes(-len(REVOKED.der) % 8)
    for behind in (b"", bytes(64), struct.pack("<Q", 7) * 8):
        revoked = certificates + struct.pack("<Q", len(REVOKED.der)) + behind
        found = keyring_of(modules.kernel(modules.key_list(SIGNING), revoked))
        assert names(found) == ["CN=Build time key"]
        assert [str(each.certificate) for each in found.others] == ["CN=Revoked key"]


def test_a_certificate_elsewhere_in_the_kernel_is_no_key() -> None:
    found = keyring_of(modules.kernel(modules.key_list(SIGNING), b"text" + REVOKED.der + b"text"))
    assert names(found) == ["CN=Build time key"]
    assert len(found.others) == 1


def test_two_lists_are_none() -> None:
    keyring = keyring_of(modules.kernel(modules.key_list(SIGNING), modules.key_list(REVOKED)))
    assert keyring.keys == ()
    assert "2 lists" in keyring.problem


@pytest.mark.parametrize("wrong", [{"total": 5}, {"first": 0}, {"first": 17}])
def test_lengths_that_disagree(wrong: dict[str, int]) -> None:
    keyring = keyring_of(modules.kernel(modules.key_list(SIGNING, SECOND, **wrong)))
    assert keyring.keys == ()
    assert len(keyring.others) == 2


def test_room_for_an_extra_certificate() -> None:
    plain = modules.key_list(SIGNING)
    with_room = plain[:-16] + bytes(4096 + 8) + plain[-16:]
    assert names(keyring_of(modules.kernel(with_room))) == ["CN=Build time key"]


@pytest.mark.parametrize("layout", ["<II", ">QQ"])
def test_other_widths_and_orders(layout: str) -> None:
    first = len(SIGNING.der)
    lengths = struct.pack(layout, first, first)
    if layout == "<II":
        lengths = lengths[:4] + bytes(4) + lengths[4:] + bytes(4)
    part = modules.key_list(SIGNING)[:-16] + lengths
    assert names(keyring_of(modules.kernel(part))) == ["CN=Build time key"]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 3 << 20), st.integers(1000, 5 << 20))
def test_where_the_keys_are_and_how_the_kernel_is_cut_makes_no_difference(
    before: int, step: int
) -> None:
    data = modules.kernel(bytes(before), modules.key_list(SIGNING, SECOND))
    scanner = KeyringScanner()
    for at in range(0, len(data), step):
        scanner.update(memoryview(data)[at : at + step])
    assert names(scanner.finish()) == BOTH


def test_a_kernel_full_of_what_may_be_certificates() -> None:
    assert refusal(modules.kernel(b"\xa0\x03\x02\x01\x02\x02" * 200_000)) == "limit-exceeded"


def test_small_certificates() -> None:
    small = make("k", ca=None, identifiers=False, key=key_of("ed25519"))
    assert len(small.der) < 256
    assert names(keyring_of(modules.kernel(modules.key_list(small)))) == ["CN=k"]


def test_truncated_and_lying_images() -> None:
    whole = modules.bzimage(compressed("gzip"))
    assert refusal(whole[:3000]) == "kernel-malformed"
    for field, value in ((0x24C, 1 << 30), (0x248, 1 << 30), (0x24C, 5)):
        lying = bytearray(whole)
        struct.pack_into("<I", lying, field, value)
        assert refusal(bytes(lying)) == "kernel-malformed"
    old = bytearray(whole)
    struct.pack_into("<H", old, 0x206, 0x207)
    assert refusal(bytes(old)) == "kernel-malformed"


def test_a_size_that_lies() -> None:
    made = compressed("xz")
    assert refusal(modules.bzimage(made[:-4] + struct.pack("<I", 99))) == "size-mismatch"


def test_damage_in_the_payload() -> None:
    made = bytearray(compressed("gzip"))
    made[len(made) // 2] ^= 1
    assert refusal(modules.bzimage(bytes(made))) == "compressed-stream-damaged"


def test_the_kernel_in_a_unified_kernel_image(tmp_path: Path) -> None:
    path = tmp_path / "linux.efi"
    kernel = modules.bzimage(compressed("gzip"))
    disk = gzip.compress(MAIN)
    path.write_bytes(uki.program((".linux", kernel), (".initrd", disk)).unsigned())
    trust = Trust().add_kernel(path)
    assert trust.kernel == modules.RELEASE
    assert [str(each) for each in trust.keys[0].material] == BOTH
    verdict = looked_at(path)
    kinds = {part.kind for part in verdict.components}
    assert {"linux-built-in-key", "initrd", "cpio-archive"} <= kinds
    path.write_bytes(uki.program((".linux", kernel), (".linux", kernel)).unsigned())
    with pytest.raises(UsageError, match=r"2 sections \.linux"):
        Trust().add_kernel(path)


def test_inspection_lists_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "vmlinuz"
    path.write_bytes(modules.bzimage(compressed("gzip")))
    verdict = looked_at(path)
    assert verdict.format == "linux-kernel"
    keys = [part for part in verdict.components if part.kind == "linux-built-in-key"]
    assert [part.labels["subject"] for part in keys] == BOTH
    assert keys[0].labels["key-identifier"] == SIGNING.certificate.key_id.hex()
    assert keys[0].labels["not-after"] == "2027-06-01"
    setup = next(part for part in verdict.components if part.id == "setup")
    assert setup.labels["name"].startswith(modules.RELEASE)


def test_a_kernel_that_cannot_be_looked_into_is_no_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "vmlinuz"
    path.write_bytes(modules.bzimage(compressed("lzo")))
    verdict = looked_at(path)
    [found] = [f for f in verdict.findings if f.code == "kernel-compression"]
    assert found.severity.value == "warning"
    assert codes_of(verdict) <= {"kernel-compression", "no-anchor"}


def test_pieces_are_never_trusted_across_a_broken_certificate() -> None:
    broken = bytearray(modules.key_list(SIGNING, SECOND))
    broken[len(SIGNING.der) + 1] ^= 0x40
    assert keyring_of(modules.kernel(bytes(broken))).keys == ()

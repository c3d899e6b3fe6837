"""The signed boot binaries that Debian ships, and programs signed by others' tools."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from assay.asn1.der import Der
from assay.comparison.run import CompareOptions, compare
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from assay.x509.certificate import read_certificate
from tests.compare.support import differences
from tests.signatures.support import run, says_yes, tool
from tests.support import pe
from tests.support.certificates import START, Holder, key_of, make, root, usage
from tests.support.checking import codes_of
from tests.support.pe import Program

HOME = Path(__file__).parents[3]
BOOT = HOME / ".cache" / "boot"
VECTORS = HOME.parent / "shared" / "vectors"
MICROSOFT = VECTORS / "secureboot-certs" / "DB" / "Certificates"
NAMES = ("shimx64", "mmx64", "fbx64", "grubx64", "gcdx64", "grubnetx64", "fwupdx64", "vmlinuz")
BY_DEBIAN = NAMES[1:]
LATER = datetime(2099, 1, 1, tzinfo=UTC)
"""Tools sign at the time that they run."""


def genuine(name: str) -> Path:
    """A signed binary of Debian; the test is skipped where it was not fetched."""
    pattern = "vmlinuz-*" if name == "vmlinuz" else f"{name}.efi.signed"
    for path in sorted(BOOT.rglob(pattern)):
        return path
    pytest.skip("Debian's boot binaries are not here (scripts/boot-binaries)")


@cache
def _debian_authority() -> bytes:
    """Debian's authority for Secure Boot, which shim has in its section ``.vendor_cert``."""
    data = genuine("shimx64").read_bytes()
    for match in re.finditer(b"\x30\x82(..)\x30\x82", data, re.DOTALL):
        try:
            found = Der(data[match.start() :], CERTIFICATE_MALFORMED).any().encoded
            if str(read_certificate(found)) == "CN=Debian Secure Boot CA":
                return found
        except AssayError:
            continue
    pytest.fail("shim has no certificate of Debian's authority")


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    path = tmp_path / "debian.der"
    path.write_bytes(_debian_authority())
    return path


def microsoft(year: int) -> Path:
    found = list(MICROSOFT.glob("microsoft uefi ca 2023.der" if year == 2023 else "MicCorUEFCA*"))
    if not found:
        pytest.skip("the vectors are not here")
    return found[0]


def check(image: Path, *authorities: Path, **demands: str) -> Verdict:
    trust = Trust(demands={name.replace("_", "-"): value for name, value in demands.items()})
    for each in authorities:
        trust.add_ca(each)
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


def view_digests(verdict: Verdict) -> tuple[str, ...]:
    return next(each for each in verdict.components if each.id == "authenticode").digests


@pytest.mark.parametrize("name", BY_DEBIAN)
def test_debian_vouches_for_what_it_signs(debian: Path, name: str) -> None:
    verdict = check(genuine(name), debian)
    assert verdict.exit_status == 0, verdict.findings
    assert codes_of(verdict) <= {"certificate-validity-ignored"}
    assert verdict.coverage.unclaimed == verdict.coverage.consistent == 0


@pytest.mark.parametrize("name", BY_DEBIAN)
def test_microsoft_does_not_vouch_for_what_debian_signs(name: str) -> None:
    assert check(genuine(name), microsoft(2023)).exit_status == 1


@pytest.mark.parametrize("year", [2011, 2023])
def test_either_of_the_signatures_of_shim_is_enough_for_firmware(year: int) -> None:
    verdict = check(genuine("shimx64"), microsoft(year))
    assert verdict.exit_status == 0, verdict.findings
    assert len(verdict.signatures) == 2


def test_the_dates_of_microsofts_authority_count_where_the_user_asks() -> None:
    trust = Trust(demands={"enforce-validity": "yes"}).add_ca(microsoft(2011))
    [verdict] = verify(str(genuine("shimx64")), VerifyOptions(trust, at=LATER))
    assert verdict.exit_status == 1
    assert "key-expired" in codes_of(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_pesign_has_the_same_digest(name: str) -> None:
    image = genuine(name)
    said = run(tool("pesign"), "-h", "-i", image).decode().split()
    digest = next(word for word in said if re.fullmatch("[0-9a-f]{64}", word))
    assert f"sha256:{digest}" in view_digests(check(image))


def test_go_uefi(tmp_path: Path) -> None:
    signed = VECTORS / "go-uefi" / "tests" / "data" / "binary" / "HelloWorld.efi.signed"
    authority = VECTORS / "go-uefi" / "authenticode" / "testdata" / "db.pem"
    if not signed.exists():
        pytest.skip("the vectors are not here")
    assert check(signed, authority).exit_status == 0
    # the certificate has no dates that make sense
    assert check(signed, authority, enforce_validity="yes").exit_status == 1
    changed = tmp_path / "changed.efi"
    data = bytearray(signed.read_bytes())
    data[0x500] ^= 1
    changed.write_bytes(data)
    assert check(changed, authority).exit_status == 1


# signed by others


def _signer() -> tuple[Holder, Holder]:
    """An authority and a signer with keys that every tool can use."""
    authority = root("Machine Owner", key=key_of("rsa2048"), start=START, end=LATER)
    holder = make(
        "Machine Signer",
        authority,
        key=key_of("rsa2048", 1),
        key_usage=usage("digital_signature"),
        eku=["1.3.6.1.5.5.7.3.3"],
        start=START,
        end=LATER,
    )
    return authority, holder


PROGRAMS = [
    Program(),
    Program(bits=32),
    Program(after=b"symbols, and no multiple of eight"),
    Program(directories=6),
    Program(
        sections=((".text", None, bytes(512)), (".bss", None, b""), (".data", None, b"x" * 512))
    ),
]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_what_sbsign_signs_is_verified(tmp_path: Path, number: int) -> None:
    authority, holder = _signer()
    certificate, key = holder.write(tmp_path, "signer")
    trusted, _ = authority.write(tmp_path, "authority")
    image, signed = tmp_path / "a.efi", tmp_path / "b.efi"
    image.write_bytes(PROGRAMS[number].unsigned())
    run(tool("sbsign"), "--key", key, "--cert", certificate, "--output", signed, image)
    verdict = check(signed, trusted)
    assert verdict.exit_status == 0, verdict.findings
    assert codes_of(verdict) == set()
    # and once more, by somebody else
    other = make("Other", key=key_of("rsa2048", 2), start=START, end=LATER)
    other_certificate, other_key = other.write(tmp_path, "other")
    run(tool("sbsign"), "--key", other_key, "--cert", other_certificate, signed, "--output", image)
    assert check(image, trusted).exit_status == 0
    assert check(image, other_certificate).exit_status == 0
    assert len(check(image).signatures) == 2


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("pages", [False, True])
def test_what_osslsigncode_signs_is_verified(tmp_path: Path, algorithm: str, pages: bool) -> None:
    authority, holder = _signer()
    certificate, key = holder.write(tmp_path, "signer")
    trusted, _ = authority.write(tmp_path, "authority")
    image, signed = tmp_path / "a.exe", tmp_path / "b.exe"
    image.write_bytes(Program().unsigned())
    run(
        tool("osslsigncode"), "sign", "-certs", certificate, "-key", key, "-h", algorithm,
        *(["-ph"] if pages else []), "-n", "a program", "-in", image, "-out", signed,
    )  # fmt: skip
    verdict = check(signed, trusted)
    assert verdict.exit_status == 0, verdict.findings
    labels = next(each for each in verdict.components if each.id == "signature[0]").labels
    assert ("page-hashes" in labels) is pages
    assert verdict.claims_held == (4 if pages else 1)
    assert f"{algorithm} digest" in labels["name"]


def test_page_hashes_of_osslsigncode(tmp_path: Path) -> None:
    """Genuine sections, of which most end within a page."""
    authority, holder = _signer()
    certificate, key = holder.write(tmp_path, "signer")
    trusted, _ = authority.write(tmp_path, "authority")
    signed = tmp_path / "signed.efi"
    run(
        tool("osslsigncode"), "sign", "-certs", certificate, "-key", key, "-h", "sha256", "-ph",
        "-in", next(iter(BOOT.rglob("mmx64.efi")), None) or genuine("mmx64"), "-out", signed,
    )  # fmt: skip
    verdict = check(signed, trusted)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.claims_held == 2 + sum(each.kind == "pe-section" for each in verdict.components)
    data = bytearray(signed.read_bytes())
    data[0x30010] ^= 1
    signed.write_bytes(data)
    assert "chunk-mismatch" in codes_of(check(signed, trusted))


def test_what_pesign_signs_is_verified(tmp_path: Path) -> None:
    authority, holder = _signer()
    certificate, key = holder.write(tmp_path, "signer")
    trusted, _ = authority.write(tmp_path, "authority")
    store, database = tmp_path / "signer.p12", tmp_path / "nss"
    database.mkdir()
    run(
        "openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", store,
        "-name", "signer", "-passout", "pass:",
    )  # fmt: skip
    run(tool("certutil"), "-N", "-d", database, "--empty-password")
    run(tool("pk12util"), "-i", store, "-d", database, "-W", "", "-K", "")
    image, signed = tmp_path / "a.efi", tmp_path / "b.efi"
    image.write_bytes(Program().unsigned())
    run(
        tool("pesign"), "-s", "-n", database, "-c", "signer", "-i", image, "-o", signed, "-f"
    )  # fmt: skip
    verdict = check(signed, trusted)
    assert verdict.exit_status == 0, verdict.findings
    assert check(signed, microsoft(2023)).exit_status == 1


def test_sbverify_accepts_what_is_built_here(tmp_path: Path) -> None:
    """So that what is refused elsewhere is refused for the reason that its test names."""
    _, holder = _signer()
    certificate, _ = holder.write(tmp_path, "signer")
    image = tmp_path / "a.efi"
    image.write_bytes(pe.signed(Program(), holder))
    assert says_yes(tool("sbverify"), "--cert", certificate, image)
    image.write_bytes(pe.signed(Program(), make("Other", key=key_of("rsa2048", 2))))
    assert not says_yes(tool("sbverify"), "--cert", certificate, image)


@pytest.mark.parametrize("name", ["grubx64", "fwupdx64", "mmx64"])
def test_osslsigncode_says_the_same_of_debians_programs(
    debian: Path, tmp_path: Path, name: str
) -> None:
    authority = tmp_path / "debian.pem"
    run("openssl", "x509", "-inform", "DER", "-in", debian, "-out", authority)
    image, changed = genuine(name), tmp_path / "changed.efi"
    data = bytearray(image.read_bytes())
    data[0x1200] ^= 1
    changed.write_bytes(data)
    for program, expected in ((image, True), (changed, False)):
        said = says_yes(
            tool("osslsigncode"), "verify", "-CAfile", authority, "-time", "1700000000",
            "-in", program,
        )  # fmt: skip
        assert said is expected
        assert (check(program, debian).exit_status == 0) is expected


def test_a_nested_signature_is_one_more(tmp_path: Path) -> None:
    authority, holder = _signer()
    certificate, key = holder.write(tmp_path, "signer")
    trusted, _ = authority.write(tmp_path, "authority")
    other = make("Other", key=key_of("rsa2048", 2), start=START, end=LATER)
    other_certificate, other_key = other.write(tmp_path, "other")
    image, first, second = (tmp_path / name for name in ("a.exe", "b.exe", "c.exe"))
    image.write_bytes(Program().unsigned())
    sign = (tool("osslsigncode"), "sign")
    run(*sign, "-certs", certificate, "-key", key, "-in", image, "-out", first)
    run(
        *sign, "-nest", "-certs", other_certificate, "-key", other_key, "-h", "sha384",
        "-in", first, "-out", second,
    )  # fmt: skip
    assert check(second, trusted).exit_status == 0
    assert check(second, other_certificate).exit_status == 0
    assert [each.id for each in check(second).signatures] == [
        "signature[0]",
        "signature[0]/nested[0]",
    ]
    changed = tmp_path / "d.exe"
    data = bytearray(second.read_bytes())
    data[0x500] ^= 1
    changed.write_bytes(data)
    assert check(changed, other_certificate).exit_status == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_program_differs_from_its_unsigned_twin_in_no_section(name: str) -> None:
    signed = genuine(name)
    wanted = "vmlinuz" if name == "vmlinuz" else f"{name}.efi"
    twin = next(iter(sorted(BOOT.rglob(wanted))), None)
    if twin is None:
        pytest.skip("the unsigned twin is not here")
    mine, its = check(signed), check(twin)
    assert "pe-not-signed" in {finding.code for finding in its.findings}

    def sections(verdict: Verdict) -> int:
        return sum(1 for each in verdict.components if each.kind == "pe-section")

    assert sections(mine) == sections(its) > 1
    found = differences(compare(str(signed), str(twin), CompareOptions()))
    assert not [pair for pair in found if pair[0].startswith("section")]
    assert found[("certificates", "")] == "only-in-a"

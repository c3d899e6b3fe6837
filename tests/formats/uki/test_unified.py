"""Unified kernel images: what is found in them, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import UsageError
from assay.model.reading import Options
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.formats.pe.test_authenticode import ROOT, SIGNER
from tests.support import pe
from tests.support.certificates import NOW, key_of
from tests.support.checking import codes_of
from tests.support.pe import Program
from tests.support.uki import BASE, LINUX, entry, pem, program, signed_values

KEY, OTHER_KEY = key_of("rsa2048"), key_of("rsa2048", 1)
PCRPKEY = (".pcrpkey", pem(KEY))
SECTIONS = (*BASE, PCRPKEY, LINUX)
PATHS = [
    ("enter-initrd",),
    ("enter-initrd", "leave-initrd"),
    ("enter-initrd", "leave-initrd", "sysinit"),
    ("enter-initrd", "leave-initrd", "sysinit", "ready"),
]


def check(
    folder: Path,
    made: Program | bytes,
    pcr_key: bytes = b"",
    *,
    phases: tuple[tuple[str, ...], ...] = (),
) -> Verdict:
    """The verdict on an image, which is signed by `SIGNER` unless it comes as bytes."""
    image, authority = folder / "linux.efi", folder / "ca.pem"
    image.write_bytes(made if isinstance(made, bytes) else pe.signed(made, SIGNER))
    authority.write_bytes(ROOT.pem)
    trust = Trust().add_ca(authority)
    if pcr_key:
        (folder / "pcr.pem").write_bytes(pcr_key)
        trust.add_pcr_key(str(folder / "pcr.pem"))
    request = VerifyOptions(trust, at=NOW, formats=Options(boot_phases=phases))
    [verdict] = verify(str(image), request)
    return verdict


def told(verdict: Verdict, code: str) -> list[str]:
    return [finding.detail for finding in verdict.findings if finding.code == code]


def refused(verdict: Verdict, code: str) -> None:
    assert verdict.exit_status == 1, verdict.findings
    assert code in codes_of(verdict), verdict.findings


def test_each_section_is_a_component_with_its_content_alone(tmp_path: Path) -> None:
    verdict = check(tmp_path, program(*SECTIONS))
    assert verdict.exit_status == 0, verdict.findings
    parts = {part.id: part for part in verdict.components}
    assert parts["section[.cmdline]"].labels["name"] == "root=/dev/vda quiet"
    assert parts["section[.osrel]"].labels["name"] == "Test OS"
    assert parts["section[.cmdline]"].size == len(BASE[1][1])
    assert parts["file"].labels["name"] == "unified kernel image"
    assert verdict.coverage.unclaimed == 0


def test_a_kernel_within_is_read_as_one(tmp_path: Path) -> None:
    kernel = pe.signed(Program(), SIGNER)
    verdict = check(tmp_path, program(*BASE, (".linux", kernel)))
    assert verdict.exit_status == 0, verdict.findings
    parts = {part.id: part for part in verdict.components}
    assert "section[.linux]/section[.text]" in parts
    assert f"sha256:{hashlib.sha256(kernel).hexdigest()}" in parts["section[.linux]"].digests
    assert {each.id for each in verdict.signatures} == {
        "signature[0]",
        "section[.linux]/signature[0]",
    }


def test_signed_values_for_each_phase(tmp_path: Path) -> None:
    signed = signed_values(*(entry(KEY, SECTIONS, path) for path in PATHS))
    verdict = check(tmp_path, program(*SECTIONS, signed), pem(KEY))
    assert verdict.exit_status == 0, verdict.findings
    [agrees] = told(verdict, "pcr-signature-agrees")
    assert all(":".join(path) in agrees for path in PATHS)
    assert len(told(verdict, "pcr-values")) == 4


@pytest.mark.parametrize("bank", ["sha256", "sha384"])
def test_banks(tmp_path: Path, bank: str) -> None:
    signed = signed_values(entry(KEY, SECTIONS, bank=bank), bank=bank)
    verdict = check(tmp_path, program(*SECTIONS, signed), pem(KEY))
    assert verdict.exit_status == 0, verdict.findings
    assert bank in told(verdict, "pcr-signature-agrees")[0]


def test_signatures_for_the_bank_sha1_count_for_nothing(tmp_path: Path) -> None:
    unreadable = entry(KEY, SECTIONS, bank="sha1", sig="AAAA")
    verdict = check(tmp_path, program(*SECTIONS, signed_values(unreadable, bank="sha1")), pem(KEY))
    refused(verdict, "weak-signature")
    assert not told(verdict, "pcr-signature-agrees")
    assert told(verdict, "pcr-signature-unchecked")


def test_a_command_line_changed_after_the_values_were_signed(tmp_path: Path) -> None:
    signed = signed_values(entry(KEY, SECTIONS))
    changed = [(name, data.replace(b"quiet", b"debug")) for name, data in SECTIONS]
    verdict = check(tmp_path, program(*changed, signed))
    refused(verdict, "pcr-signature-other-values")


def test_signed_values_of_another_image(tmp_path: Path) -> None:
    signed = signed_values(entry(KEY, (*SECTIONS, (".initrd", b"another"))))
    refused(check(tmp_path, program(*SECTIONS, signed), pem(KEY)), "pcr-signature-other-values")


def test_phases_of_the_user(tmp_path: Path) -> None:
    made = program(*SECTIONS, signed_values(entry(KEY, SECTIONS, ("enter-initrd", "mine"))))
    refused(check(tmp_path, made), "pcr-signature-other-values")
    verdict = check(tmp_path, made, pem(KEY), phases=(("enter-initrd", "mine"),))
    assert verdict.exit_status == 0, verdict.findings
    assert "enter-initrd:mine" in told(verdict, "pcr-signature-agrees")[0]


def test_a_forged_signature_of_the_right_values(tmp_path: Path) -> None:
    forged = entry(OTHER_KEY, SECTIONS) | {"pkfp": entry(KEY, SECTIONS)["pkfp"]}
    verdict = check(tmp_path, program(*SECTIONS, signed_values(forged)))
    refused(verdict, "pcr-signature-invalid")
    refused(
        check(tmp_path, program(*SECTIONS, signed_values(forged)), pem(KEY)), "signature-invalid"
    )


def test_signatures_by_another_key_than_that_in_pcrpkey(tmp_path: Path) -> None:
    made = program(*SECTIONS, signed_values(entry(OTHER_KEY, SECTIONS)))
    refused(check(tmp_path, made), "pcr-signature-other-key")


def test_signatures_by_several_keys(tmp_path: Path) -> None:
    """The initrd may be unlocked by a key of its own (ukify)."""
    both = signed_values(entry(KEY, SECTIONS), entry(OTHER_KEY, SECTIONS, PATHS[3]))
    made = program(*SECTIONS, both)
    for key in (KEY, OTHER_KEY):
        verdict = check(tmp_path, made, pem(key))
        assert verdict.exit_status == 0, verdict.findings
    assert len([each for each in verdict.signatures if each.scheme == "pcr-policy"]) == 2


def test_the_key_that_was_asked_for_signed_nothing(tmp_path: Path) -> None:
    made = program(*SECTIONS, signed_values(entry(KEY, SECTIONS)))
    refused(check(tmp_path, made, pem(OTHER_KEY)), "pcr-signature-missing")
    refused(check(tmp_path, program(*SECTIONS), pem(KEY)), "pcr-signature-missing")
    refused(check(tmp_path, b"no image at all", pem(KEY)), "pcr-signature-missing")


def test_a_key_for_pcr_values_vouches_for_no_image(tmp_path: Path) -> None:
    image, key = tmp_path / "linux.efi", tmp_path / "pcr.pem"
    image.write_bytes(program(*SECTIONS, signed_values(entry(KEY, SECTIONS))).unsigned())
    key.write_bytes(pem(KEY))
    [verdict] = verify(str(image), VerifyOptions(Trust().add_pcr_key(str(key)), at=NOW))
    assert verdict.exit_status == 3
    [verdict] = verify(str(image), VerifyOptions(Trust().add_key(key), at=NOW))
    assert verdict.exit_status == 1
    assert verdict.coverage.bound > 0


def test_a_key_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "pcr.pem"
    path.write_bytes(b"no key")
    with pytest.raises(UsageError, match="--pcr-key"):
        Trust().add_pcr_key(str(path))


@pytest.mark.parametrize("version", [252, 253, 254, 256, 257])
def test_older_stubs_measure_fewer_sections(tmp_path: Path, version: int) -> None:
    sections = (*SECTIONS, (".uname", b"6.1.0"), (".ucode", b"microcode"), (".hwids", b"ids"))
    stub = b"#### LoaderInfo: systemd-stub %d.1-1 ####" % version
    signed = signed_values(entry(KEY, sections, version=version))
    verdict = check(tmp_path, program(*sections, signed, stub=stub), pem(KEY))
    assert verdict.exit_status == 0, verdict.findings
    left_out = " ".join(told(verdict, "uki-section-not-measured"))
    assert (".uname" in left_out) is (version < 253)
    assert (".ucode" in left_out) is (version < 256)
    assert (".hwids" in left_out) is (version < 257)


@pytest.mark.parametrize("name", [".ucode", ".dtbauto", ".profile"])
def test_a_section_added_to_an_image_whose_signed_values_leave_it_out(
    tmp_path: Path, name: str
) -> None:
    """Stubs that do not know the section, or do not choose it, come to the values that were signed:
    these say nothing of it."""
    image, key = tmp_path / "linux.efi", tmp_path / "pcr.pem"
    signed = signed_values(entry(KEY, SECTIONS, version=252))
    key.write_bytes(pem(KEY))
    where = (name, b"put there by somebody else")
    image.write_bytes(program(*SECTIONS, signed, where).unsigned())
    [verdict] = verify(str(image), VerifyOptions(Trust().add_key(key), at=NOW))
    states = {part.id.rpartition("/")[2]: part.state for part in verdict.components}
    assert states[f"section[{name}]"] is not State.BOUND
    if name != ".profile":
        assert states["section[.cmdline]"] is State.BOUND
        assert states["section[.linux]"] is State.BOUND


def test_device_trees_for_certain_hardware(tmp_path: Path) -> None:
    sections = (*SECTIONS, (".dtbauto", b"one"), (".dtbauto", b"other"))
    for used in (sections[:-2], sections[:-1], (*sections[:-2], sections[-1])):
        made = program(*sections, signed_values(entry(KEY, used)))
        verdict = check(tmp_path, made, pem(KEY))
        assert verdict.exit_status == 0, verdict.findings
        assert "depends on the hardware" in told(verdict, "pcr-values")[0]


# profiles

PROFILES = (
    *SECTIONS,
    (".profile", b'ID=regular\nTITLE="Regular boot"\n'),
    (".profile", b'ID=reset\nTITLE="Factory reset"\n'),
    (".cmdline", b"systemd.unit=factory-reset.target"),
)


def of_profile(number: int) -> tuple[tuple[str, bytes], ...]:
    """The sections that count when a profile of `PROFILES` is booted."""
    if number == 0:
        return PROFILES[:5]
    return (*(each for each in SECTIONS if each[0] != ".cmdline"), *PROFILES[6:])


def test_profiles_replace_sections_of_the_base(tmp_path: Path) -> None:
    made = [
        *PROFILES[:5], signed_values(entry(KEY, of_profile(0))),
        *PROFILES[5:], signed_values(entry(KEY, of_profile(1))),
    ]  # fmt: skip
    verdict = check(tmp_path, program(*made), pem(KEY))
    assert verdict.exit_status == 0, verdict.findings
    parts = {part.id: part for part in verdict.components}
    assert parts["file"].labels["name"] == "unified kernel image, 2 profiles"
    assert parts["profile[1]/section[.profile]"].labels["name"] == "Factory reset"
    assert "profile[1]/section[.cmdline]" in parts
    assert {"profile[0]/pcr[11]", "profile[1]/pcr[11]"} <= parts.keys()
    assert len(told(verdict, "pcr-signature-agrees")) == 2


def test_values_signed_for_another_profile(tmp_path: Path) -> None:
    signed = signed_values(entry(KEY, of_profile(0)))
    made = [*PROFILES[:5], signed, *PROFILES[5:], signed]
    verdict = check(tmp_path, program(*made))
    refused(verdict, "pcr-signature-other-values")
    [found] = [each for each in verdict.findings if each.code == "pcr-signature-other-values"]
    assert found.component == "profile[1]/section[.pcrsig]"


# attacks


@pytest.mark.parametrize("name", [".linux", ".cmdline", ".initrd", ".pcrsig", ".osrel"])
def test_duplicated_sections(tmp_path: Path, name: str) -> None:
    made = (*BASE, LINUX, (name, b"{}"), (name, b"{ }"))
    refused(check(tmp_path, program(*made)), "uki-section-repeated")


def test_duplicated_sections_within_a_profile(tmp_path: Path) -> None:
    made = program(*PROFILES, (".cmdline", b"another"))
    verdict = check(tmp_path, made)
    refused(verdict, "uki-section-repeated")
    [found] = [each for each in verdict.findings if each.code == "uki-section-repeated"]
    assert found.component == "profile[1]/section[.cmdline:2]"


def test_a_section_that_is_longer_in_memory_than_in_the_file(tmp_path: Path) -> None:
    made = program(*SECTIONS, virtual_size={3: 0x1000})
    refused(check(tmp_path, made), "uki-section-incomplete")


def test_a_section_that_is_in_memory_alone(tmp_path: Path) -> None:
    made = program(*SECTIONS, size_of_raw_data={3: 0})
    verdict = check(tmp_path, made)
    refused(verdict, "uki-section-incomplete")


def test_sections_at_the_same_addresses(tmp_path: Path) -> None:
    made = program(*SECTIONS, address={4: 0x3000})
    refused(check(tmp_path, made), "uki-sections-overlap")


def test_a_section_behind_the_signed_bytes(tmp_path: Path) -> None:
    """Headers that name bytes of the certificate table."""
    made = program(*SECTIONS)
    data = bytearray(pe.signed(made, SIGNER))
    table = int.from_bytes(data[made.entry_at : made.entry_at + 4], "little")
    place = pe.OPTIONAL + made.fixed + 128 + 40 * 3 + 20  # where the command line is in the file
    data[place : place + 4] = (table + 64).to_bytes(4, "little")
    verdict = check(tmp_path, bytes(data))
    refused(verdict, "uki-section-unsigned")
    refused(verdict, "pe-certificate-table")


def test_an_addition_to_an_image(tmp_path: Path) -> None:
    verdict = check(tmp_path, program((".cmdline", b"debug")))
    assert verdict.exit_status == 0, verdict.findings
    parts = {part.id: part for part in verdict.components}
    assert parts["file"].labels["name"] == "addon for unified kernel images"
    assert "pcr[11]" not in parts


def test_more_hardware_than_can_be_tried(tmp_path: Path) -> None:
    more = [(".dtbauto", b"tree")] * 16 + [(".efifw", b"firmware")] * 16
    made = program(*SECTIONS, *more, signed_values(entry(KEY, SECTIONS)))
    refused(check(tmp_path, made), "limit-exceeded")


def test_profiles_that_take_far_more_to_measure_than_the_image_has(tmp_path: Path) -> None:
    many = [(".profile", b"ID=x")] * 200
    made = program(*BASE, (".linux", bytes(1 << 20)), *many).but(headers_size=0x4000)
    refused(check(tmp_path, made), "limit-exceeded")


def test_too_many_profiles(tmp_path: Path) -> None:
    made = program(*SECTIONS, *[(".profile", b"ID=x")] * 257)
    refused(check(tmp_path, made.but(headers_size=0x4000)), "limit-exceeded")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"sha256": {}}',
        b'{"md5": []}',
        b'{"sha256": [1]}',
        b'{"sha256": [], "sha256": []}',
        json.dumps({"sha256": [{"pcrs": [11]}]}).encode(),
        json.dumps({"sha256": [{"pcrs": [4, 11], "pkfp": "", "pol": "", "sig": ""}]}).encode(),
        json.dumps({"sha256": [{"pcrs": [11], "pkfp": "x", "pol": "00", "sig": "AA=="}]}).encode(),
    ],
)
def test_signed_values_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    verdict = check(tmp_path, program(*SECTIONS, (".pcrsig", data or b" ")))
    assert verdict.exit_status == 1, verdict.findings
    assert {each.component for each in verdict.findings if each.severity.value == "error"} == {
        "section[.pcrsig]"
    }


def test_a_key_in_the_image_that_cannot_be_read(tmp_path: Path) -> None:
    made = (*BASE, LINUX, (".pcrpkey", b"no key"))
    assert check(tmp_path, program(*made)).exit_status == 1


_IMAGE = pe.signed(
    program(*SECTIONS, signed_values(*(entry(KEY, SECTIONS, path) for path in PATHS))), SIGNER
)
_START = _IMAGE.index(BASE[0][1])
_END = _IMAGE.index(LINUX[1]) + len(LINUX[1])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_in_what_is_measured_is_noticed_without_trusting_anybody(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    at = data.draw(st.integers(_START, _END - 1))
    made = bytearray(_IMAGE)
    made[at] ^= 1 << data.draw(st.integers(0, 7))
    image = tmp_path_factory.mktemp("flip") / "linux.efi"
    image.write_bytes(made)
    [verdict] = verify(str(image), VerifyOptions(Trust()))
    assert verdict.exit_status == 1

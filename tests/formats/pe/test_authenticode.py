"""Signed programs: who is believed, and what else is said."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.support import pe
from tests.support.certificates import END, NOW, START, Holder, make, root
from tests.support.checking import codes_of
from tests.support.pe import Program

ROOT = root("Platform Root")
SIGNER = make("Signer", ROOT)
OTHER_ROOT = root("Other Root")
OTHER = make("Other", OTHER_ROOT)


def check(
    folder: Path, data: bytes, *authorities: Holder, at: datetime = NOW, **demands: str
) -> Verdict:
    """The verdict on a program, with authorities to trust."""
    image = folder / "program.efi"
    image.write_bytes(data)
    trust = Trust(demands={name.replace("_", "-"): value for name, value in demands.items()})
    for number, each in enumerate(authorities):
        path = folder / f"{number}.pem"
        path.write_bytes(each.pem)
        trust.add_ca(path)
    [verdict] = verify(str(image), VerifyOptions(trust, at=at))
    return verdict


def refused(verdict: Verdict, code: str) -> None:
    assert verdict.exit_status == 1, verdict
    assert code in codes_of(verdict), verdict.findings


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_signed_program_is_covered_but_for_what_the_scheme_leaves_out(
    tmp_path: Path, bits: int, algorithm: str
) -> None:
    program = Program(bits=bits)
    data = pe.signed(program, SIGNER, algorithm=algorithm)
    verdict = check(tmp_path, data, ROOT)
    assert verdict.exit_status == 0, verdict.findings
    assert codes_of(verdict) == set()
    assert verdict.format == "pe"
    assert verdict.coverage.unclaimed == verdict.coverage.consistent == 0
    assert verdict.coverage.bound + verdict.coverage.excluded == len(data)
    view = next(each for each in verdict.components if each.id == "authenticode")
    assert f"{algorithm}:{program.digest(data, algorithm).hex()}" in view.digests


def test_another_authority_is_not_enough(tmp_path: Path) -> None:
    refused(check(tmp_path, pe.signed(Program(), SIGNER), OTHER_ROOT), "not-vouched")


def test_an_unsigned_program_is_vouched_for_by_nobody(tmp_path: Path) -> None:
    verdict = check(tmp_path, Program().unsigned(), ROOT)
    refused(verdict, "no-signature")
    assert "pe-not-signed" in {finding.code for finding in verdict.findings}


@pytest.mark.parametrize("data", [pe.signed(Program(), SIGNER), Program().unsigned()])
def test_the_digest_of_the_file_is_enough(tmp_path: Path, data: bytes) -> None:
    image = tmp_path / "program.efi"
    image.write_bytes(data)
    trust = Trust().add_digest("sha256:" + hashlib.sha256(data).hexdigest())
    [verdict] = verify(str(image), VerifyOptions(trust, at=NOW))
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.bound == len(data)


def test_a_changed_byte_says_digest_mismatch(tmp_path: Path) -> None:
    data = bytearray(pe.signed(Program(), SIGNER))
    data[0x410] ^= 1
    verdict = check(tmp_path, bytes(data), ROOT)
    refused(verdict, "digest-mismatch")


def test_the_signature_of_another_program(tmp_path: Path) -> None:
    other = Program(sections=((".text", None, bytes(512)),))
    stolen = pe.signature(SIGNER, other.digest(other.unsigned()))
    data = pe.with_table(Program(), Program().unsigned(), pe.entry(stolen))
    refused(check(tmp_path, data, ROOT), "digest-mismatch")


def test_two_signatures_by_two_authorities(tmp_path: Path) -> None:
    data = pe.signed(Program(), SIGNER, OTHER)
    for authority in (ROOT, OTHER_ROOT):
        assert check(tmp_path, data, authority).exit_status == 0


@pytest.mark.parametrize("first", [True, False])
def test_two_signatures_of_which_one_is_bad(tmp_path: Path, first: bool) -> None:
    program = Program()
    data = program.unsigned()
    good = pe.entry(pe.signature(SIGNER, program.digest(data)))
    bad = pe.entry(pe.signature(OTHER, bytes(32)))
    signed = pe.with_table(program, data, bad + good if first else good + bad)
    verdict = check(tmp_path, signed, ROOT)
    refused(verdict, "digest-mismatch")


def test_an_expired_authority_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data, at = pe.signed(Program(), SIGNER), END.replace(year=2030)
    verdict = check(tmp_path, data, ROOT, at=at, enforce_validity="yes")
    refused(verdict, "key-expired")
    [first, *_] = [finding for finding in verdict.findings if finding.code == "key-expired"]
    assert "successor" in first.remedy


@pytest.mark.parametrize("subsystem", [2, 3])
def test_dates_count_for_programs_of_windows(tmp_path: Path, subsystem: int) -> None:
    data = pe.signed(Program(subsystem=subsystem), SIGNER)
    assert check(tmp_path, data, ROOT).exit_status == 0
    refused(check(tmp_path, data, ROOT, at=END.replace(year=2030)), "key-expired")


@pytest.mark.parametrize("at", [END.replace(year=2030), START.replace(year=2020)])
def test_firmware_ignores_dates_and_the_verdict_says_so(tmp_path: Path, at: datetime) -> None:
    data = pe.signed(Program(), SIGNER)
    verdict = check(tmp_path, data, ROOT, at=at)
    assert verdict.exit_status == 0, verdict.findings
    assert codes_of(verdict) == {"certificate-validity-ignored"}
    assert check(tmp_path, data, OTHER_ROOT, at=at).exit_status == 1


def test_a_certificate_given_as_a_key_is_one(tmp_path: Path) -> None:
    image, certificate = tmp_path / "program.efi", tmp_path / "signer.pem"
    image.write_bytes(pe.signed(Program(), SIGNER))
    for holder, status in ((SIGNER, 0), (OTHER, 1)):
        certificate.write_bytes(holder.pem)
        trust = Trust().add_key(str(certificate))
        [verdict] = verify(str(image), VerifyOptions(trust, at=END.replace(year=2030)))
        assert verdict.exit_status == status, verdict.findings


def test_a_program_may_be_signed_beside_it_too(tmp_path: Path) -> None:
    """What is signed by a file beside the program is all of it, its own signatures included."""
    image, signature = tmp_path / "program.efi", tmp_path / "program.efi.sig"
    data = pe.signed(Program(), SIGNER)
    image.write_bytes(data)
    signature.write_bytes(OTHER.key.sign(data, ec.ECDSA(hashes.SHA256())))
    certificate = tmp_path / "other.pem"
    certificate.write_bytes(OTHER.pem)
    trust = Trust().add_key(str(certificate))
    request = VerifyOptions(trust, at=NOW, signatures=[str(signature)])
    [verdict] = verify(str(image), request)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.bound == len(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_bit_but_those_of_the_checksum_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    program = Program()
    made = bytearray(_SIGNED)
    skipped = {*range(program.checksum_at, program.checksum_at + 4)}
    at = data.draw(st.integers(0, len(made) - 1).filter(lambda where: where not in skipped))
    made[at] ^= 1 << data.draw(st.integers(0, 7))
    verdict = check(tmp_path_factory.mktemp("flip"), bytes(made), ROOT)
    assert verdict.exit_status == 1, (at, verdict.findings)


_SIGNED = pe.signed(Program(), SIGNER)

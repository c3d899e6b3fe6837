"""Signed updates of variables: Microsoft's, those of efitools, and forged ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cms.signed_data import read_signed_data
from assay.model.finding import AssayError
from assay.model.verdict import Verdict
from assay.uefi.authentication import TARGETS, Target, read_update
from assay.uefi.guid import GLOBAL
from assay.uefi.signature_list import read_lists
from assay.uefi.time import encode_time
from tests.signatures.support import run, tool
from tests.support.certificates import NOW, make, root
from tests.support.checking import codes_of
from tests.support.uefi import OWNER, TIME, certificates, entries, update
from tests.uefi.support import HOME, check, microsoft, vectors

PLATFORM = root("Platform Key")
KEK = make("Key Exchange Key", PLATFORM)
STRANGER = root("Stranger")
DB, DB_APPEND, DBX, DBX_APPEND = TARGETS[:4]
CONTENT = entries("SHA256", bytes(range(32)))
LATER = datetime(2027, 6, 1, tzinfo=UTC)


def verdict_on(folder: Path, data: bytes, *authorities: object, **options: object) -> Verdict:
    file = folder / "update.auth"
    file.write_bytes(data)
    return check(file, *authorities, **options)  # type: ignore[arg-type]


def refused(verdict: Verdict, code: str) -> None:
    assert verdict.exit_status == 1, verdict.findings
    assert code in codes_of(verdict)
    assert verdict.coverage.bound == 0


def note(verdict: Verdict) -> str:
    [voucher] = verdict.vouchers
    return voucher.notes["update"]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_each_variable_is_recognised_by_its_signature(tmp_path: Path, target: Target) -> None:
    verdict = verdict_on(tmp_path, update(KEK, target, CONTENT), PLATFORM)
    assert verdict.exit_status == 0, verdict.findings
    assert note(verdict) == str(target)
    assert verdict.coverage.unclaimed == 0


@pytest.mark.parametrize("options", [{"wrapped": True}, {"attributes": True}])
def test_other_forms_of_the_signature(tmp_path: Path, options: dict[str, bool]) -> None:
    data = update(KEK, DBX_APPEND, CONTENT, **options)  # type: ignore[arg-type]
    assert verdict_on(tmp_path, data, PLATFORM).exit_status == 0


def test_a_certificate_of_the_kek_itself_may_be_given(tmp_path: Path) -> None:
    assert verdict_on(tmp_path, update(KEK, DB, CONTENT), KEK).exit_status == 0


def test_an_update_that_empties_a_variable(tmp_path: Path) -> None:
    assert verdict_on(tmp_path, update(KEK, DB, b""), PLATFORM).exit_status == 0


# genuine updates


def test_every_published_update_is_signed_over_its_own_content() -> None:
    """By the certificate that each carries, as nobody has the platform keys of all makers."""
    from assay.cms.verify import fault_of
    from assay.measure.hashing import hash_bytes

    folder = vectors("secureboot-authvars")
    seen: dict[str, int] = {}
    for path in sorted(folder.rglob("*.bin")):
        data = path.read_bytes()
        made = read_update(data, path.name)
        assert read_lists(data[made.content_start :])
        signed = read_signed_data(made.signature)
        [signer] = signed.signers
        [holder] = [each for each in signed.certificates if signer.is_by(each)]
        fits = [
            str(target)
            for target in TARGETS
            if fault_of(
                signed,
                signer,
                holder.key,
                hash_bytes("sha256", target.prefix + data[:16] + data[made.content_start :]),
                certificate=holder,
            )
            is None
        ]
        assert len(fits) == 1, path
        seen[fits[0]] = seen.get(fits[0], 0) + 1
    assert seen.keys() == {"is added to KEK", "is added to db", "is added to dbx"}
    assert seen["is added to KEK"] > 300


MICROSOFTS = [
    ("DBX/amd64/DBXUpdate.bin", "is added to dbx"),
    ("DBX/arm64/DBXUpdate.bin", "is added to dbx"),
    ("Optional/DB/amd64/DBUpdate2024.bin", "is added to db"),
    ("Optional/DB/amd64/DBUpdate3P2023.bin", "is added to db"),
    ("Optional/DBX/DBXUpdateSVN.bin", "is added to dbx"),
]


@pytest.mark.parametrize(("name", "what"), MICROSOFTS)
def test_microsofts_updates_are_by_its_key_exchange_key(name: str, what: str) -> None:
    path = vectors("secureboot-authvars") / name
    authority = microsoft("KEK/Certificates/MicCorKEKCA2011_2011-06-24.der")
    verdict = check(path, authority)
    assert verdict.exit_status == 0, verdict.findings
    assert note(verdict) == what


def test_dates_count_only_where_the_user_asks() -> None:
    path = vectors("secureboot-authvars") / "DBX/amd64/DBXUpdate.bin"
    authority = microsoft("KEK/Certificates/MicCorKEKCA2011_2011-06-24.der")
    refused(check(path, authority, at=LATER, enforce_validity=True), "key-expired")
    verdict = check(path, authority, at=LATER)
    assert verdict.exit_status == 0
    assert "certificate-validity-ignored" in codes_of(verdict)


def test_microsofts_other_authorities_did_not_sign_it() -> None:
    path = vectors("secureboot-authvars") / "DBX/amd64/DBXUpdate.bin"
    authority = microsoft("DB/Certificates/MicCorUEFCA2011_2011-06-27.der")
    refused(check(path, authority), "not-vouched")


@pytest.mark.parametrize(("name", "what"), [("db", "is added to db"), ("KEK", "replaces KEK")])
def test_updates_of_go_uefi(name: str, what: str) -> None:
    folder = vectors("go-uefi") / "tests/data/signatures"
    path = folder / f"varsign/{name}.auth"
    signed = read_signed_data(read_update(path.read_bytes()).signature)
    assert signed.certificates
    own = HOME / ".cache"
    own.mkdir(exist_ok=True)
    authority = own / f"go-uefi-{name}.der"
    authority.write_bytes(signed.certificates[0].der)
    verdict = check(path, authority)
    assert verdict.exit_status == 0, verdict.findings
    assert note(verdict) == what


@pytest.mark.parametrize("flag", [(), ("-a",)])
@pytest.mark.parametrize("name", ["db", "dbx", "KEK", "PK"])
def test_what_sign_efi_sig_list_signs(tmp_path: Path, name: str, flag: tuple[str, ...]) -> None:
    signer = make("RSA Key", PLATFORM, key=_rsa())
    signer.write(tmp_path, "signer")
    (tmp_path / "list.esl").write_bytes(certificates(PLATFORM))
    run(
        tool("sign-efi-sig-list"), *flag, "-g", OWNER, "-t", "2026-03-01 12:00:00",
        "-k", "signer.key", "-c", "signer.crt", name, "list.esl", "list.auth", cwd=tmp_path,
    )  # fmt: skip
    data = (tmp_path / "list.auth").read_bytes()
    assert read_update(data).time == TIME
    verdict = verdict_on(tmp_path, data, PLATFORM, at=None)
    assert verdict.exit_status == 0, verdict.findings
    assert note(verdict) == f"{'is added to' if flag else 'replaces'} {name}"


@pytest.mark.parametrize("name", ["db", "dbx", "KEK", "PK"])
@pytest.mark.parametrize("added", [False, True])
def test_what_sbvarsign_signs(tmp_path: Path, name: str, added: bool) -> None:
    signer = make("RSA Key", PLATFORM, key=_rsa())
    signer.write(tmp_path, "signer")
    (tmp_path / "list.esl").write_bytes(certificates(PLATFORM))
    attributes = ["NON_VOLATILE", "BOOTSERVICE_ACCESS", "RUNTIME_ACCESS"]
    if added:
        attributes.append("APPEND_WRITE")
    run(
        tool("sbvarsign"), "--key", "signer.key", "--cert", "signer.crt",
        "--attr", ",".join(attributes), "--output", "list.auth", name, "list.esl", cwd=tmp_path,
    )  # fmt: skip
    data = (tmp_path / "list.auth").read_bytes()
    verdict = verdict_on(tmp_path, data, PLATFORM, at=None)
    assert verdict.exit_status == 0, verdict.findings
    assert note(verdict) == f"{'is added to' if added else 'replaces'} {name}"
    changed = bytearray(data)
    changed[-1] ^= 1
    assert verdict_on(tmp_path, bytes(changed), PLATFORM, at=None).exit_status == 1


# attacks


def test_an_update_of_another_content_under_the_same_signature(tmp_path: Path) -> None:
    """What KEKUpdate_ECS_PK1.bin of Microsoft's collection is: signed by the right key, over
    something else."""
    good = update(KEK, DB_APPEND, CONTENT)
    start = read_update(good).content_start
    refused(
        verdict_on(tmp_path, good[:start] + certificates(STRANGER), PLATFORM), "uefi-update-foreign"
    )


def test_a_time_put_in_place_of_the_signed_one(tmp_path: Path) -> None:
    """An old update, made to look newer than the one that is there (rollback)."""
    old = encode_time(datetime(2020, 1, 1, tzinfo=UTC))
    data = update(KEK, DBX, CONTENT, signed_time=old)
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-foreign")


def test_an_update_of_a_variable_of_the_vendors_own(tmp_path: Path) -> None:
    data = update(KEK, Target("Setup", GLOBAL, 0x27), CONTENT)
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-foreign")


def test_attributes_that_the_specification_does_not_give(tmp_path: Path) -> None:
    data = update(KEK, Target("db", DB.vendor, 0x07), CONTENT)
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-foreign")


def test_the_vendor_of_pk_for_a_db(tmp_path: Path) -> None:
    data = update(KEK, Target("db", GLOBAL, 0x27), CONTENT)
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-foreign")


def test_another_authority_is_not_enough(tmp_path: Path) -> None:
    refused(verdict_on(tmp_path, update(KEK, DB, CONTENT), STRANGER), "not-vouched")


def test_a_stranger_who_names_the_certificate_of_the_kek(tmp_path: Path) -> None:
    from tests.support import cms

    signed = DB.prefix + encode_time(TIME) + CONTENT
    forged = cms.signed_data(
        cms.signer(STRANGER, signed, bare=True, names=KEK), certificates=[KEK], wrapped=False
    )
    refused(
        verdict_on(tmp_path, update(KEK, DB, CONTENT, signature=forged), PLATFORM),
        "uefi-update-foreign",
    )


@pytest.mark.parametrize("digest", ["sha1", "sha384", "sha512"])
def test_a_digest_that_no_firmware_takes(tmp_path: Path, digest: str) -> None:
    signer = make("RSA Key", PLATFORM, key=_rsa())
    data = update(signer, DB, CONTENT, digest=digest)
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-malformed")


@pytest.mark.parametrize("place", [7, 8, 12, 14, 15])
def test_fields_of_the_time_that_have_to_be_zero(tmp_path: Path, place: int) -> None:
    time = bytearray(encode_time(TIME))
    time[place] = 1
    data = update(KEK, DB, CONTENT, time=bytes(time))
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-time")


@pytest.mark.parametrize("time", [bytes(16), b"\xff" * 16, encode_time(TIME)[:2] + b"\x0d" * 5])
def test_a_time_of_no_calendar(tmp_path: Path, time: bytes) -> None:
    data = update(KEK, DB, CONTENT, time=time[:7].ljust(16, b"\0"))
    refused(verdict_on(tmp_path, data, PLATFORM), "uefi-update-time")


@pytest.mark.parametrize(
    ("place", "value"), [(16, 23), (16, 0xFFFF), (20, 1), (22, 2), (24, 0), (16, 24)]
)
def test_a_certificate_header_that_cannot_be(place: int, value: int) -> None:
    data = bytearray(update(KEK, DB, CONTENT))
    data[place : place + 2] = value.to_bytes(2, "little")
    with pytest.raises(AssayError) as caught:
        read_update(bytes(data))
    assert caught.value.finding.code == "uefi-update-malformed"
    assert caught.value.finding.offset is not None


def test_a_length_that_takes_a_part_of_the_content_into_the_signature(tmp_path: Path) -> None:
    data = bytearray(update(KEK, DB, CONTENT))
    longer = int.from_bytes(data[16:20], "little") + 28
    data[16:20] = longer.to_bytes(4, "little")
    refused(verdict_on(tmp_path, bytes(data), PLATFORM), "signature-malformed")


def test_a_signed_content_that_is_no_signature_list(tmp_path: Path) -> None:
    data = update(KEK, DB, b"no list")
    verdict = verdict_on(tmp_path, data, PLATFORM)
    assert verdict.exit_status == 1
    assert "uefi-signature-list" in codes_of(verdict)


def test_two_signers(tmp_path: Path) -> None:
    from tests.support import cms

    signed = DB.prefix + encode_time(TIME) + CONTENT
    both = cms.signed_data(
        cms.signer(KEK, signed, bare=True),
        cms.signer(STRANGER, signed, bare=True),
        certificates=[KEK, STRANGER],
        wrapped=False,
    )
    refused(
        verdict_on(tmp_path, update(KEK, DB, CONTENT, signature=both), PLATFORM),
        "signature-malformed",
    )


_GOOD = update(KEK, DBX_APPEND, CONTENT)


_START = read_update(_GOOD).content_start


@given(st.sampled_from([*range(40), *range(_START, len(_GOOD))]), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_any_bit_that_is_flipped_outside_of_the_signature_is_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    changed = bytearray(_GOOD)
    changed[place] ^= 1 << bit
    verdict = verdict_on(tmp_path_factory.mktemp("flip"), bytes(changed), PLATFORM)
    assert verdict.exit_status == 1
    assert verdict.coverage.bound == 0


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for each in (data, _GOOD[:40] + data):
        try:
            read_update(each)
        except AssayError as error:
            assert error.finding.code.startswith("uefi-update")  # noqa: PT017


def _rsa() -> object:
    from tests.support.certificates import key_of

    return key_of("rsa2048")


assert NOW > TIME

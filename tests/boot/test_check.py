"""Would it boot? Named after what may be wrong, with programs made here."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.boot import Outcome, Role
from assay.model.finding import UsageError
from assay.report.boot import render, render_json
from assay.report.schemas import text_of
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, SHIM_LOCK
from assay.uefi.sbat import parse_level
from tests.boot.boot_support import (
    AUTHORITY,
    LEVEL,
    PLATFORM,
    PUBLISHER,
    SIGNER,
    STRANGER,
    VENDOR,
    ask,
    ask_of,
    digest_list,
    errors,
    generations,
    grub,
    kernel,
    link,
    machine,
    mok,
    partition,
    program,
    shim,
    unified,
    warnings,
)
from tests.support import pe, uefi
from tests.support.certificates import NOW, START, make, root
from tests.support.pe import Program

PLAIN = program(code=b"plain")
SIGNED = pe.signed(PLAIN, PUBLISHER)


def refused(answer: object, *codes: str) -> None:
    assert answer.exit_status == 1, answer  # type: ignore[attr-defined]
    assert set(codes) <= errors(answer)  # type: ignore[arg-type]


# one program, by firmware


def test_a_program_below_an_authority_in_db(tmp_path: Path) -> None:
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    [found] = answer.links
    [ground] = found.allowed_by
    assert (ground.database, ground.kind, ground.entry) == ("db", "certificate", "list[0]/entry[0]")
    assert "Firmware Authority" in ground.name
    assert "Publisher of Shims" in ground.signer
    assert found.checked_by == "firmware"
    assert found.digest == "sha256:" + PLAIN.digest(SIGNED).hex()


def test_a_program_whose_signer_is_in_db_by_itself(tmp_path: Path) -> None:
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, uefi.certificates(PUBLISHER)))
    assert answer.exit_status == 0, answer.findings


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_an_unsigned_program_whose_digest_is_in_db(tmp_path: Path, algorithm: str) -> None:
    data = PLAIN.unsigned()
    data += bytes(-len(data) % 8)
    answer = ask_of(tmp_path, data, machine(tmp_path, digest_list(PLAIN, algorithm=algorithm)))
    assert answer.exit_status == 0, answer.findings
    assert answer.links[0].allowed_by[0].kind == "hash"


def test_a_program_below_an_authority_that_the_machine_does_not_have(tmp_path: Path) -> None:
    answer = ask_of(tmp_path, pe.signed(PLAIN, STRANGER), machine(tmp_path))
    refused(answer, "boot-not-allowed")
    assert "Stranger" in answer.findings[-1].detail


def test_an_unsigned_program(tmp_path: Path) -> None:
    refused(ask_of(tmp_path, PLAIN.unsigned(), machine(tmp_path)), "boot-not-signed")


def test_one_allowed_signature_of_two_suffices(tmp_path: Path) -> None:
    for holders in ((STRANGER, PUBLISHER), (PUBLISHER, STRANGER)):
        answer = ask_of(tmp_path, pe.signed(PLAIN, *holders), machine(tmp_path))
        assert answer.exit_status == 0, answer.findings
        assert len(answer.links[0].allowed_by) == 1


def test_an_expired_authority_refuses_nothing_by_itself(tmp_path: Path) -> None:
    late = datetime(2099, 1, 1, tzinfo=UTC)
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path), at=late)
    assert answer.exit_status == 0, answer.findings
    assert "boot-certificate-expired" in {each.code for each in answer.findings}
    early = ask_of(tmp_path, SIGNED, machine(tmp_path), at=START.replace(year=2001))
    assert early.exit_status == 0


# revocation


def test_revoked_by_hash(tmp_path: Path) -> None:
    for algorithm in ("sha256", "sha384", "sha512"):
        dbx = digest_list(PLAIN, algorithm=algorithm)
        answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=dbx))
        refused(answer, "boot-revoked-hash")
        [ground] = answer.links[0].refused_by
        assert (ground.database, ground.kind) == ("dbx", "hash")


def test_revoked_by_hash_wins_over_a_hash_in_db(tmp_path: Path) -> None:
    made = digest_list(PLAIN)
    refused(ask_of(tmp_path, SIGNED, machine(tmp_path, made, made)), "boot-revoked-hash")


@pytest.mark.parametrize("holder", [PUBLISHER, AUTHORITY])
def test_revoked_by_certificate(tmp_path: Path, holder: object) -> None:
    dbx = uefi.certificates(holder)  # type: ignore[arg-type]
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=dbx))
    refused(answer, "boot-revoked-certificate")
    assert answer.links[0].refused_by[0].database == "dbx"


def test_revoked_by_a_certificate_between_signer_and_authority(tmp_path: Path) -> None:
    between = make("Between", AUTHORITY, ca=True)
    signer = make("Signer Below", between)
    data = pe.signed(PLAIN, signer, certificates=[between])
    assert ask_of(tmp_path, data, machine(tmp_path)).exit_status == 0
    answer = ask_of(tmp_path, data, machine(tmp_path, dbx=uefi.certificates(between)))
    refused(answer, "boot-revoked-certificate")


def test_a_revoked_certificate_that_the_signature_does_not_bring_along(tmp_path: Path) -> None:
    """The authority is in dbx, and nowhere in the program."""
    between = make("Between", AUTHORITY, ca=True)
    data = pe.signed(PLAIN, make("Signer Below", between))
    db = uefi.certificates(between)
    assert ask_of(tmp_path, data, machine(tmp_path, db)).exit_status == 0
    answer = ask_of(tmp_path, data, machine(tmp_path, db, uefi.certificates(AUTHORITY)))
    refused(answer, "boot-revoked-certificate")


@pytest.mark.parametrize("holder", [PUBLISHER, AUTHORITY])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_revoked_by_tbs_hash(tmp_path: Path, holder: object, algorithm: str) -> None:
    tbs = holder.certificate.tbs  # type: ignore[attr-defined]
    dbx = uefi.revoked(hashlib.new(algorithm, tbs).digest())
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=dbx))
    refused(answer, "boot-revoked-certificate-hash")
    assert answer.links[0].refused_by[0].kind == "certificate hash"


def test_revoked_by_tbs_hash_from_a_time_on_without_a_time_stamp(tmp_path: Path) -> None:
    """That a signature is older takes a time stamp; what the signer says of it counts for
    nothing."""
    dbx = uefi.revoked(hashlib.sha256(PUBLISHER.certificate.tbs).digest(), NOW.replace(year=2090))
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=dbx))
    refused(answer, "boot-revoked-certificate-hash")
    assert "from 2090" in answer.findings[0].detail


def test_the_hash_of_the_whole_certificate_is_no_tbs_hash(tmp_path: Path) -> None:
    dbx = uefi.revoked(hashlib.sha256(PUBLISHER.der).digest())
    assert ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=dbx)).exit_status == 0


def test_a_revoked_signature_refuses_whatever_else_is_on_the_program(tmp_path: Path) -> None:
    """Firmware looks at each signature, and one that is revoked is enough."""
    data = pe.signed(PLAIN, PUBLISHER, STRANGER)
    answer = ask_of(tmp_path, data, machine(tmp_path, dbx=uefi.certificates(STRANGER)))
    refused(answer, "boot-revoked-certificate")
    assert answer.links[0].allowed_by


def test_an_update_of_dbx_is_tried_before_it_is_enrolled(tmp_path: Path) -> None:
    from assay.uefi.authentication import TARGETS

    update = tmp_path / "DBXUpdate.bin"
    update.write_bytes(uefi.update(PLATFORM, TARGETS[3], digest_list(PLAIN)))
    firmware = machine(tmp_path)
    assert ask_of(tmp_path, SIGNED, firmware).exit_status == 0
    refused(ask_of(tmp_path, SIGNED, firmware, update), "boot-revoked-hash")
    refused(ask_of(tmp_path, SIGNED, firmware, f"dbx={update}"), "boot-revoked-hash")


def _update(folder: Path, signer: object, target: int, content: bytes, **more: object) -> Path:
    from assay.uefi.authentication import TARGETS

    path = folder / f"{TARGETS[target].name}-update.auth"
    path.write_bytes(uefi.update(signer, TARGETS[target], content, **more))  # type: ignore[arg-type]
    return path


DB, DB_MORE, DBX, DBX_MORE = range(4)


def test_an_update_that_replaces_takes_what_was_there_away(tmp_path: Path) -> None:
    firmware = machine(tmp_path)
    update = _update(tmp_path, PLATFORM, DB, uefi.certificates(STRANGER))
    refused(ask_of(tmp_path, SIGNED, firmware, update), "boot-not-allowed")
    more = _update(tmp_path, PLATFORM, DB_MORE, uefi.certificates(STRANGER))
    assert ask_of(tmp_path, SIGNED, firmware, more).exit_status == 0
    assert ask_of(tmp_path, pe.signed(PLAIN, STRANGER), firmware, more).exit_status == 0


def test_an_update_that_the_machine_would_not_take_changes_nothing(tmp_path: Path) -> None:
    """By another key than KEK and PK; of other content; for another database than it is given
    for."""
    firmware = machine(tmp_path)
    stranger = _update(tmp_path, STRANGER, DB_MORE, uefi.certificates(STRANGER))
    for named in (stranger, f"db={stranger}"):
        answer = ask_of(tmp_path, pe.signed(PLAIN, STRANGER), firmware, named)
        refused(answer, "boot-not-allowed")
        assert "boot-update-refused" in warnings(answer)
    forged = tmp_path / "db.auth"
    good = _update(tmp_path, PLATFORM, DB_MORE, b"").read_bytes()
    forged.write_bytes(good + uefi.certificates(STRANGER))
    answer = ask_of(tmp_path, pe.signed(PLAIN, STRANGER), firmware, forged)
    refused(answer, "boot-not-allowed")
    assert "boot-update-refused" in warnings(answer)
    other = _update(tmp_path, PLATFORM, DBX_MORE, uefi.certificates(STRANGER))
    answer = ask_of(tmp_path, pe.signed(PLAIN, STRANGER), firmware, f"db={other}")
    refused(answer, "boot-not-allowed")
    assert "boot-update-refused" in warnings(answer)


def test_rollback_of_a_database_by_an_old_update(tmp_path: Path) -> None:
    """An update that replaces dbx by an older one; one that adds may be of any time."""
    from assay.uefi.time import encode_time

    firmware = tmp_path / "vars.fd"
    dbx = uefi.variable("dbx", IMAGE_SECURITY, digest_list(PLAIN), time=uefi.TIME)
    db = uefi.variable("db", IMAGE_SECURITY, uefi.certificates(AUTHORITY), time=uefi.TIME)
    pk = uefi.variable("PK", GLOBAL, uefi.certificates(PLATFORM), time=uefi.TIME)
    firmware.write_bytes(uefi.volume(*map(uefi.record, (pk, db, dbx))))
    old, new = encode_time(datetime(2020, 1, 1, tzinfo=UTC)), encode_time(NOW)
    for time in (old, encode_time(uefi.TIME)):
        update = _update(tmp_path, PLATFORM, DBX, digest_list(kernel()), time=time)
        answer = ask_of(tmp_path, SIGNED, firmware, update)
        refused(answer, "boot-revoked-hash")
        assert "boot-update-refused" in warnings(answer)
    update = _update(tmp_path, PLATFORM, DBX, digest_list(kernel()), time=new)
    assert ask_of(tmp_path, SIGNED, firmware, update).exit_status == 0
    update = _update(tmp_path, PLATFORM, DBX_MORE, digest_list(kernel()), time=old)
    data = pe.signed(kernel(), PUBLISHER)
    refused(ask_of(tmp_path, data, firmware, update), "boot-revoked-hash")


def test_revoked_by_tbs_hash_from_a_time_on_with_an_older_time_stamp(tmp_path: Path) -> None:
    """What an authority in dbt proves to be older than the revocation is spared."""
    from assay.cms.signed_data import read_signed_data
    from tests.support import cms

    clock = root("Clock Authority")
    stamper = make("Clock", clock, eku=["1.3.6.1.5.5.7.3.8"], eku_critical=True)
    data = PLAIN.unsigned()
    data += bytes(-len(data) % 8)
    plain = pe.signature(PUBLISHER, PLAIN.digest(data))
    value = read_signed_data(plain).signers[0].signature
    token = cms.timestamp(stamper, value)
    unsigned = cms.attribute("1.2.840.113549.1.9.16.2.14", token)
    signer = read_signed_data(plain).signers[0]
    made = pe.signature(
        PUBLISHER, PLAIN.digest(data), unsigned=[unsigned], signature=signer.signature
    )
    program_data = pe.with_table(PLAIN, data, pe.entry(made))
    tbs = hashlib.sha256(PUBLISHER.certificate.tbs).digest()
    later, earlier = NOW.replace(year=NOW.year + 1), NOW.replace(year=NOW.year - 1)
    for since, trusted, status in (
        (later, True, 0), (earlier, True, 1), (later, False, 1), (None, True, 1)
    ):  # fmt: skip
        more = [("dbt", IMAGE_SECURITY, uefi.certificates(clock))] if trusted else []
        firmware = machine(tmp_path, dbx=uefi.revoked(tbs, since), more=more)
        answer = ask_of(tmp_path, program_data, firmware)
        assert answer.exit_status == status, (since, trusted, answer.findings)


def test_a_second_section_that_decides(tmp_path: Path) -> None:
    """Two SBAT sections, of which shim and a verifier might take one each."""
    made = program((".sbat", generations("grub,4")), (".sbat", generations("grub,5")))
    refused(ask_of(tmp_path, pe.signed(made, PUBLISHER), machine(tmp_path)), "pe-malformed")


def test_every_command_line_of_an_image_with_profiles_counts(tmp_path: Path) -> None:
    first, second = b"roothash=" + b"ab" * 32, b"roothash=" + b"cd" * 32
    made = program(
        (".linux", b"k"), (".cmdline", first), (".profile", b"ID=a"), (".cmdline", second)
    )
    answer = ask_of(tmp_path, pe.signed(made, PUBLISHER), machine(tmp_path))
    roots = [each.digest for each in answer.links if each.role is Role.ROOT]
    assert roots == ["ab" * 32, "cd" * 32]


# signatures and programs that do not belong together


def test_mix_and_match_of_signature_and_binary(tmp_path: Path) -> None:
    stolen = pe.signature(PUBLISHER, PLAIN.digest(PLAIN.unsigned()))
    other = kernel()
    data = pe.with_table(other, other.unsigned(), pe.entry(stolen))
    answer = ask_of(tmp_path, data, machine(tmp_path))
    refused(answer, "boot-signature-foreign")
    assert not answer.links[0].allowed_by


def test_a_changed_byte(tmp_path: Path) -> None:
    data = bytearray(SIGNED)
    data[0x410] ^= 1
    refused(ask_of(tmp_path, bytes(data), machine(tmp_path)), "boot-signature-foreign")


def test_a_foreign_signature_beside_a_good_one_is_told(tmp_path: Path) -> None:
    """Firmware passes it over; a person should know all the same."""
    data = PLAIN.unsigned()
    data += bytes(-len(data) % 8)
    table = pe.entry(pe.signature(PUBLISHER, bytes(32))) + pe.entry(
        pe.signature(PUBLISHER, PLAIN.digest(data))
    )
    answer = ask_of(tmp_path, pe.with_table(PLAIN, data, table), machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    assert "boot-signature-foreign" in warnings(answer)


def test_a_forged_signature_that_names_the_publisher(tmp_path: Path) -> None:
    forged = pe.signature(
        STRANGER, PLAIN.digest(PLAIN.unsigned()), names=PUBLISHER, certificates=[PUBLISHER]
    )
    data = pe.with_table(PLAIN, PLAIN.unsigned(), pe.entry(forged))
    answer = ask_of(tmp_path, data, machine(tmp_path))
    refused(answer, "boot-not-allowed")
    assert "boot-signature-invalid" in warnings(answer)


def test_a_signature_over_sha_1(tmp_path: Path) -> None:
    from tests.support.certificates import key_of

    old = make("Old", AUTHORITY, key=key_of("rsa2048"))
    answer = ask_of(tmp_path, pe.signed(PLAIN, old, algorithm="sha1"), machine(tmp_path))
    refused(answer, "boot-not-allowed")


def test_overlapping_sections_are_refused_whoever_signed(tmp_path: Path) -> None:
    made = Program(sections=((".text", 0x400, bytes(512)), (".evil", 0x500, bytes(512))))
    refused(ask_of(tmp_path, pe.signed(made, PUBLISHER), machine(tmp_path)), "pe-sections-overlap")


def test_data_appended_behind_the_signatures(tmp_path: Path) -> None:
    answer = ask_of(tmp_path, SIGNED + b"appended", machine(tmp_path))
    refused(answer, "pe-certificate-table")


# the chain


def test_the_whole_chain(tmp_path: Path) -> None:
    answer = ask(partition(tmp_path), machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    assert [(each.role, each.checked_by) for each in answer.links] == [
        (Role.SHIM, "firmware"),
        (Role.BOOT_LOADER, "EFI/vendor/shimx64.efi"),
        (Role.KERNEL, "EFI/vendor/shimx64.efi"),
    ]
    assert link(answer, "grubx64.efi").allowed_by[0].database == "vendor certificate"


def test_what_firmware_starts_by_itself_needs_more_than_a_shim_elsewhere(tmp_path: Path) -> None:
    """The default boot loader, and one in a directory without a shim, are firmware's to judge."""
    for name in ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"):
        esp = partition(tmp_path / name.replace("/", "-"))
        (esp / name).parent.mkdir()
        (esp / name).write_bytes(pe.signed(grub(), SIGNER))
        answer = ask(esp, machine(tmp_path))
        refused(answer, "boot-not-allowed")
        assert link(answer, name).checked_by == "firmware"


def test_a_shim_that_the_machine_refuses_takes_all_behind_it_along(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_shim=pe.signed(shim(), STRANGER))
    answer = ask(esp, machine(tmp_path))
    refused(answer, "boot-not-allowed")
    assert {each.outcome for each in answer.links} == {Outcome.REFUSED}
    assert "shimx64.efi, which looks at it, is refused" in link(answer, "grubx64.efi").detail


def test_a_boot_loader_that_the_shim_does_not_trust(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_grub=pe.signed(grub(), STRANGER))
    answer = ask(esp, machine(tmp_path))
    refused(answer, "boot-not-allowed")
    assert link(answer, "shimx64.efi").outcome is Outcome.ALLOWED
    assert link(answer, "grubx64.efi").outcome is Outcome.REFUSED


def test_the_owner_of_the_machine_may_allow_more(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_kernel=pe.signed(kernel(), STRANGER))
    for name in ("MokList", "MokListRT", "MokListRT1"):
        answer = ask(esp, machine(tmp_path, more=[mok(name, STRANGER)]))
        assert answer.exit_status == 0, answer.findings
        assert link(answer, "kernel.efi").allowed_by[0].database == "MokList"


def test_a_key_for_modules_allows_no_programs(tmp_path: Path) -> None:
    """What DKMS enrols with this purpose may sign modules; shim does not take it for more."""
    purpose = "1.3.6.1.4.1.2312.16.1.2"
    for eku, status in (((), 0), (("1.3.6.1.5.5.7.3.3", purpose), 1)):
        owner = make("Owner", eku=eku)
        esp = partition(tmp_path, with_kernel=pe.signed(kernel(), owner))
        answer = ask(esp, machine(tmp_path, more=[mok("MokList", owner)]))
        assert answer.exit_status == status, answer.findings


def test_the_moklist_is_not_for_firmware(tmp_path: Path) -> None:
    firmware = machine(tmp_path, more=[mok("MokList", STRANGER)])
    refused(ask_of(tmp_path, pe.signed(PLAIN, STRANGER), firmware), "boot-not-allowed")


def test_the_vendor_certificate_is_not_for_firmware(tmp_path: Path) -> None:
    """A kernel by the distribution, with no shim before it."""
    refused(ask_of(tmp_path, pe.signed(kernel(), SIGNER), machine(tmp_path)), "boot-not-allowed")


def test_through_a_shim(tmp_path: Path) -> None:
    first = tmp_path / "shim.efi"
    first.write_bytes(pe.signed(shim(), PUBLISHER))
    answer = ask_of(tmp_path, pe.signed(kernel(), SIGNER), machine(tmp_path), through=[str(first)])
    assert answer.exit_status == 0, answer.findings
    assert [each.checked_by for each in answer.links] == ["firmware", "shim.efi"]


def test_a_vendor_db_of_lists(tmp_path: Path) -> None:
    lists = uefi.certificates(VENDOR) + digest_list(PLAIN)
    esp = partition(tmp_path, with_shim=pe.signed(shim(lists), PUBLISHER))
    answer = ask(esp, machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    assert link(answer, "grubx64.efi").allowed_by[0].database == "vendor_db"


@pytest.mark.parametrize("place", ["vendor_dbx", "MokListX", "dbx"])
def test_a_kernel_that_is_revoked_by_hash_anywhere(tmp_path: Path, place: str) -> None:
    made = digest_list(kernel())
    inside = made if place == "vendor_dbx" else b""
    esp = partition(tmp_path, with_shim=pe.signed(shim(b"", inside), PUBLISHER))
    more = [mok("MokListX", lists=made)] if place == "MokListX" else []
    answer = ask(esp, machine(tmp_path, dbx=made if place == "dbx" else b"", more=more))
    refused(answer, "boot-revoked-hash")
    assert link(answer, "kernel.efi").refused_by[0].database == place


def test_shim_looks_at_the_next_signature_where_one_is_revoked(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_kernel=pe.signed(kernel(), STRANGER, SIGNER))
    answer = ask(esp, machine(tmp_path, dbx=uefi.certificates(STRANGER)))
    assert answer.exit_status == 0, answer.findings
    assert "boot-revoked-certificate" in warnings(answer)


def test_a_shim_that_was_told_not_to_go_by_db(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_kernel=pe.signed(kernel(), PUBLISHER))
    assert ask(esp, machine(tmp_path)).exit_status == 0
    refused(ask(esp, machine(tmp_path, more=[("MokDBState", SHIM_LOCK, b"\1")])))


def test_a_unified_kernel_image_names_the_root_that_it_vouches_for(tmp_path: Path) -> None:
    made = unified(b"quiet roothash=" + b"ab" * 32 + b" rw")
    answer = ask_of(tmp_path, pe.signed(made, PUBLISHER), machine(tmp_path))
    assert answer.exit_status == 0, answer.findings
    root_link = link(answer, "roothash")
    assert (root_link.role, root_link.digest) == (Role.ROOT, "ab" * 32)
    refused_answer = ask_of(tmp_path, pe.signed(made, STRANGER), machine(tmp_path))
    assert link(refused_answer, "roothash").outcome is Outcome.REFUSED


# SBAT


def test_sbat_rollback(tmp_path: Path) -> None:
    """An old boot loader with a good signature: the shim's own level does not take it."""
    esp = partition(tmp_path, with_grub=pe.signed(grub(4), SIGNER))
    answer = ask(esp, machine(tmp_path))
    refused(answer, "sbat-revoked")
    assert link(answer, "grubx64.efi").refused_by[0].name == "grub,4"


def test_sbat_rollback_of_the_level_itself(tmp_path: Path) -> None:
    """An older level among the variables does not take the place of the shim's own."""
    old = ("SbatLevel", SHIM_LOCK, b"sbat,1,2021030218\n")
    esp = partition(tmp_path, with_grub=pe.signed(grub(4), SIGNER))
    refused(ask(esp, machine(tmp_path, more=[old])), "sbat-revoked")


def test_sbat_level_of_the_machine(tmp_path: Path) -> None:
    new = ("SbatLevelRT", SHIM_LOCK, b"sbat,1,2027010100\nshim,4\ngrub,6\n")
    answer = ask(partition(tmp_path), machine(tmp_path, more=[new]))
    refused(answer, "sbat-revoked")
    assert "2027010100" in link(answer, "grubx64.efi").sbat_level


def test_sbat_level_that_revokes_the_shim_itself(tmp_path: Path) -> None:
    level = parse_level(b"sbat,1,2027010100\nshim,5\n", "given")
    answer = ask(partition(tmp_path), machine(tmp_path), levels=[level])
    refused(answer, "sbat-revoked")
    assert link(answer, "shimx64.efi").refused_by[0].name == "shim,4"


def test_a_boot_loader_without_sbat_data_and_a_kernel_without(tmp_path: Path) -> None:
    bare = program((".sdmagic", b"#### LoaderInfo"), code=b"loader")
    refused(ask(partition(tmp_path, with_grub=pe.signed(bare, SIGNER)), machine(tmp_path)),
            "sbat-missing")  # fmt: skip


def test_sbat_data_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    bare = program((".sbat", b"nothing of the kind"), (".sdmagic", b"x"), code=b"loader")
    refused(ask(partition(tmp_path, with_grub=pe.signed(bare, SIGNER)), machine(tmp_path)),
            "sbat-missing")  # fmt: skip


# the machine


@pytest.mark.parametrize(
    ("name", "vendor", "data"),
    [
        ("SecureBoot", GLOBAL, b"\0"),
        ("SetupMode", GLOBAL, b"\1"),
        ("SecureBootEnable", "f0a30bc7-af08-4556-99c4-001009c93a44", b"\0"),
        ("PK", GLOBAL, b""),
    ],
)
def test_a_machine_that_does_not_enforce_it(
    tmp_path: Path, name: str, vendor: str, data: bytes
) -> None:
    records = [uefi.record(uefi.variable("db", IMAGE_SECURITY, uefi.certificates(AUTHORITY)))]
    if name != "PK":
        records.append(uefi.record(uefi.variable(name, vendor, data, attributes=7)))
        records.append(uefi.record(uefi.variable("PK", GLOBAL, uefi.certificates(AUTHORITY))))
    path = tmp_path / "vars.fd"
    path.write_bytes(uefi.volume(*records))
    answer = ask_of(tmp_path, SIGNED, path)
    assert answer.exit_status == 0
    assert not answer.enforced
    assert "boot-not-enforced" in warnings(answer)
    refused(ask_of(tmp_path, pe.signed(PLAIN, STRANGER), path), "boot-not-allowed")


def test_a_shim_that_was_told_not_to_look(tmp_path: Path) -> None:
    answer = ask(partition(tmp_path), machine(tmp_path, more=[("MokSBState", SHIM_LOCK, b"\1")]))
    assert "boot-not-enforced" in warnings(answer)


def test_a_machine_without_keys(tmp_path: Path) -> None:
    empty = tmp_path / "empty.fd"
    empty.write_bytes(uefi.volume())
    answer = ask_of(tmp_path, SIGNED, empty)
    assert answer.exit_status == 3
    assert errors(answer) == {"boot-no-database"}
    empty.write_bytes(bytes(4096))
    assert ask_of(tmp_path, SIGNED, empty).exit_status == 3


def test_a_dbx_alone_allows_nothing(tmp_path: Path) -> None:
    dbx = tmp_path / "dbx.esl"
    dbx.write_bytes(digest_list(kernel()))
    assert ask_of(tmp_path, SIGNED, dbx).exit_status == 3


def test_a_database_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=b"damaged"))
    assert answer.exit_status == 3
    assert errors(answer) == {"boot-variable-unreadable"}


def test_a_certificate_that_cannot_be_read_allows_nothing_and_may_revoke(tmp_path: Path) -> None:
    bad = uefi.entries("X509", b"no certificate")
    db = uefi.certificates(AUTHORITY) + bad
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, db))
    assert answer.exit_status == 0
    assert "uefi-entry-unreadable" in warnings(answer)
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path, dbx=bad))
    assert answer.exit_status == 3
    assert errors(answer) == {"boot-variable-unreadable"}


def test_files_that_are_given_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "db.esl").write_bytes(uefi.certificates(AUTHORITY))
    (tmp_path / "dbx.esl").write_bytes(digest_list(kernel()))
    (tmp_path / "authority.pem").write_bytes(AUTHORITY.pem)
    (tmp_path / "authority.der").write_bytes(AUTHORITY.der)
    (tmp_path / f"db-{IMAGE_SECURITY}").write_bytes(b"\x27\0\0\0" + uefi.certificates(AUTHORITY))
    for name in ("db.esl", f"db-{IMAGE_SECURITY}"):
        answer = ask_of(tmp_path, SIGNED, tmp_path / name, tmp_path / "dbx.esl")
        assert answer.exit_status == 0, answer.findings
    for name in ("authority.pem", "authority.der"):
        assert ask_of(tmp_path, SIGNED, f"db={tmp_path / name}").exit_status == 0
        with pytest.raises(UsageError, match="which database"):
            ask_of(tmp_path, SIGNED, tmp_path / name)


def test_a_directory_of_variables(tmp_path: Path) -> None:
    folder = tmp_path / "efivars"
    folder.mkdir()
    (folder / f"db-{IMAGE_SECURITY}").write_bytes(b"\x27\0\0\0" + uefi.certificates(AUTHORITY))
    (folder / f"SecureBoot-{GLOBAL}").write_bytes(b"\x06\0\0\0\1")
    (folder / f"SbatLevelRT-{SHIM_LOCK}").write_bytes(b"\x06\0\0\0" + LEVEL)
    answer = ask(partition(tmp_path), folder)
    assert answer.exit_status == 0, answer.findings
    assert answer.enforced


def test_a_variable_that_does_not_say_what_may_boot(tmp_path: Path) -> None:
    other = tmp_path / f"Boot0000-{GLOBAL}"
    other.write_bytes(b"\7\0\0\0data")
    with pytest.raises(UsageError, match="does not say what may boot"):
        ask_of(tmp_path, SIGNED, other)


@pytest.mark.parametrize("content", [b"", b"no variables", bytes(range(256))])
def test_a_file_that_is_no_firmware(tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "vars"
    bad.write_bytes(content or b"x")
    with pytest.raises(UsageError, match="--firmware"):
        ask_of(tmp_path, SIGNED, bad)
    with pytest.raises(UsageError, match="--firmware"):
        ask_of(tmp_path, SIGNED, tmp_path / "missing")


# the image


def test_an_image_without_programs(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    answer = ask(tmp_path / "dir", machine(tmp_path))
    assert answer.exit_status == 3
    assert errors(answer) == {"boot-nothing-found"}
    assert ask_of(tmp_path, b"nothing", machine(tmp_path)).exit_status == 3
    assert ask(tmp_path / "missing", machine(tmp_path)).exit_status == 3


def test_programs_for_another_system_are_none_that_firmware_starts(tmp_path: Path) -> None:
    esp = partition(tmp_path)
    data = bytearray(PLAIN.unsigned())
    assert data[pe.OPTIONAL + 68] == 10
    data[pe.OPTIONAL + 68] = 3  # Windows console
    (esp / "setup.exe").write_bytes(data)
    assert ask(esp, machine(tmp_path)).exit_status == 0
    assert ask(esp / "setup.exe", machine(tmp_path)).exit_status == 1


def test_links_in_a_directory_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.efi"
    outside.write_bytes(pe.signed(PLAIN, STRANGER))
    esp = partition(tmp_path)
    (esp / "link.efi").symlink_to(outside)
    assert ask(esp, machine(tmp_path)).exit_status == 0


def test_an_unsigned_program_beside_the_chain_is_not_passed_over(tmp_path: Path) -> None:
    esp = partition(tmp_path)
    (esp / "EFI/BOOT").mkdir()
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(PLAIN.unsigned())
    refused(ask(esp, machine(tmp_path)))


# what is written


def test_text_and_json(tmp_path: Path) -> None:
    esp = partition(tmp_path, with_grub=pe.signed(grub(4), SIGNER))
    answer = ask(esp, machine(tmp_path))
    text = render(answer)
    assert text.startswith("REFUSED")
    for part in ("shimx64.efi", "Vendor Authority", "sbat-revoked", "level 2025021800"):
        assert part in text
    document = json.loads(render_json([answer]))
    jsonschema.validate(document, json.loads(text_of("boot-check-1")))
    assert document["checks"][0]["exit_status"] == 1


def test_no_escape_code_of_a_certificate_reaches_the_terminal(tmp_path: Path) -> None:
    evil = root("Evil\x1b[2JAuthority")
    data = pe.signed(PLAIN, make("Evil\x1b]0;x\x07Signer", evil))
    for firmware in (machine(tmp_path), machine(tmp_path, uefi.certificates(evil))):
        assert "\x1b" not in render(ask_of(tmp_path, data, firmware))


_MACHINE: dict[str, Path] = {}


@given(st.integers(0, 8 * len(SIGNED) - 1))
@settings(max_examples=60, deadline=None)
def test_any_bit_that_is_flipped_in_what_is_signed_is_refused(
    tmp_path_factory: pytest.TempPathFactory, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    changed = bytearray(SIGNED)
    changed[bit // 8] ^= 1 << bit % 8
    answer = ask_of(folder, bytes(changed), machine(folder))
    table = len(PLAIN.unsigned()) + -len(PLAIN.unsigned()) % 8
    checksum = range(PLAIN.checksum_at, PLAIN.checksum_at + 4)
    if bit // 8 < table and bit // 8 not in checksum:
        assert answer.exit_status != 0, bit


@given(st.binary(max_size=2000))
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_an_answer(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    for each in (data, SIGNED[:0x400] + data, SIGNED[: len(PLAIN.unsigned())] + data):
        assert ask_of(folder, each, machine(folder)).exit_status != 0


def test_generations_are_told(tmp_path: Path) -> None:
    assert generations("grub,5").count(b"\n") == 2
    answer = ask(partition(tmp_path), machine(tmp_path))
    assert link(answer, "grubx64.efi").sbat == ("sbat,1", "grub,5")

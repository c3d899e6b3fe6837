"""Programs made so that two verifiers see different things, each named after the attack."""

from __future__ import annotations

import hashlib
import struct
import uuid
from pathlib import Path

import pytest

from assay.model.finding import Severity
from tests.formats.pe.test_authenticode import (
    OTHER,
    OTHER_ROOT,
    ROOT,
    SIGNER,
    check,
    refused,
)
from tests.support import cms, pe
from tests.support.certificates import make
from tests.support.checking import codes_of
from tests.support.pe import Program

TEXT, DATA = (".text", 0x400, bytes(range(256)) * 2), (".data", 0x600, b"assay" * 100 + bytes(12))


def test_overlapping_sections(tmp_path: Path) -> None:
    program = Program(sections=(TEXT, (".evil", 0x500, bytes(256) + DATA[2])))
    refused(check(tmp_path, pe.signed(program, SIGNER), ROOT), "pe-sections-overlap")


def test_one_section_within_another(tmp_path: Path) -> None:
    sections = (TEXT, DATA, (".evil", 0x480, b"\xcc" * 16))
    refused(
        check(tmp_path, pe.signed(Program(sections=sections), SIGNER), ROOT), "pe-sections-overlap"
    )


def test_a_section_that_overlaps_the_headers(tmp_path: Path) -> None:
    sections = (TEXT, (".evil", 0x3F0, bytes(16)))
    refused(
        check(tmp_path, pe.signed(Program(sections=sections), SIGNER), ROOT), "pe-sections-overlap"
    )


def test_data_in_a_gap_between_sections_is_not_covered(tmp_path: Path) -> None:
    program = Program(sections=(TEXT, (".data", 0x800, DATA[2])))
    verdict = check(tmp_path, pe.signed(program, SIGNER), ROOT)
    refused(verdict, "pe-gap")
    assert verdict.coverage.unclaimed == 0x200


def test_a_gap_between_headers_and_sections(tmp_path: Path) -> None:
    program = Program(sections=((".text", 0x600, TEXT[2]),))
    refused(check(tmp_path, pe.signed(program, SIGNER), ROOT), "pe-gap")


def test_sections_in_another_order_than_in_the_file_are_hashed_in_that_of_the_file(
    tmp_path: Path,
) -> None:
    verdict = check(tmp_path, pe.signed(Program(sections=(DATA, TEXT)), SIGNER), ROOT)
    assert verdict.exit_status == 0, verdict.findings


def test_data_after_the_sections_is_signed_and_said(tmp_path: Path) -> None:
    data = pe.signed(Program(after=b"installer data"), SIGNER)
    verdict = check(tmp_path, data, ROOT)
    assert verdict.exit_status == 0
    assert {finding.code for finding in verdict.findings} == {"pe-data-after-sections"}
    assert verdict.coverage.unclaimed == 0
    changed = data.replace(b"installer", b"INSTALLER")
    refused(check(tmp_path, changed, ROOT), "digest-mismatch")


def test_data_appended_after_the_certificate_table(tmp_path: Path) -> None:
    data = pe.signed(Program(), SIGNER) + b"appended"
    verdict = check(tmp_path, data, ROOT)
    refused(verdict, "pe-certificate-table")


def test_data_inserted_before_the_certificate_table(tmp_path: Path) -> None:
    program = Program()
    data = program.unsigned()
    table = pe.entry(pe.signature(SIGNER, program.digest(data)))
    refused(
        check(tmp_path, pe.with_table(program, data + bytes(8), table), ROOT), "digest-mismatch"
    )


def test_a_certificate_table_inside_a_section(tmp_path: Path) -> None:
    program = Program()
    data = program.unsigned()
    made = pe.with_table(program, data, pe.entry(pe.signature(SIGNER, program.digest(data))))
    section = struct.unpack_from("<I", made, program.entry_at - 32 - 4)  # directories
    assert section == (16,)
    at = pe.OPTIONAL + program.fixed + 128 + 40 + 16  # the size of the second section
    changed = bytearray(made)
    struct.pack_into("<I", changed, at, len(made) - 0x600)
    refused(check(tmp_path, bytes(changed), ROOT), "pe-certificate-table")


def test_a_certificate_table_within_the_headers(tmp_path: Path) -> None:
    program = Program()
    data = pe.with_table(program, program.unsigned(), b"", offset=0x200, size=64)
    refused(check(tmp_path, data, ROOT), "pe-certificate-table")


def _entry() -> bytes:
    program = Program()
    return pe.entry(pe.signature(SIGNER, program.digest(program.unsigned())))


def _with(table: bytes, size: int = -1) -> bytes:
    return pe.with_table(Program(), Program().unsigned(), table, size=size)


@pytest.mark.parametrize("by", [8, 800, 1 << 20])
def test_shim_62_the_directory_has_a_greater_length_than_the_entries(
    tmp_path: Path, by: int
) -> None:
    data = _with(_entry(), len(_entry()) + by)
    refused(check(tmp_path, data, ROOT), "pe-certificate-table")


def test_shim_62_the_directory_has_a_smaller_length_than_the_entry(tmp_path: Path) -> None:
    refused(check(tmp_path, _with(_entry(), len(_entry()) - 8), ROOT), "pe-certificate-table")


@pytest.mark.parametrize("length", [0, 7, 8, 0xFFFFFFFF])
def test_shim_62_an_entry_with_a_length_that_cannot_be(tmp_path: Path, length: int) -> None:
    table = struct.pack("<I", length) + _entry()[4:]
    refused(check(tmp_path, _with(table), ROOT), "pe-certificate-table")


def test_an_entry_that_is_longer_than_the_signature_in_it(tmp_path: Path) -> None:
    program = Program()
    made = pe.signature(SIGNER, program.digest(program.unsigned()))
    refused(check(tmp_path, _with(pe.entry(made + b"hidden")), ROOT), "pe-certificate-table")


def test_an_entry_that_counts_its_padding_is_accepted(tmp_path: Path) -> None:
    program = Program()
    made = pe.signature(SIGNER, program.digest(program.unsigned()))
    made += bytes(-len(made) % 8)
    assert check(tmp_path, _with(pe.entry(made)), ROOT).exit_status == 0


def test_data_hidden_in_the_padding_of_an_entry(tmp_path: Path) -> None:
    made = pe.signature(SIGNER, Program().digest(Program().unsigned()))
    entry = pe.entry(made + b"\0" * ((3 - len(made)) % 8))
    assert len(made + b"\0" * ((3 - len(made)) % 8)) % 8 == 3
    refused(check(tmp_path, _with(entry[:-1] + b"x"), ROOT), "pe-certificate-table")


def test_an_empty_entry_behind_a_good_one(tmp_path: Path) -> None:
    refused(check(tmp_path, _with(_entry() + bytes(8)), ROOT), "pe-certificate-table")


@pytest.mark.parametrize(("kind", "revision"), [(1, 0x200), (0x0EF1, 0x200), (2, 0x100)])
def test_an_entry_of_another_kind_is_never_passed_over(
    tmp_path: Path, kind: int, revision: int
) -> None:
    table = _entry() + pe.entry(b"\x30\x00", kind=kind, revision=revision)
    verdict = check(tmp_path, _with(table), ROOT)
    assert verdict.exit_status == 3, verdict.findings
    assert "signature-unsupported" in codes_of(verdict)


PKCS7_GUID = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7").bytes_le


def test_a_signature_with_a_guid_around_it_is_one(tmp_path: Path) -> None:
    """WIN_CERTIFICATE_UEFI_GUID, as firmware takes it, too."""
    program = Program()
    made = pe.signature(SIGNER, program.digest(program.unsigned()))
    data = _with(pe.entry(PKCS7_GUID + made, kind=0x0EF1))
    assert check(tmp_path, data, ROOT).exit_status == 0
    refused(check(tmp_path, data, OTHER_ROOT), "not-vouched")
    changed = bytearray(data)
    changed[0x410] ^= 1
    refused(check(tmp_path, bytes(changed), ROOT), "digest-mismatch")


@pytest.mark.parametrize("kind", [0x0EF0, 0x0EF1])
def test_a_bare_signature_or_an_unknown_guid_is_not_checked(tmp_path: Path, kind: int) -> None:
    verdict = check(tmp_path, _with(_entry() + pe.entry(bytes(272), kind=kind)), ROOT)
    assert verdict.exit_status == 3
    assert "signature-unsupported" in codes_of(verdict)


def test_more_entries_than_anyone_needs(tmp_path: Path) -> None:
    refused(check(tmp_path, _with(_entry() * 33), ROOT), "pe-certificate-table")


def test_a_table_with_a_length_and_no_place(tmp_path: Path) -> None:
    data = pe.with_table(Program(), Program().unsigned(), _entry(), offset=0)
    refused(check(tmp_path, data, ROOT), "pe-malformed")


# what is signed


def _signed(**options: object) -> bytes:
    program = Program()
    digest = program.digest(program.unsigned())
    return _with(pe.entry(pe.signature(SIGNER, digest, **options)))  # type: ignore[arg-type]


def test_the_purpose_that_pesign_writes_for_a_program_is_accepted(tmp_path: Path) -> None:
    data = _signed(kind=pe.INDIVIDUAL_CODE_SIGNING)
    assert check(tmp_path, data, ROOT).exit_status == 0


def test_the_signature_of_a_cabinet_file(tmp_path: Path) -> None:
    data = _signed(kind="1.3.6.1.4.1.311.2.1.25")
    refused(check(tmp_path, data, ROOT), "authenticode-malformed")


def test_a_signature_of_other_data_by_the_same_signer(tmp_path: Path) -> None:
    """A signed message whose content reads as the digest of a program."""
    program = Program()
    content = pe.indirect_data(program.digest(program.unsigned()))
    attributes = [cms.content_type(), cms.message_digest(content[2:])]
    refused(check(tmp_path, _signed(attributes=attributes), ROOT), "signed-attributes-invalid")


def test_a_signature_of_the_digest_with_its_header(tmp_path: Path) -> None:
    """CMS signs content with no tag and length before it."""
    program = Program()
    content = pe.indirect_data(program.digest(program.unsigned()))
    attributes = [cms.content_type(pe.INDIRECT_DATA), cms.message_digest(content)]
    refused(check(tmp_path, _signed(attributes=attributes), ROOT), "signature-invalid")


def test_a_digest_put_in_place_of_the_signed_one(tmp_path: Path) -> None:
    program = Program()
    data = program.unsigned()
    good = pe.signature(SIGNER, bytes(32))
    forged = good.replace(bytes(32), program.digest(data))
    refused(check(tmp_path, _with(pe.entry(forged)), ROOT), "signature-invalid")


@pytest.mark.parametrize("digest", [b"", bytes(20), bytes(33)])
def test_a_digest_of_the_wrong_length(tmp_path: Path, digest: bytes) -> None:
    data = _with(pe.entry(pe.signature(SIGNER, digest)))
    refused(check(tmp_path, data, ROOT), "authenticode-malformed")


def test_mix_and_match_of_signature_and_binary(tmp_path: Path) -> None:
    """A program with the signature of another one by the same signer, in either place."""
    one, other = (
        Program(),
        Program(sections=(TEXT, (".data", 0x600, b"another program" + bytes(497)))),
    )
    for mine, stolen in ((one, other), (other, one)):
        signature = pe.signature(SIGNER, stolen.digest(stolen.unsigned()))
        data = pe.with_table(mine, mine.unsigned(), pe.entry(signature))
        refused(check(tmp_path, data, ROOT), "digest-mismatch")


def test_the_digest_is_by_another_algorithm_than_the_signer_uses(tmp_path: Path) -> None:
    """Firmware hashes the program by the one, Windows by the other."""
    program = Program()
    content = pe.indirect_data(program.digest(program.unsigned(), "sha384"), "sha384")
    data = _with(pe.entry(pe.signature(SIGNER, b"", content=content)))
    refused(check(tmp_path, data, ROOT), "authenticode-malformed")


# page hashes


def _pages(program: Program, page: int = 0x1000) -> list[tuple[int, bytes]]:
    """The page hashes of a program without gaps, as the specification has them."""
    data = program.unsigned()
    head = data[: program.checksum_at] + data[program.checksum_at + 4 : program.entry_at]
    head += data[program.entry_at + 8 : program.headers_size]
    pages = [(0, head.ljust(page - 12, b"\0"))]
    at = program.headers_size
    for _, _, content in program.sections:
        for start in range(0, len(content), page):
            pages.append((at + start, content[start : start + page].ljust(page, b"\0")))
        at += len(content)
    return [*((at, hashlib.sha256(each).digest()) for at, each in pages), (at, bytes(32))]


def _table(pages: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack("<I", offset) + value for offset, value in pages)


LONG = Program(sections=((".text", None, bytes(range(256)) * 40), (".data", None, b"x" * 512)))


def test_page_hashes_are_compared(tmp_path: Path) -> None:
    data = pe.signed(LONG, SIGNER, pages=_table(_pages(LONG)))
    verdict = check(tmp_path, data, ROOT)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.claims_held == 4
    changed = bytearray(data)
    changed[0x400 + 0x1234] ^= 1
    verdict = check(tmp_path, bytes(changed), ROOT)
    refused(verdict, "chunk-mismatch")
    [found] = [each for each in verdict.findings if each.code == "chunk-mismatch"]
    assert (found.component, found.offset) == ("pages[0]", 0x1000)


def test_a_page_hash_that_contradicts_the_digest_of_the_program(tmp_path: Path) -> None:
    pages = _pages(LONG)
    pages[2] = (pages[2][0], bytes(32))
    verdict = check(tmp_path, pe.signed(LONG, SIGNER, pages=_table(pages)), ROOT)
    refused(verdict, "chunk-mismatch")


@pytest.mark.parametrize(
    "table",
    [
        b"\0",
        _table(_pages(Program())),
        _table(_pages(LONG)[:-1]),
        _table([(offset + 1, value) for offset, value in _pages(LONG)]),
        _table([*_pages(LONG)[:-1], (_pages(LONG)[-1][0], b"\1" * 32)]),
        _table(_pages(LONG))[:-1],
    ],
)
def test_page_hashes_of_other_pages(tmp_path: Path, table: bytes) -> None:
    refused(check(tmp_path, pe.signed(LONG, SIGNER, pages=table), ROOT), "page-hashes-misplaced")


def test_page_hashes_of_an_unknown_kind_are_said_not_to_be_compared(tmp_path: Path) -> None:
    content = pe.indirect_data(
        LONG.digest(LONG.unsigned()), pages=_table(_pages(LONG)), pages_kind="1.2.3.4"
    )
    data = pe.with_table(
        LONG, LONG.unsigned(), pe.entry(pe.signature(SIGNER, b"", content=content))
    )
    verdict = check(tmp_path, data, ROOT)
    assert verdict.exit_status == 0, verdict.findings
    assert "page-hashes-unchecked" in {finding.code for finding in verdict.findings}


def test_a_signature_over_sha_1_is_weak(tmp_path: Path) -> None:
    rsa = make("Old Signer", ROOT, key=_rsa())
    verdict = check(tmp_path, pe.signed(Program(), rsa, algorithm="sha1"), ROOT)
    refused(verdict, "weak-signature")
    assert verdict.coverage.bound == 0


def test_two_signers_in_one_signature(tmp_path: Path) -> None:
    refused(check(tmp_path, _signed(signers=2), ROOT), "signature-malformed")


def test_a_signature_without_signed_attributes(tmp_path: Path) -> None:
    refused(check(tmp_path, _signed(bare=True), ROOT), "signature-malformed")


def test_a_certificate_for_web_servers(tmp_path: Path) -> None:
    holder = make("Server", ROOT, eku=["1.3.6.1.5.5.7.3.1"])
    refused(check(tmp_path, pe.signed(Program(), holder), ROOT), "key-not-permitted")


def test_a_stranger_who_names_the_certificate_of_the_signer(tmp_path: Path) -> None:
    program = Program()
    made = pe.signature(
        OTHER, program.digest(program.unsigned()), names=SIGNER, certificates=[SIGNER]
    )
    refused(check(tmp_path, _with(pe.entry(made)), ROOT), "signature-invalid")


# headers


@pytest.mark.parametrize("size", [0x40, 0x84, 0x97, 0x120, 0x3FF])
def test_a_program_cut_off_in_its_headers(tmp_path: Path, size: int) -> None:
    verdict = check(tmp_path, pe.signed(Program(), SIGNER)[:size], ROOT)
    assert verdict.exit_status == 1
    assert codes_of(verdict) & {"pe-malformed", "no-signature"}


@pytest.mark.parametrize("size", [0x401, 0x7FF, 0x801, 0x840])
def test_a_program_cut_off_behind_its_headers(tmp_path: Path, size: int) -> None:
    verdict = check(tmp_path, pe.signed(Program(), SIGNER)[:size], ROOT)
    refused(verdict, "pe-certificate-table")


def test_a_section_that_ends_behind_the_file(tmp_path: Path) -> None:
    program = Program(size_of_raw_data={1: 0x10000})
    refused(check(tmp_path, pe.signed(program, SIGNER), ROOT), "pe-malformed")


@pytest.mark.parametrize(
    "program",
    [
        Program(directories=17, optional_size=0x200),
        Program(directories=0xFFFFFFFF, optional_size=0xF0),
        Program(directories=16, optional_size=0xE8),
        Program(headers_size=0x180),
    ],
)
def test_header_lengths_that_disagree(tmp_path: Path, program: Program) -> None:
    refused(check(tmp_path, program.unsigned(), ROOT), "pe-malformed")


@pytest.mark.parametrize("directories", [5, 6])
def test_a_short_optional_header_is_accepted(tmp_path: Path, directories: int) -> None:
    """Linux kernels have six directory entries (SizeOfOptionalHeader 0xa0)."""
    data = pe.signed(Program(directories=directories), SIGNER)
    assert check(tmp_path, data, ROOT).exit_status == 0


@pytest.mark.parametrize("directories", [0, 4])
def test_a_program_without_room_for_a_certificate_table(tmp_path: Path, directories: int) -> None:
    verdict = check(tmp_path, Program(directories=directories).unsigned(), ROOT)
    refused(verdict, "no-signature")
    assert "pe-malformed" not in codes_of(verdict)


def test_the_layout_of_an_unsigned_program_is_a_warning(tmp_path: Path) -> None:
    program = Program(sections=(TEXT, (".data", 0x800, DATA[2])))
    verdict = check(tmp_path, program.unsigned(), ROOT)
    [gap] = [finding for finding in verdict.findings if finding.code == "pe-gap"]
    assert gap.severity is Severity.WARNING


def _rsa() -> object:
    from tests.support.certificates import key_of

    return key_of("rsa2048")

"""Ways to have `assay boot check` say yes by mistake, each with a chain made for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.boot import Outcome
from assay.model.finding import AssayError
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY
from assay.uefi.sbat import parse_level
from assay.uefi.time import encode_time
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
    levels,
    link,
    machine,
    partition,
    program,
    warnings,
)
from tests.boot.test_check import DBX, PLAIN, SIGNED, _update, refused
from tests.boot.test_check_images import CHAIN, disk
from tests.support import der, pe, uefi
from tests.support.certificates import NOW, make, root

# revocations that get lost


def test_rollback_by_two_updates_one_after_the_other(tmp_path: Path) -> None:
    """The first one revokes; the second one is older, replaces all that is there, and was good in
    its day."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    new = _update(tmp_path / "new", PLATFORM, DBX, digest_list(PLAIN), time=encode_time(NOW))
    then = encode_time(datetime(2020, 1, 1, tzinfo=UTC))
    old = _update(tmp_path / "old", PLATFORM, DBX, digest_list(kernel()), time=then)
    answer = ask_of(tmp_path, SIGNED, machine(tmp_path), new, old)
    refused(answer, "boot-revoked-hash")
    assert "boot-update-refused" in warnings(answer)


@pytest.mark.parametrize("first", [True, False])
def test_a_revoked_authority_behind_very_many_certificates(tmp_path: Path, first: bool) -> None:
    """Anyone can add certificates to a signature, with the name and the key of the true issuer."""
    top = root("Top")
    between = make("Between", top, ca=True)
    signer = make("Signer", between)
    others = [make("Between", make(f"Other {n}"), ca=True, key=between.key) for n in range(120)]
    data = PLAIN.unsigned()
    data += bytes(-len(data) % 8)
    certificates = [*others, between] if first else [between, *others]
    made = pe.signature(signer, PLAIN.digest(data), certificates=certificates)
    signed = pe.with_table(PLAIN, data, pe.entry(made))
    firmware = machine(tmp_path, uefi.certificates(top), uefi.certificates(top))
    refused(ask_of(tmp_path, signed, firmware), "limit-exceeded")


def test_a_revoked_certificate_with_its_signature_written_in_another_way(tmp_path: Path) -> None:
    """Of an ECDSA signature anyone can make a second one: the certificate is another file then."""
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )
    from cryptography.x509 import load_der_x509_certificate

    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signer = make("Signer", AUTHORITY)
    first, second = decode_dss_signature(signer.made.signature)
    value = encode_dss_signature(first, order - second)
    head = signer.made.tbs_certificate_bytes + der.algorithm("1.2.840.10045.4.3.2")
    twin = type(signer)(signer.key, load_der_x509_certificate(der.seq(head, der.bits(value))))
    assert twin.der != signer.der
    data = pe.signed(PLAIN, twin)
    assert ask_of(tmp_path, data, machine(tmp_path)).exit_status == 0
    firmware = machine(tmp_path, dbx=uefi.certificates(signer))
    refused(ask_of(tmp_path, data, firmware), "boot-revoked-certificate")


def test_a_database_that_is_there_twice(tmp_path: Path) -> None:
    """Firmware takes the one, and others may take the other."""
    path = tmp_path / "vars.fd"
    both = [
        ("PK", GLOBAL, uefi.certificates(PLATFORM)),
        ("db", IMAGE_SECURITY, uefi.certificates(STRANGER)),
        ("db", IMAGE_SECURITY, uefi.certificates(AUTHORITY)),
    ]
    path.write_bytes(uefi.volume(*(uefi.record(uefi.variable(*each)) for each in both)))
    answer = ask_of(tmp_path, SIGNED, path)
    assert answer.exit_status == 3
    assert "boot-variable-unreadable" in errors(answer)


# levels that get lost


@pytest.mark.parametrize("text", [b"sbat,1\ngrub,99\n", b"sbat,1,2020010100\ngrub,99\n"])
def test_a_level_that_is_asked_for_counts_whatever_its_date(tmp_path: Path, text: bytes) -> None:
    """Without a date, or older than the machine's own, or beside a newer one."""
    newer = parse_level(b"sbat,1,2026121212\nshim,1\n", "newer")
    asked = parse_level(text, "asked")
    for given in ([asked], [asked, newer], [newer, asked]):
        answer = ask(partition(tmp_path), machine(tmp_path), levels=given)
        refused(answer, "sbat-revoked")
        assert "asked" in link(answer, "grubx64.efi").sbat_level


@pytest.mark.parametrize(
    "sections",
    [
        (b"sbat,1\n", levels(LEVEL, LEVEL)),
        (b"nonsense", levels(LEVEL, LEVEL)),
        (generations("shim,4"), b"nonsense"),
        (generations("shim,4"), levels(b"grub,1\n", LEVEL)),
    ],
)
def test_a_shim_whose_generations_or_levels_cannot_be_read(
    tmp_path: Path, sections: tuple[bytes, bytes]
) -> None:
    made = program(
        (".vendor_cert", uefi.vendor_section(VENDOR.der)),
        (".sbat", sections[0]),
        (".sbatlevel", sections[1]),
    )
    esp = partition(tmp_path, with_shim=pe.signed(made, PUBLISHER))
    answer = ask(esp, machine(tmp_path))
    refused(answer, "sbat-malformed")
    assert link(answer, "grubx64.efi").outcome is not Outcome.ALLOWED


def test_a_kernel_without_generations_in_place_of_the_boot_loader(tmp_path: Path) -> None:
    """A boot loader may start kernels without SBAT data; a shim starts nothing without."""
    made = kernel()
    made.sections = tuple(each for each in made.sections if each[0] != ".sbat")
    signed = pe.signed(made, SIGNER)
    refused(ask(partition(tmp_path, with_grub=signed), machine(tmp_path)), "sbat-missing")
    assert ask(partition(tmp_path, with_kernel=signed, with_grub=pe.signed(grub(), SIGNER)),
               machine(tmp_path)).exit_status == 0  # fmt: skip


# programs that get lost


def test_a_boot_loader_that_is_no_program_is_not_passed_over(tmp_path: Path) -> None:
    junk = b"no program" * 100
    esp = partition(tmp_path)
    (esp / "EFI/BOOT").mkdir()
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(junk)
    (esp / "EFI/BOOT/._BOOTX64.EFI").write_bytes(junk)
    answer = ask(esp, machine(tmp_path))
    refused(answer, "boot-program-unreadable")
    assert len(answer.links) == 4
    answer = ask(disk(tmp_path, CHAIN | {"EFI/BOOT/mmx64.efi": junk}), machine(tmp_path))
    refused(answer, "boot-program-unreadable")


def test_a_boot_loader_that_says_it_is_for_windows(tmp_path: Path) -> None:
    """A shim does not look at what system a program is for."""
    data = bytearray(grub().unsigned())
    data[int.from_bytes(data[60:64], "little") + 24 + 68] = 2
    refused(ask(partition(tmp_path, with_grub=bytes(data)), machine(tmp_path)), "boot-not-signed")


def test_two_files_of_one_name_on_the_system_partition(tmp_path: Path) -> None:
    """One answers to its long name, and one to its short one: each firmware finds its own."""
    from tests.support.disks import Fat12, entry_of, long_entries

    data = pe.signed(PLAIN, PUBLISHER)
    count = -(-len(data) // 512)
    chains = {2: 0xFFF, 3: 0xFFF, **{4 + n: 5 + n for n in range(count)}, 3 + count: 0xFFF}
    own, other = entry_of("BOOTX64.EFI", 4, len(data)), entry_of("BOOTX64.EFI", 0, 0)
    clusters = {
        2: entry_of("BOOT", 3, 0, 0x10),
        3: own + long_entries("grub.efi", other) + other,
        **{4 + n: data[n * 512 : (n + 1) * 512] for n in range(count)},
    }
    image = Fat12(entry_of("EFI", 2, 0, 0x10), chains, clusters, sectors=100)
    path = tmp_path / "esp.img"
    path.write_bytes(image.build())
    assert "fat-ambiguous" in errors(ask(path, machine(tmp_path)))


def test_a_tree_with_modules_that_nobody_can_read(tmp_path: Path) -> None:
    """Compressed in a way that is not known, or called in capitals: modules all the same."""
    from assay.model.verdict import Decision
    from assay.pipeline import VerifyOptions, verify
    from assay.trust.anchors import Trust
    from tests.support import modules

    key = modules.signing_key()
    tree = tmp_path / "modules"
    tree.mkdir()
    (tree / "good.ko").write_bytes(modules.signed(key))
    trust = Trust()
    trust.add_kernel_keys("kernel", [key.certificate], modules.RELEASE)
    for name, decision in (
        ("modules.dep", Decision.ALLOWED), ("evil.ko.lz4", Decision.REFUSED),
        ("evil.KO", Decision.REFUSED), ("evil.ko.bz2", Decision.REFUSED),
    ):  # fmt: skip
        (tree / name).write_bytes(modules.module())
        [verdict] = verify(f"modules:{tree}", VerifyOptions(trust))
        assert verdict.decision is decision, name
        (tree / name).unlink()


def test_totality_of_levels_that_are_combined() -> None:
    from assay.uefi.sbat import combined

    assert combined() is None
    assert combined(None) is None
    one = parse_level(b"sbat,1,2020010100\nshim,2\n", "one")
    assert combined(one, None) == one
    with pytest.raises(AssayError):
        parse_level(b"shim,2\n")

"""The vendor certificates of shims: Debian's, and hostile ones."""

from __future__ import annotations

import struct

import pytest

from assay.formats.uefi import VENDOR
from assay.model.finding import AssayError
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from assay.uefi.vendor_certificates import (
    looks_like_vendor_certificates,
    read_vendor_certificates,
)
from tests.support.certificates import make, root
from tests.support.uefi import certificates, entries, vendor_section
from tests.uefi.support import BOOT, reading

CA = root("Vendor")
HASHES = entries("SHA256", bytes(32))


def test_debians_shim_trusts_debian_and_revokes_old_boot_loaders() -> None:
    shims = list(BOOT.rglob("shimx64.efi.signed"))
    if not shims:
        pytest.skip("Debian's boot binaries are not here (scripts/boot-binaries)")
    [verdict] = verify(str(shims[0]), VerifyOptions(Trust()))
    parts = {part.id: part for part in verdict.components}
    trusted = parts["section[.vendor_cert]/authorized"]
    assert trusted.labels["name"].startswith("CN=Debian Secure Boot CA")
    revoked = [part for part in parts if part.startswith("section[.vendor_cert]/deauthorized/")]
    assert len(revoked) > 200


def test_one_certificate_and_lists() -> None:
    found = read_vendor_certificates(vendor_section(CA.der, HASHES))
    assert found.certificate == CA.der
    assert len(found.deauthorized) == 1
    found = read_vendor_certificates(vendor_section(certificates(CA, make("Other")), HASHES))
    assert not found.certificate
    assert len(found.authorized) == 2


def test_entries_of_a_vendor_db_are_components() -> None:
    found = reading(VENDOR, vendor_section(certificates(CA), HASHES) + bytes(64))
    ids = {part.id for part in found.components}
    assert {"authorized/list[0]/entry[0]", "deauthorized/list[0]/entry[0]"} <= ids


@pytest.mark.parametrize(
    "fields", [(1 << 31, 0, 16, 16), (900, 0, 8, 16), (16, 16, 16, 20), (0, 5000, 16, 16)]
)
def test_places_outside_of_the_section_or_on_each_other(fields: tuple[int, ...]) -> None:
    data = struct.pack("<IIII", *fields) + vendor_section(CA.der, HASHES)[16:]
    with pytest.raises(AssayError) as caught:
        read_vendor_certificates(data)
    assert caught.value.finding.code in ("uefi-vendor-certificates", "uefi-signature-list")


@pytest.mark.parametrize("size", [0, 3, 15])
def test_a_section_that_is_cut_off(size: int) -> None:
    assert not looks_like_vendor_certificates(vendor_section(CA.der)[:size], size)
    with pytest.raises(AssayError):
        read_vendor_certificates(vendor_section(CA.der)[:size])


def test_a_shim_without_vendor_certificates() -> None:
    found = read_vendor_certificates(vendor_section(b""))
    assert not found.certificate
    assert not found.authorized

"""The Netscape certificate type: heeded where it is critical, as in Debian's authority."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from assay.x509 import oids
from assay.x509.purposes import SIGNING
from tests.support.certificates import make, root
from tests.x509.test_path import find, reasons

CODE = frozenset({oids.CODE_SIGNING})


def _type(value: bytes, *, critical: bool = True) -> list[tuple[x509.ExtensionType, bool]]:
    oid = ObjectIdentifier(oids.NETSCAPE_CERTIFICATE_TYPE)
    return [(x509.UnrecognizedExtension(oid, value), critical)]


@pytest.mark.parametrize(
    ("bits", "right"),
    [(b"\x00\xff", True), (b"\x00\x01", True), (b"\x02\x04", False), (b"\x04\x10", False)],
)
def test_an_authority_for_programs_says_so(bits: bytes, right: bool) -> None:
    authority = root(extensions=_type(b"\x03\x02" + bits))
    result = find(make("Signer", authority), anchors=[authority], purposes=CODE)
    assert bool(result.path) is right
    if not right:
        assert reasons(result) == {"key-not-permitted"}


@pytest.mark.parametrize(("bits", "right"), [(b"\x04\x10", True), (b"\x06\xc0", False)])
def test_a_signer_of_programs_says_so(bits: bytes, right: bool) -> None:
    authority = root()
    signer = make("Signer", authority, extensions=_type(b"\x03\x02" + bits))
    assert bool(find(signer, anchors=[authority], purposes=CODE).path) is right


def test_signers_of_mail_are_signers_of_files() -> None:
    authority = root(extensions=_type(b"\x03\x02\x01\x02"))
    signer = make("Signer", authority, extensions=_type(b"\x03\x02\x05\x20"))
    assert find(signer, anchors=[authority], purposes=SIGNING).path
    assert not find(signer, anchors=[authority], purposes=CODE).path


def test_a_purpose_that_the_type_does_not_know_is_refused() -> None:
    authority = root(extensions=_type(b"\x03\x02\x00\xff"))
    asked = frozenset({oids.TIME_STAMPING})
    assert not find(make("Signer", authority), anchors=[authority], purposes=asked).path
    assert find(make("Signer", authority), anchors=[authority]).path


def test_what_is_not_critical_may_be_ignored() -> None:
    authority = root(extensions=_type(b"\x03\x02\x02\x04", critical=False))
    assert find(make("Signer", authority), anchors=[authority], purposes=CODE).path


@pytest.mark.parametrize("value", [b"", b"\x03\x01\x00", b"\x03\x02\x01\x01", b"\x04\x01\x01"])
def test_a_type_without_sense_is_refused(value: bytes) -> None:
    authority = root(extensions=_type(value))
    assert not find(make("Signer", authority), anchors=[authority], purposes=CODE).path

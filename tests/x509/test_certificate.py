"""Certificates and names: read as they are written, and refused when they could be read twice."""

from __future__ import annotations

import contextlib
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.asn1.der import encode
from assay.crypto.spki import read_spki
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError
from assay.x509 import oids
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.general_names import GeneralName, Kind, matchable
from assay.x509.load import read_certificates
from assay.x509.path import find_path
from assay.x509.requirements import Requirements
from tests.signatures.support import flips
from tests.support import der
from tests.support.certificates import END, NOW, START, key_of, make, name_of, root, usage

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"


def test_a_certificate_comes_back_as_it_was_made() -> None:
    holder = make(
        name_of("Signer", organization_name="Example", country_name="CH"),
        root(),
        path_length=None,
        key_usage=usage("digital_signature", "content_commitment"),
        eku=[oids.CODE_SIGNING],
        names=[x509.RFC822Name("a@example.com"), x509.DNSName("example.com")],
    )
    read = holder.certificate
    assert read.der == holder.der
    assert read.tbs == holder.made.tbs_certificate_bytes
    assert read.serial == holder.made.serial_number
    assert (read.not_before, read.not_after) == (START, END)
    assert str(read.subject) == "CN=Signer,C=CH,O=Example"
    assert str(read.issuer) == "CN=Root"
    assert read.signature == holder.made.signature
    assert read.key == read_spki(read.spki, "")
    assert read.basic_constraints is not None
    assert not read.basic_constraints.authority
    assert read.key_usage == {"digitalSignature", "nonRepudiation"}
    assert read.purposes == (oids.CODE_SIGNING,)
    assert list(matchable(read.alternative_names)) == ["a@example.com", "example.com"]
    assert read.key_id
    assert read.authority_key.key_id == root_key_id(holder.made)
    assert not read.self_issued


def root_key_id(made: x509.Certificate) -> bytes | None:
    return made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def test_the_library_reads_the_same_in_public_certificates() -> None:
    """Differential, over whatever authorities this machine and the vectors have."""
    files = [*Path("/etc/ssl/certs").glob("*.crt"), *VECTORS.glob("rauc/openssl-ca/**/*.pem")]
    certificates: dict[Certificate, None] = {}
    for file in files:
        with contextlib.suppress(AssayError):
            certificates |= dict.fromkeys(read_certificates(file.read_bytes()))
    if not certificates:
        pytest.skip("no certificates are here")
    for mine in certificates:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = x509.load_der_x509_certificate(mine.der)
            extensions = other.extensions
            assert mine.serial == other.serial_number
        assert mine.not_before == other.not_valid_before_utc
        assert mine.not_after == other.not_valid_after_utc
        assert mine.subject.encoded == other.subject.public_bytes()
        assert mine.issuer.encoded == other.issuer.public_bytes()
        assert mine.signature == other.signature
        assert set(mine.extensions) == {each.oid.dotted_string for each in extensions}
        basic: Any = _value(extensions, x509.BasicConstraints)
        if basic is not None:
            assert mine.basic_constraints is not None
            assert mine.basic_constraints.authority == basic.ca
            assert mine.basic_constraints.path_length == basic.path_length
        purposes: Any = _value(extensions, x509.ExtendedKeyUsage)
        expected = None if purposes is None else tuple(each.dotted_string for each in purposes)
        assert mine.purposes == expected
        identifier: Any = _value(extensions, x509.SubjectKeyIdentifier)
        assert mine.key_id == (identifier.digest if identifier else b"")


def _value(extensions: x509.Extensions, kind: Any) -> object:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


# names


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "CN=plain"),
        ("Doe, Jane", "CN=Doe\\, Jane"),
        ('a+b"c\\d<e>f;g', 'CN=a\\+b\\"c\\\\d\\<e\\>f\\;g'),
        (" edge ", "CN=\\ edge\\ "),
        ("#1", "CN=\\#1"),
        ("Zürich", "CN=Zürich"),
        ("two\nlines", "CN=two\\0Alines"),
        ("nul\x00", "CN=nul\\00"),
        ("\u202egnp", "CN=\\E2\\80\\AEgnp"),
    ],
)
def test_names_are_written_as_rfc_4514_and_are_safe_to_show(text: str, shown: str) -> None:
    assert str(make(text).certificate.subject) == shown


def test_attributes_of_any_kind() -> None:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "example"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@example.com"),
            x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "odd"),
        ]
    )
    shown = str(make(name).certificate.subject)
    assert shown == "1.2.3.4=#0c036f6464,emailAddress=a@example.com,DC=example"


def test_a_certificate_without_a_subject_has_something_to_be_called() -> None:
    made = make(x509.Name([]), root("Top"), serial=255)
    assert str(made.certificate) == "certificate number ff of CN=Top"


def test_names_that_differ_are_different() -> None:
    one, two = make("Root").certificate, make("Root 2").certificate
    assert one.subject != two.subject
    assert one.subject == make("ROOT").certificate.subject
    assert one != two


def _general(kind: Kind, value: str) -> GeneralName:
    return GeneralName(kind, value, value.encode())


def test_one_kind_of_name_cannot_pass_for_another() -> None:
    names = [
        _general(Kind.DNS, "alice@example.com"),
        _general(Kind.DNS, "https://example.com"),
        _general(Kind.DNS, "a..example.com"),
        _general(Kind.EMAIL, "example.com"),
        _general(Kind.EMAIL, "CN=admin@example.com"),
        _general(Kind.EMAIL, "a@b@example.com"),
        _general(Kind.EMAIL, "a@example.com\x00.evil.org"),
        _general(Kind.URI, "CN=admin"),
        _general(Kind.URI, "https://example.com/a b"),
    ]
    assert list(matchable(names)) == []
    good = [
        _general(Kind.DNS, "*.example.com"),
        _general(Kind.EMAIL, "a+b@example.com"),
        _general(Kind.URI, "https://example.com/a?b=c"),
        _general(Kind.URI, "spiffe://example.com/build"),
    ]
    assert list(matchable(good)) == [each.value for each in good]


# what is refused


def _built(**changes: bytes) -> bytes:
    """A certificate by parts, of which any can be replaced."""
    algorithm = der.algorithm("1.2.840.10045.4.3.2")
    name = name_of("Built").public_bytes()
    parts = {
        "version": der.explicit(0, der.integer(2)),
        "serial": der.integer(1),
        "algorithm": algorithm,
        "issuer": name,
        "validity": der.seq(der.time("260101000000Z"), der.time("270101000000Z")),
        "subject": name,
        "spki": make("x").certificate.spki,
        "unique": b"",
        "extensions": b"",
        "more": b"",
        "outer_algorithm": algorithm,
        "signature": der.bits(b"\x30\x06\x02\x01\x01\x02\x01\x01"),
        "after": b"",
    } | changes
    inner = list(parts.values())[:10]
    outer = list(parts.values())[10:13]
    return der.seq(der.seq(*inner), *outer)


def _long_name() -> bytes:
    part = der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8("x" * 60)))
    return der.seq(part * (limits.NAME_SIZE // len(part) + 1))


def _extensions(*extensions: bytes) -> bytes:
    return der.explicit(3, der.seq(*extensions))


def _extension(oid: str, value: bytes, critical: bytes = b"") -> bytes:
    return der.seq(der.oid(oid), critical, der.octets(value))


_CONSTRAINTS = _extension(oids.BASIC_CONSTRAINTS, der.seq(der.boolean(True)))


def test_the_parts_make_a_certificate() -> None:
    assert read_certificate(_built()).version == 3
    assert read_certificate(_built(version=b"")).version == 1
    assert read_certificate(_built(extensions=_extensions(_CONSTRAINTS))).basic_constraints
    # software for UEFI keys writes an empty list
    assert read_certificate(_built(extensions=_extensions())).extensions == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": der.explicit(0, der.integer(0))}, "version 1"),
        ({"version": der.explicit(0, der.integer(3))}, "version 4"),
        ({"outer_algorithm": der.algorithm("1.2.840.10045.4.3.3")}, "two different signature"),
        ({"validity": der.seq(der.time("260101000000Z"))}, "expected UTCTime"),
        ({"more": der.integer(1)}, "bytes too many"),
        ({"after": der.integer(1)}, "bytes too many"),
        ({"version": b"", "unique": b"\x81\x02\x00\x01"}, "unique identifier"),
        ({"version": b"", "extensions": _extensions(_CONSTRAINTS)}, "extensions in a cert"),
        ({"extensions": _extensions(_CONSTRAINTS, _CONSTRAINTS)}, "basic constraints twice"),
        ({"extensions": _extensions(*[_extension(f"1.2.3.{n}", b"") for n in range(65)])}, "64"),
        ({"signature": der.bits(b"\x02", 1)}, "whole number of bytes"),
        ({"subject": der.seq(der.set_of())}, "without a value"),
        ({"subject": _long_name()}, "a name of"),
    ],
)
def test_malformed_certificates(changes: dict[str, bytes], why: str) -> None:
    with pytest.raises(AssayError, match=why) as raised:
        read_certificate(_built(**changes))
    assert raised.value.finding.code == "certificate-malformed"
    assert raised.value.finding.offset is not None


@pytest.mark.parametrize(
    ("oid", "value", "name"),
    [
        (oids.BASIC_CONSTRAINTS, der.seq(der.boolean(True), der.integer(-1)), "basic_constraints"),
        (oids.BASIC_CONSTRAINTS, der.seq(der.boolean(True)) + b"\x00\x00", "basic_constraints"),
        (oids.KEY_USAGE, der.octets(b"\x80"), "key_usage"),
        (oids.EXTENDED_KEY_USAGE, der.seq(), "purposes"),
        (oids.SUBJECT_ALTERNATIVE_NAME, der.seq(der.octets(b"x")), "alternative_names"),
        (oids.SUBJECT_ALTERNATIVE_NAME, der.seq(encode(0x82, b"\xff")), "alternative_names"),
        (oids.NAME_CONSTRAINTS, der.seq(), "name_constraints"),
        (oids.SUBJECT_KEY_IDENTIFIER, der.integer(1), "key_id"),
    ],
)
def test_an_extension_that_cannot_be_read_is_never_taken_for_absent(
    oid: str, value: bytes, name: str
) -> None:
    certificate = read_certificate(_built(extensions=_extensions(_extension(oid, value))))
    with pytest.raises(AssayError, match="CN=Built") as raised:
        getattr(certificate, name)
    assert raised.value.finding.code == "certificate-malformed"
    if name != "key_id":
        asked = Requirements(datetime(2026, 6, 1, tzinfo=UTC), purposes=frozenset({"1.2.3"}))
        assert not find_path(certificate, [], [certificate], asked).path


def test_default_values_are_not_written_out() -> None:
    # DER leaves them out; written out, the same certificate would have two encodings.
    wrong = _extension(oids.BASIC_CONSTRAINTS, der.seq(), der.boolean(False))
    with pytest.raises(AssayError, match="default"):
        read_certificate(_built(extensions=_extensions(wrong)))


def test_files_of_certificates() -> None:
    one, two = root("One"), root("Two")
    assert read_certificates(one.der) == [one.certificate]
    bundle = b"# both\n" + one.pem + two.pem + one.pem
    assert read_certificates(bundle) == [one.certificate, two.certificate]
    for data, why in (
        (b"", "no certificate"),
        (b"text", "no certificate"),
        (one.key_pem + one.pem, "private key"),
        (one.pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), "trust settings"),
        (one.der + b"\x00", "too many"),
    ):
        with pytest.raises(AssayError, match=why) as raised:
            read_certificates(data)
        assert raised.value.finding.code == CERTIFICATE_MALFORMED.name


def test_every_flipped_bit_in_a_certificate_is_refused() -> None:
    """No bit of a certificate can change without its path being refused."""
    top = root(key=key_of("p256"))
    leaf = make("Leaf", top)
    asked = Requirements(NOW)
    assert find_path(leaf.certificate, [], [top.certificate], asked).path
    for data in flips(leaf.der, 3):
        with contextlib.suppress(AssayError):
            changed = read_certificate(data)
            assert not find_path(changed, [], [top.certificate], asked).path


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    for value in (data, encode(0x30, data)):
        with contextlib.suppress(AssayError):
            read_certificates(value)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            (oids.BASIC_CONSTRAINTS, "basic_constraints"),
            (oids.KEY_USAGE, "key_usage"),
            (oids.EXTENDED_KEY_USAGE, "purposes"),
            (oids.SUBJECT_ALTERNATIVE_NAME, "alternative_names"),
            (oids.NAME_CONSTRAINTS, "name_constraints"),
            (oids.SUBJECT_KEY_IDENTIFIER, "key_id"),
            (oids.AUTHORITY_KEY_IDENTIFIER, "authority_key"),
            (oids.CRL_DISTRIBUTION_POINTS, "distribution_points"),
        ]
    ),
    st.binary(max_size=60),
    st.booleans(),
)
def test_extensions_of_any_content_end_in_an_assay_error_at_most(
    which: tuple[str, str], value: bytes, wrap: bool
) -> None:
    extension = _extension(which[0], der.seq(value) if wrap else value)
    certificate = read_certificate(_built(extensions=_extensions(extension)))
    with contextlib.suppress(AssayError):
        getattr(certificate, which[1])
    find_path(certificate, [certificate], [certificate], Requirements(NOW))

"""The trust stores and certificates of notation-go's own tests (verifier/testdata).

Of its forty files, the signed envelopes are used in tests/signatures/notary/test_vectors.py, the
time stamps in tests/cms/test_timestamp.py, and all others here. What were links in the original are
files with the link's target in the copy: links are made anew. ``sub-dir/.gitkeep`` only keeps an
empty directory. The copy has no trust policies and no revocation lists; those are generated in
tests/trust/test_notation.py and tests/x509/test_revocation.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.trust.notation_store import TrustStores
from assay.trust.notation_subjects import parse_subjects
from assay.x509.load import read_certificates

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "notation" / "verifier"
STORES = VECTORS / "truststore" / "x509"
if not VECTORS.is_dir():
    pytest.skip("the vectors are not here", allow_module_level=True)


@pytest.mark.parametrize(
    ("kind", "name", "names"),
    [
        # GlobalSign is in it twice, as PEM and as DER
        (
            "ca",
            "valid-trust-store",
            {"GlobalSign", "Notation Test Root", "alpine", "testTSA", "wabbit-networks.io"},
        ),
        ("ca", "valid-trust-store-2", {"GlobalSign"}),
        ("ca", "valid-trust-store-self-signed", {"TestCert"}),
        ("signingAuthority", "valid-trust-store", {"GlobalSign", "Notation Test Root"}),
        ("signingAuthority", "valid-trust-store-2", {"GlobalSign"}),
        ("tsa", "test-timestamp", {"GlobalSign"}),
        ("tsa", "test-mismatch", {"DigiCert Trusted Root G4"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_store_that_is_right(kind: str, name: str, names: set[str]) -> None:
    authorities, clocks = TrustStores(STORES).load(((kind, name),))
    found = [each for store in authorities.values() for each in store]
    found += [each for clock in clocks for each in clock.anchors]
    assert {str(each.subject.parts[-1][0].text) for each in found} == names
    assert len(found) == len(names)


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("ca", "trust-store-with-invalid-certs", "no certificate"),
        ("ca", "trust-store-with-leaf-certs", "neither an authority's nor signed by itself"),
        ("ca", "trust-store-with-leaf-certs-in-single-file", "neither an authority's nor"),
        ("ca", "missing", "No such file"),
        ("tsa", "test-nonCA", "not the root of a time stamping authority"),
        ("tsa", "test-nonSelfIssued", "not the root of a time stamping authority"),
    ],
    ids=lambda value: value,
)
def test_a_store_that_is_not(kind: str, name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        TrustStores(STORES).load(((kind, name),))


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    """Stores that are to be changed, as authorities."""
    shutil.copytree(STORES, tmp_path / "x509")
    for name in ("trust-store-with-cert-symlinks", "trust-store-with-directories"):
        shutil.move(tmp_path / "x509" / name, tmp_path / "x509" / "ca" / name)
    return tmp_path / "x509"


def test_a_store_with_a_link_in_it(stores: Path) -> None:
    folder = stores / "ca" / "trust-store-with-cert-symlinks"
    link = folder / "GlobalSignRootCA_SYMLINK.crt"
    link.unlink()
    link.symlink_to("GlobalSignRootCA.crt")
    with pytest.raises(UsageError, match="not a file of its own"):
        TrustStores(stores).load((("ca", folder.name),))
    link.unlink()
    authorities, _ = TrustStores(stores).load((("ca", folder.name),))
    assert len(authorities["notary.x509"]) == 1


def test_a_store_that_is_a_link(stores: Path) -> None:
    link = stores / "ca" / "valid-trust-store_SYMLINK"
    shutil.rmtree(link)
    link.symlink_to("valid-trust-store")
    with pytest.raises(UsageError, match="not a directory of its own"):
        TrustStores(stores).load((("ca", link.name),))


def test_a_link_that_became_a_file_is_no_certificate() -> None:
    with pytest.raises(UsageError):
        TrustStores(STORES).load((("ca", "valid-trust-store_SYMLINK"),))


def test_a_directory_within_a_store_is_left_out(stores: Path) -> None:
    """The specification passes directories over."""
    authorities, _ = TrustStores(stores).load((("ca", "trust-store-with-directories"),))
    assert len(authorities["notary.x509"]) == 1


@pytest.mark.parametrize(
    ("file", "identity", "matches"),
    [
        ("signing-cert.pem", "C=US, ST=WA, O=SomeOrg", True),
        ("signing-cert.pem", "C=US, ST=WA, L=Seattle, O=SomeOrg, OU=SomeOU, CN=SomeCN", True),
        ("signing-cert.pem", "C=US, ST=WA, O=SomeOtherOrg", False),
        ("signing-cert.pem", "C=US, ST=WA, O=SomeOrg, CN=Some", False),
        # its common name is what a name in text could not be told apart from two attributes
        ("bad-cert.pem", "C=US, ST=WA, O=SomeOrg", True),
        ("bad-cert.pem", "C=US, ST=WA, O=SomeOrg, CN=Bad", False),
        ("bad-cert.pem", r"C=US, ST=WA, O=SomeOrg, CN=Bad\=\#CN", True),
    ],
)
def test_identities(file: str, identity: str, matches: bool) -> None:
    [certificate] = read_certificates((VECTORS / "verifier" / file).read_bytes())
    [subject] = parse_subjects([f"x509.subject: {identity}"], "trustedIdentities")
    assert subject.matches(certificate.subject) is matches

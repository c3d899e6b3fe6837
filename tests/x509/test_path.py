"""Paths of certificates: what is accepted, and each reason to refuse, told apart."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from assay import limits
from assay.x509 import oids
from assay.x509.load import read_certificates
from assay.x509.path import find_path
from assay.x509.requirements import PathResult, Requirements
from tests.support.certificates import (
    END,
    NOW,
    START,
    Holder,
    key_of,
    make,
    name_of,
    root,
    usage,
)

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"


def find(
    leaf: Holder, between: Sequence[Holder] = (), anchors: Sequence[Holder] = (), **asked: Any
) -> PathResult:
    return find_path(
        leaf.certificate,
        [each.certificate for each in between],
        [each.certificate for each in anchors],
        Requirements(**({"at": NOW} | asked)),
    )


def names(result: PathResult) -> list[str]:
    return [str(each) for each in result.path]


def reasons(result: PathResult) -> set[str]:
    assert not result.path
    assert result.faults
    return {fault.code for fault in result.faults}


def about(result: PathResult) -> str:
    return " / ".join(fault.detail for fault in result.faults)


@pytest.mark.parametrize(
    "kind",
    ["p256", "p384", "p521", "rsa2048", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87"],
)
def test_a_path_of_every_kind_of_key(kind: str) -> None:
    top = root(key=key_of(kind))
    middle = make("Middle", top, ca=True, key=key_of(kind, 1))
    leaf = make("Leaf", middle, key=key_of(kind, 2))
    assert names(find(leaf, [middle], [top])) == ["CN=Leaf", "CN=Middle", "CN=Root"]


def test_a_path_signed_with_rsa_pss() -> None:
    top = root(key=key_of("rsa2048"))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    leaf = make("Leaf", top, rsa_padding=pss)
    assert find(leaf, [], [top]).path


def test_a_certificate_below_the_root_can_be_the_anchor() -> None:
    top = root()
    middle = make("Middle", top, ca=True)
    leaf = make("Leaf", middle)
    assert names(find(leaf, [], [middle])) == ["CN=Leaf", "CN=Middle"]
    assert names(find(leaf, [top], [middle])) == ["CN=Leaf", "CN=Middle"]


def test_a_pinned_certificate_is_its_own_path() -> None:
    leaf = make("Leaf", root())
    assert names(find(leaf, [], [leaf])) == ["CN=Leaf"]
    selfish = make("Self-signed", ca=None)
    assert names(find(selfish, [], [selfish])) == ["CN=Self-signed"]


def test_a_pinned_certificate_still_expires_and_still_has_a_purpose() -> None:
    leaf = make("Leaf", root(), eku=[oids.SERVER_AUTH])
    late = find(leaf, [], [leaf], at=END + timedelta(seconds=1))
    assert reasons(late) == {"key-expired"}
    wrong = find(leaf, [], [leaf], purposes=frozenset({oids.CODE_SIGNING}))
    assert reasons(wrong) == {"key-not-permitted"}


# unknown issuers


def test_an_unknown_issuer_is_named() -> None:
    result = find(make("Leaf", root("Other")), [], [root("Root")])
    assert reasons(result) == {"unknown-issuer"}
    assert result.faults[0].actual == "CN=Other"
    assert result.faults[0].expected == "CN=Root"


def test_a_missing_certificate_in_between_is_told() -> None:
    top = root()
    middle = make("Middle", top, ca=True)
    low = make("Low", middle, ca=True)
    result = find(make("Leaf", low), [low], [top])
    assert reasons(result) == {"unknown-issuer"}
    assert result.faults[0].actual == "CN=Middle"
    assert "CN=Low" in about(result)


def test_a_self_signed_certificate_proves_nothing_of_itself() -> None:
    result = find(make("Leaf", ca=None), [], [root()])
    assert reasons(result) == {"unknown-issuer"}
    assert "names itself" in about(result)


def test_an_authority_of_the_same_name_with_another_key() -> None:
    impostor = root("Root")
    result = find(make("Leaf", impostor, identifiers=False), [], [root("Root")])
    assert reasons(result) == {"certificate-signature-invalid"}
    result = find(make("Leaf", impostor), [], [root("Root")])
    assert reasons(result) == {"unknown-issuer"}
    assert "another key" in about(result)


def test_an_authority_renewed_with_a_new_key_is_told_apart_by_its_key() -> None:
    old, new = root("Root"), root("Root")
    leaf = make("Leaf", new)
    assert find(leaf, [], [old, new]).path
    assert find(make("Leaf", new, identifiers=False), [], [old, new]).path


def test_an_authority_renewed_with_the_same_key_may_have_expired_before() -> None:
    key = key_of("p256", 77)
    expired = root("Root", key=key, start=START - timedelta(days=900), end=START)
    renewed = root("Root", key=key)
    leaf = make("Leaf", renewed)
    assert find(leaf, [], [expired, renewed]).path[1] == renewed.certificate
    assert reasons(find(leaf, [], [expired])) == {"key-expired"}


# validity


@pytest.mark.parametrize("which", [0, 1, 2])
def test_every_certificate_of_the_path_can_expire(which: int) -> None:
    ends = [END, END, END]
    ends[which] = NOW - timedelta(days=1)
    top = root(end=ends[2])
    middle = make("Middle", top, ca=True, end=ends[1])
    result = find(make("Leaf", middle, end=ends[0]), [middle], [top])
    assert reasons(result) == {"key-expired"}
    assert ["CN=Leaf", "CN=Middle", "CN=Root"][which] in about(result)
    assert result.faults[0].cause == "expiry"


def test_validity_includes_its_first_and_last_second() -> None:
    top = root(start=START - timedelta(days=1), end=END + timedelta(days=1))
    leaf = make("Leaf", top)
    assert find(leaf, [], [top], at=START).path
    assert find(leaf, [], [top], at=END).path
    assert reasons(find(leaf, [], [top], at=START - timedelta(seconds=1))) == {
        "certificate-not-yet-valid"
    }
    assert reasons(find(leaf, [], [top], at=END + timedelta(seconds=1))) == {"key-expired"}


def test_the_last_second_counts_in_full() -> None:
    top = root()
    leaf = make("Leaf", top)
    assert find(leaf, [], [top], at=END + timedelta(milliseconds=999)).path


def test_an_authority_has_a_name() -> None:
    top = root(x509.Name([]))
    assert reasons(find(make("Leaf", top), [], [top])) == {"not-an-authority"}


def test_what_firmware_ignores_can_be_ignored_for_its_sake() -> None:
    top = root(end=NOW - timedelta(days=1))
    leaf = make("Leaf", top)
    assert find(leaf, [], [top], timeless=True).path


# authorities


def test_a_certificate_that_is_no_authority_issues_nothing() -> None:
    top = root()
    signer = make("Signer", top)
    result = find(make("Forged", signer), [signer], [top])
    assert reasons(result) == {"not-an-authority"}
    assert "CN=Signer is no authority" in about(result)


def test_a_certificate_without_basic_constraints_issues_nothing() -> None:
    top = root()
    signer = make("Signer", top, ca=None)
    assert reasons(find(make("Forged", signer), [signer], [top])) == {"not-an-authority"}
    bare = make("Bare root", ca=None)
    assert reasons(find(make("Leaf", bare), [], [bare])) == {"not-an-authority"}


def test_an_authority_needs_key_cert_sign_where_it_has_key_usage() -> None:
    top = root()
    middle = make("Middle", top, ca=True, key_usage=usage("digital_signature"))
    result = find(make("Leaf", middle), [middle], [top])
    assert reasons(result) == {"not-an-authority"}
    assert "key usage" in about(result)


def test_path_length_counts_authorities_between() -> None:
    top = root(path_length=1)
    first = make("First", top, ca=True)
    second = make("Second", first, ca=True)
    assert find(make("Leaf", first), [first], [top]).path
    result = find(make("Leaf", second), [first, second], [top])
    assert reasons(result) == {"path-too-long"}
    assert result.faults[0].expected == "at most 1"


def test_path_length_zero_of_one_in_between() -> None:
    top = root()
    first = make("First", top, ca=True, path_length=0)
    second = make("Second", first, ca=True)
    assert find(make("Leaf", first), [first], [top]).path
    assert reasons(find(make("Leaf", second), [first, second], [top])) == {"path-too-long"}


def test_self_issued_certificates_do_not_count_for_path_length() -> None:
    top = root(path_length=0)
    rolled = make(name_of("Root"), top, ca=True)
    leaf = make("Leaf", rolled)
    assert len(find(leaf, [rolled], [top]).path) == 3


# purposes and usage


SIGNING = frozenset({oids.CODE_SIGNING, oids.EMAIL_PROTECTION})


@pytest.mark.parametrize(
    ("eku", "explicit", "right"),
    [
        ([], False, True),
        ([], True, False),
        ([oids.CODE_SIGNING], False, True),
        ([oids.CODE_SIGNING], True, True),
        ([oids.SERVER_AUTH, oids.EMAIL_PROTECTION], True, True),
        ([oids.ANY_PURPOSE], False, True),
        ([oids.ANY_PURPOSE], True, False),
        ([oids.SERVER_AUTH], False, False),
        ([oids.TIME_STAMPING], False, False),
    ],
)
def test_purposes_of_the_signer(eku: list[str], explicit: bool, right: bool) -> None:
    top = root()
    result = find(make("Leaf", top, eku=eku), [], [top], purposes=SIGNING, explicit=explicit)
    if right:
        assert result.path
    else:
        assert reasons(result) == {"key-not-permitted"}
        assert "codeSigning or emailProtection" in result.faults[0].expected


def test_eku_confusion_an_authority_for_web_servers_makes_a_code_signer() -> None:
    top = root()
    web = make("Web CA", top, ca=True, eku=[oids.SERVER_AUTH])
    leaf = make("Leaf", web, eku=[oids.CODE_SIGNING])
    result = find(leaf, [web], [top], purposes=SIGNING)
    assert reasons(result) == {"key-not-permitted"}
    assert "CN=Web CA" in about(result)


def test_one_purpose_has_to_run_through_the_whole_path() -> None:
    top = root()
    mail = make("Mail CA", top, ca=True, eku=[oids.EMAIL_PROTECTION])
    leaf = make("Leaf", mail, eku=[oids.CODE_SIGNING])
    assert reasons(find(leaf, [mail], [top], purposes=SIGNING)) == {"key-not-permitted"}
    both = make("Both", mail, eku=[oids.CODE_SIGNING, oids.EMAIL_PROTECTION])
    assert find(both, [mail], [top], purposes=SIGNING).path


def test_a_purpose_alone_and_critical() -> None:
    top = root()
    asked = {"purposes": frozenset({oids.TIME_STAMPING}), "explicit": True, "alone": True}
    good = make("TSA", top, eku=[oids.TIME_STAMPING], eku_critical=True)
    soft = make("TSA", top, eku=[oids.TIME_STAMPING])
    two = make("TSA", top, eku=[oids.TIME_STAMPING, oids.CODE_SIGNING], eku_critical=True)
    assert find(good, [], [top], **asked).path
    assert reasons(find(soft, [], [top], **asked)) == {"key-not-permitted"}
    assert reasons(find(two, [], [top], **asked)) == {"key-not-permitted"}


def test_a_key_for_encryption_signs_nothing() -> None:
    top = root()
    result = find(make("Leaf", top, key_usage=usage("key_encipherment")), [], [top])
    assert reasons(result) == {"key-not-permitted"}
    assert find(make("Leaf", top, key_usage=usage("content_commitment")), [], [top]).path


# algorithms


def test_short_rsa_keys_are_refused_wherever_they_are() -> None:
    weak = key_of("rsa1024")
    top = root()
    assert reasons(find(make("Leaf", top, key=weak), [], [top])) == {"weak-signature"}
    short = root("Short", key=weak)
    assert "weak-signature" in reasons(find(make("Leaf", short), [], [short]))
    assert "1024 bits" in about(find(make("Leaf", short), [], [short]))


def test_unusual_curves_are_refused() -> None:
    top = root()
    result = find(make("Leaf", top, key=key_of("p192")), [], [top])
    assert reasons(result) == {"signature-unsupported"}


def test_a_sha1_signature_is_refused_but_not_that_of_the_anchor_itself(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    top = root(key=key_of("rsa2048"))
    certificate, key = top.write(tmp_path, "root")
    leaf, itself = tmp_path / "leaf.crt", tmp_path / "self.crt"

    def sign(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    leaf_key = make("Leaf", top).write(tmp_path, "leaf")[1]
    sign("req", "-new", "-key", leaf_key, "-subj", "/CN=Leaf", "-out", tmp_path / "leaf.csr")
    sign("x509", "-req", "-sha1", "-in", tmp_path / "leaf.csr", "-CA", certificate, "-CAkey", key,
         "-days", "2", "-out", leaf)  # fmt: skip
    sign("req", "-x509", "-sha1", "-new", "-key", leaf_key, "-subj", "/CN=Self", "-days", "2",
         "-out", itself)  # fmt: skip
    [old], [own] = read_certificates(leaf.read_bytes()), read_certificates(itself.read_bytes())
    now = Requirements(datetime.now(UTC), timeless=True)
    assert reasons(find_path(old, [], [top.certificate], now)) == {"weak-signature"}
    legacy = Requirements(datetime.now(UTC), timeless=True, legacy=True)
    assert find_path(old, [], [top.certificate], legacy).path
    assert find_path(own, [], [own], now).path


# extensions


def test_an_unknown_critical_extension_refuses() -> None:
    strange = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    top = root()
    result = find(make("Leaf", top, extensions=[(strange, True)]), [], [top])
    assert reasons(result) == {"critical-extension-unknown"}
    assert result.faults[0].actual == "1.3.6.1.4.1.99999.1"
    assert find(make("Leaf", top, extensions=[(strange, False)]), [], [top]).path
    odd = root(extensions=[(strange, True)])
    assert reasons(find(make("Leaf", odd), [], [odd])) == {"critical-extension-unknown"}


def test_explicit_policies_are_refused_and_policies_alone_are_not() -> None:
    policy = x509.CertificatePolicies(
        [x509.PolicyInformation(ObjectIdentifier("1.3.6.1.4.1.99999.2"), None)]
    )
    top = root()
    middle = make("Middle", top, ca=True, extensions=[(policy, True)])
    assert find(make("Leaf", middle), [middle], [top]).path
    demanding = make("Middle", top, ca=True, extensions=[(x509.PolicyConstraints(0, None), True)])
    result = find(make("Leaf", demanding), [demanding], [top])
    assert reasons(result) == {"critical-extension-unknown"}
    lenient = make("Middle", top, ca=True, extensions=[(x509.PolicyConstraints(None, 0), True)])
    assert find(make("Leaf", lenient), [lenient], [top]).path


# name constraints


def dns(name: str) -> x509.DNSName:
    return x509.DNSName(name)


def mail(name: str) -> x509.RFC822Name:
    return x509.RFC822Name._init_without_validation(name)


def uri(name: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(name)


def ip(text: str) -> x509.IPAddress:
    value = ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text)
    return x509.IPAddress(value)


def directory(**fields: str) -> x509.DirectoryName:
    return x509.DirectoryName(
        x509.Name([x509.NameAttribute(getattr(NameOID, k.upper()), v) for k, v in fields.items()])
    )


@pytest.mark.parametrize(
    ("constraint", "name", "inside"),
    [
        (dns("example.com"), dns("example.com"), True),
        (dns("example.com"), dns("build.EXAMPLE.com"), True),
        (dns("example.com"), dns("badexample.com"), False),
        (dns("example.com"), dns("example.com.evil.org"), False),
        (dns(".example.com"), dns("build.example.com"), True),
        (dns(".example.com"), dns("example.com"), False),
        (dns("example.com"), dns("*.example.com"), True),
        (dns("build.example.com"), dns("*.example.com"), False),
        (mail("example.com"), mail("alice@example.com"), True),
        (mail("example.com"), mail("alice@mail.example.com"), False),
        (mail(".example.com"), mail("alice@mail.example.com"), True),
        (mail("alice@example.com"), mail("alice@EXAMPLE.com"), True),
        (mail("alice@example.com"), mail("bob@example.com"), False),
        (mail("example.com"), mail("alice@evil.org@example.com"), False),
        (uri("example.com"), uri("https://example.com/build"), True),
        (uri("example.com"), uri("https://www.example.com/build"), False),
        (uri(".example.com"), uri("https://www.example.com:8443/build"), True),
        (uri("example.com"), uri("https://example.com@evil.org/"), False),
        (uri("example.com"), uri("https://192.0.2.1/"), False),
        (uri("example.com"), uri("urn:example:build"), False),
        (ip("192.0.2.0/24"), ip("192.0.2.77"), True),
        (ip("192.0.2.0/24"), ip("192.0.3.77"), False),
        (ip("2001:db8::/32"), ip("2001:db8::1"), True),
        (ip("192.0.2.0/24"), ip("2001:db8::1"), False),
        (
            directory(organization_name="Example"),
            directory(organization_name="EXAMPLE", common_name="Build"),
            True,
        ),
        (
            directory(organization_name="Example"),
            directory(common_name="Build", organization_name="Example"),
            False,
        ),
    ],
)
def test_permitted_names(constraint: Any, name: Any, inside: bool) -> None:
    fields = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]
    subject = x509.Name([*fields, x509.NameAttribute(NameOID.COMMON_NAME, "Leaf")])
    top = root(permitted=[constraint])
    result = find(make(subject, top, names=[name]), [], [top])
    if inside:
        assert result.path
    else:
        assert reasons(result) == {"name-constraint-violated"}


@pytest.mark.parametrize(
    ("constraint", "name", "inside"),
    [
        (dns("evil.example.com"), dns("evil.example.com"), True),
        (dns("evil.example.com"), dns("a.evil.example.com"), True),
        (dns("evil.example.com"), dns("good.example.com"), False),
        (dns("evil.example.com"), dns("*.example.com"), True),
        (dns("evil.example.com"), dns("*.example.org"), False),
        (mail("example.com"), mail("alice@example.com"), True),
        (mail("example.com"), mail("alice@example.org"), False),
        (ip("192.0.2.0/24"), ip("192.0.2.1"), True),
        (directory(common_name="Leaf"), dns("example.org"), True),
        (directory(common_name="Other"), dns("example.org"), False),
    ],
)
def test_excluded_names(constraint: Any, name: Any, inside: bool) -> None:
    top = root(excluded=[constraint])
    result = find(make("Leaf", top, names=[name]), [], [top])
    assert bool(result.path) is not inside


def test_a_constraint_holds_for_the_subject_and_for_addresses_in_it() -> None:
    top = root(permitted=[directory(organization_name="Example")])
    assert reasons(find(make("Leaf", top), [], [top])) == {"name-constraint-violated"}
    top = root(permitted=[mail("example.com")])
    good = make(name_of("Leaf", email_address="alice@example.com"), top)
    bad = make(name_of("Leaf", email_address="alice@example.org"), top)
    assert find(good, [], [top]).path
    assert reasons(find(bad, [], [top])) == {"name-constraint-violated"}
    assert find(make("Nothing of that kind", top), [], [top]).path


def test_constraints_add_up_along_the_path() -> None:
    top = root(permitted=[dns("example.com")])
    middle = make("Middle", top, ca=True, permitted=[dns("build.example.com")])
    wide = make("Wide", top, ca=True, permitted=[dns("example.org")])
    assert find(make("L", middle, names=[dns("a.build.example.com")]), [middle], [top]).path
    assert not find(make("L", middle, names=[dns("a.example.com")]), [middle], [top]).path
    assert not find(make("L", wide, names=[dns("a.example.org")]), [wide], [top]).path


def test_constraints_do_not_bind_self_issued_certificates_in_between() -> None:
    top = root(excluded=[directory(common_name="Root")])
    rolled = make(name_of("Root"), top, ca=True)
    assert find(make("Leaf", rolled), [rolled], [top]).path


def test_constraints_of_an_unsupported_kind_fail_closed() -> None:
    other = x509.RegisteredID(ObjectIdentifier("1.2.3.4"))
    top = root(permitted=[other])
    result = find(make("Leaf", top), [], [top])
    assert reasons(result) == {"name-constraint-violated"}
    assert "not supported" in about(result)


# the search


def test_crossed_certificates_lead_to_whichever_authority_is_known() -> None:
    old, new = root("Old"), root("New")
    crossed = make(name_of("New"), old, ca=True, key=new.key)
    leaf = make("Leaf", new)
    assert names(find(leaf, [crossed], [old])) == ["CN=Leaf", "CN=New", "CN=Old"]
    assert names(find(leaf, [crossed], [new])) == ["CN=Leaf", "CN=New"]
    assert names(find(leaf, [new, crossed], [old])) == ["CN=Leaf", "CN=New", "CN=Old"]


def test_authorities_that_certify_each_other_make_no_circle() -> None:
    first, second = root("First"), root("Second")
    up, down = (
        make(name_of("First"), second, ca=True, key=first.key),
        make(name_of("Second"), first, ca=True, key=second.key),
    )
    result = find(make("Leaf", first), [first, second, up, down], [root("Other")])
    assert reasons(result) == {"unknown-issuer"}


def test_a_better_path_is_found_behind_a_worse_one() -> None:
    top = root()
    key = key_of("p256", 5)
    expired = make("Middle", top, ca=True, key=key, end=NOW - timedelta(days=1))
    good = make("Middle", top, ca=True, key=key)
    leaf = make("Leaf", good)
    for order in ([expired, good], [good, expired]):
        assert find(leaf, order, [top]).path[1] == good.certificate


def test_the_closest_path_explains_the_failure() -> None:
    top = root()
    key = key_of("p256", 6)
    expired = make("Middle", top, ca=True, key=key, end=NOW - timedelta(days=1))
    worse = make("Middle", top, ca=False, key=key, end=NOW - timedelta(days=1))
    assert reasons(find(make("Leaf", expired), [worse, expired], [top])) == {"key-expired"}


def test_a_maze_of_certificates_is_given_up_in_time() -> None:
    # few certificates and short paths, and more ways through them than are tried
    above = root("0")
    maze = []
    for depth in range(1, limits.PATH_LENGTH - 2):
        key = key_of("p256", depth)
        layer = [make(str(depth), above, ca=True, key=key) for _ in range(3)]
        maze += layer
        above = layer[0]
    assert 9 * (limits.PATH_LENGTH - 3) < limits.PATH_CHECKS
    assert 3 ** (limits.PATH_LENGTH - 3) > limits.PATH_STEPS
    result = find(make("Leaf", above), maze, [root("Other")])
    assert reasons(result) == {"path-too-long"}
    assert "attempts" in about(result)


def test_signatures_of_certificates_are_checked_only_so_often() -> None:
    above, key = root("0"), key_of("p256", 1)
    issuers = [make("1", above, ca=True, key=key) for _ in range(limits.PATH_CHECKS + 1)]
    leaf = make("Leaf", issuers[0])
    result = find(leaf, issuers, [root("Other")])
    assert reasons(result) == {"path-too-long"}
    assert find(leaf, issuers, [above]).path


def test_a_chain_that_is_too_long_is_given_up() -> None:
    chain = [root("0")]
    for depth in range(limits.PATH_LENGTH):
        chain.append(make(str(depth + 1), chain[-1], ca=True))
    result = find(make("Leaf", chain[-2]), chain[1:], [chain[0]])
    assert reasons(result) == {"path-too-long"}
    assert find(make("Leaf", chain[-3]), chain[1:], [chain[0]]).path


def test_a_signature_by_another_key_is_refused() -> None:
    top = root()
    leaf = make("Leaf", top, signed_with=key_of("p256", 9))
    assert reasons(find(leaf, [], [top])) == {"certificate-signature-invalid"}


def test_names_are_compared_as_names_whatever_their_strings() -> None:
    top = root(
        x509.Name(
            [
                x509.NameAttribute(
                    NameOID.COMMON_NAME, "Root  CA", _type=x509.name._ASN1Type.UTF8String
                )
            ]
        )
    )
    issuer = Holder(top.key, top.made)
    leaf = make("Leaf", issuer)
    twin = root(
        x509.Name(
            [
                x509.NameAttribute(
                    NameOID.COMMON_NAME, "root ca", _type=x509.name._ASN1Type.PrintableString
                )
            ]
        ),
        key=top.key,
    )
    assert find(leaf, [], [twin]).path


# real ones


def vector(name: str) -> list[Any]:
    path = VECTORS / "rauc" / "openssl-ca" / name
    if not path.exists():
        pytest.skip("the vectors are not here")
    return read_certificates(path.read_bytes())


@pytest.mark.parametrize(
    ("leaf", "anchor", "codes"),
    [
        ("dev/autobuilder-1.cert.pem", "root-ca.pem", set()),
        ("rel/release-1.cert.pem", "rel-ca.pem", set()),
        ("rel/release-1.cert.pem", "dev-partial-ca.pem", {"unknown-issuer"}),
        ("dev/autobuilder-1.cert.pem", "dev-partial-ca.pem", set()),
        ("rel/release-2018.cert.pem", "root-ca.pem", {"key-expired"}),
        ("dev/xku-codeSigning-rauc.cert.pem", "root-ca.pem", set()),
        ("dev/xku-emailProtection.cert.pem", "root-ca.pem", set()),
        ("root/xku-timeStamping.cert.pem", "root-ca.pem", {"key-not-permitted"}),
        ("web/client-1.cert.pem", "root-ca.pem", {"key-not-permitted"}),
    ],
)
def test_the_authority_of_rauc(leaf: str, anchor: str, codes: set[str]) -> None:
    between = [vector(f"{name}/ca.cert.pem")[0] for name in ("dev", "rel", "web")]
    at = datetime(2026, 6, 1, tzinfo=UTC)
    result = find_path(vector(leaf)[0], between, vector(anchor), Requirements(at, purposes=SIGNING))
    assert {fault.code for fault in result.faults} == codes
    assert bool(result.path) is not bool(codes)

"""Revocation lists: what they say, and when they say nothing."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.asn1.der import encode
from assay.model.finding import AssayError
from assay.x509.crl import read_crl, read_crls
from assay.x509.load import read_certificates
from assay.x509.path import find_path
from assay.x509.requirements import PathResult, Requirements
from tests.signatures.support import flips
from tests.support.certificates import (
    END,
    NOW,
    START,
    Holder,
    crl,
    key_of,
    make,
    name_of,
    root,
    usage,
)

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
Reason = x509.ReasonFlags
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def top() -> Holder:
    return root(key=key_of("p256"))


@pytest.fixture
def leaf(top: Holder) -> Holder:
    return make("Leaf", top)


def check(
    leaf: Holder, top: Holder, *lists: bytes, between: tuple[Holder, ...] = (), **asked: Any
) -> PathResult:
    return find_path(
        leaf.certificate,
        [each.certificate for each in between],
        [top.certificate],
        Requirements(**({"at": NOW} | asked), lists=tuple(read_crl(each) for each in lists)),
    )


def reason(result: PathResult) -> str:
    assert not result.path
    [fault] = result.faults
    return fault.code


def scoped(**options: Any) -> list[tuple[x509.ExtensionType, bool]]:
    every = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return [(x509.IssuingDistributionPoint(**(every | options)), True)]  # type: ignore[arg-type]


def test_a_list_that_names_the_certificate(leaf: Holder, top: Holder) -> None:
    entry = (leaf.certificate.serial, START + DAY, Reason.key_compromise)
    result = check(leaf, top, crl(top, (1, START, None), entry, (3, START, None)))
    assert reason(result) == "key-revoked"
    assert "revoked on 2025-06-02 00:00:00Z (keyCompromise)" in result.faults[0].detail


def test_a_list_that_does_not(leaf: Holder, top: Holder) -> None:
    assert check(leaf, top, crl(top)).path
    others = [(leaf.certificate.serial + n, START, None) for n in range(1, 50)]
    assert check(leaf, top, crl(top, *others)).path


def test_an_authority_in_between_is_checked_as_well(top: Holder) -> None:
    middle = make("Middle", top, ca=True)
    leaf = make("Leaf", middle)
    below = crl(middle)
    assert check(leaf, top, crl(top), below, between=(middle,)).path
    revoked = crl(top, (middle.certificate.serial, START, Reason.ca_compromise))
    assert reason(check(leaf, top, revoked, below, between=(middle,))) == "key-revoked"


@pytest.mark.parametrize("missing", [0, 1])
def test_every_certificate_needs_a_list_once_lists_are_given(top: Holder, missing: int) -> None:
    middle = make("Middle", top, ca=True)
    leaf = make("Leaf", middle)
    lists = [crl(top), crl(middle)]
    del lists[missing]
    result = check(leaf, top, *lists, between=(middle,))
    assert reason(result) == "revocation-unknown"
    assert ["CN=Middle", "CN=Leaf"][missing] in result.faults[0].detail


@pytest.mark.parametrize(
    ("start", "end", "right"),
    [
        (NOW - DAY, NOW + DAY, True),
        (NOW, NOW, True),
        (NOW - 2 * DAY, NOW - DAY, False),
        (NOW + DAY, NOW + 2 * DAY, False),
    ],
)
def test_a_list_counts_while_it_is_current(
    leaf: Holder, top: Holder, start: datetime, end: datetime, right: bool
) -> None:
    if start == end:
        end += timedelta(seconds=1)
    result = check(leaf, top, crl(top, start=start, end=end))
    assert bool(result.path) is right
    if not right:
        assert reason(result) == "revocation-unknown"


def test_an_old_list_still_tells_of_a_revocation(leaf: Holder, top: Holder) -> None:
    entry = (leaf.certificate.serial, START, Reason.superseded)
    old = crl(top, entry, end=NOW - DAY)
    assert reason(check(leaf, top, old)) == "key-revoked"
    assert reason(check(leaf, top, crl(top), old)) == "key-revoked"


def test_a_hold_that_a_newer_list_no_longer_has(leaf: Holder, top: Holder) -> None:
    held = crl(top, (leaf.certificate.serial, START, Reason.certificate_hold), end=NOW - DAY)
    assert reason(check(leaf, top, held)) == "key-revoked"
    assert check(leaf, top, held, crl(top, start=NOW - DAY, number=2)).path


def test_a_list_by_someone_else_says_nothing(leaf: Holder, top: Holder) -> None:
    entry = (leaf.certificate.serial, START, None)
    assert reason(check(leaf, top, crl(root("Other"), entry))) == "revocation-unknown"
    forged = crl(top, signed_with=key_of("p256", 40))
    result = check(leaf, top, forged)
    assert reason(result) == "revocation-unknown"
    assert "not signed with the issuer's key" in result.faults[0].detail


def test_an_issuer_that_may_not_sign_lists() -> None:
    top = root(key_usage=usage("key_cert_sign"))
    result = check(make("Leaf", top), top, crl(top))
    assert reason(result) == "revocation-unknown"
    assert "may not sign revocation lists" in result.faults[0].detail


def lists_key(issuer: Holder, **options: Any) -> Holder:
    """A certificate for signing lists, by the name of an authority."""
    chosen: dict[str, Any] = {"key_usage": usage("crl_sign")}
    return make(name_of("Middle"), issuer, **(chosen | options))


def test_an_authority_may_have_another_key_for_its_lists(top: Holder) -> None:
    middle = make("Middle", top, ca=True, key_usage=usage("key_cert_sign"))
    leaf = make("Leaf", middle)
    for issuer in (top, middle):
        other = lists_key(issuer)
        by_other = crl(other)
        for_other = [crl(top)] if issuer is top else [crl(top), by_other]
        good = check(leaf, top, by_other, *for_other, between=(middle, other))
        assert bool(good.path) is (issuer is top)


def test_a_list_is_not_signed_by_just_anyone_of_that_name(top: Holder) -> None:
    middle = make("Middle", top, ca=True, key_usage=usage("key_cert_sign"))
    leaf = make("Leaf", middle)
    wrong = {
        "self-made": make("Middle", ca=False, key_usage=usage("crl_sign")),
        "by another": lists_key(root("Other")),
        "for no lists": lists_key(top, key_usage=usage("digital_signature")),
        "without usage": make(name_of("Middle"), top),
        "expired": lists_key(top, end=NOW - DAY),
    }
    for other in wrong.values():
        result = check(leaf, top, crl(other), crl(top), between=(middle, other))
        assert reason(result) == "revocation-unknown"
    revoked = lists_key(top)
    entry = (revoked.certificate.serial, START, None)
    result = check(leaf, top, crl(revoked), crl(top, entry), between=(middle, revoked))
    assert reason(result) == "revocation-unknown"


def test_an_authority_that_renewed_its_key_still_revokes_with_the_new_one(top: Holder) -> None:
    old = make("Middle", top, ca=True)
    new = make(name_of("Middle"), top, ca=True)
    leaf = make("Leaf", old)
    entry = (leaf.certificate.serial, START, None)
    assert check(leaf, top, crl(new), crl(top), between=(old, new)).path
    result = check(leaf, top, crl(new, entry), crl(top), between=(old, new))
    assert reason(result) == "key-revoked"


def test_signatures_proven_older_than_a_harmless_revocation_stand(
    leaf: Holder, top: Holder
) -> None:
    def revoked(why: x509.ReasonFlags | None) -> bytes:
        return crl(top, (leaf.certificate.serial, NOW, why))

    before = {"at": NOW - DAY, "now": NOW + DAY}
    assert check(leaf, top, revoked(Reason.superseded), **before).path
    for why in (Reason.key_compromise, None):
        assert reason(check(leaf, top, revoked(why), **before)) == "key-revoked"
    after = {"at": NOW + DAY, "now": NOW + 2 * DAY}
    assert reason(check(leaf, top, revoked(Reason.superseded), **after)) == "key-revoked"
    assert reason(check(leaf, top, revoked(Reason.superseded), at=NOW)) == "key-revoked"


# scopes


def test_lists_for_users_and_for_authorities(leaf: Holder, top: Holder) -> None:
    users = crl(top, extensions=scoped(only_contains_user_certs=True))
    authorities = crl(top, extensions=scoped(only_contains_ca_certs=True))
    assert check(leaf, top, users).path
    assert reason(check(leaf, top, authorities)) == "revocation-unknown"
    middle = make("Middle", top, ca=True)
    below = make("Leaf", middle)
    assert check(below, top, authorities, crl(middle), between=(middle,)).path
    assert not check(below, top, users, crl(middle), between=(middle,)).path


def test_a_list_for_one_distribution_point(top: Holder) -> None:
    def point(name: str) -> list[x509.GeneralName]:
        return [x509.UniformResourceIdentifier(f"http://crl.example/{name}")]

    points = x509.CRLDistributionPoints([x509.DistributionPoint(point("one"), None, None, None)])
    leaf = make("Leaf", top, extensions=[(points, False)])
    assert check(leaf, top, crl(top, extensions=scoped(full_name=point("one")))).path
    other = check(leaf, top, crl(top, extensions=scoped(full_name=point("two"))))
    assert reason(other) == "revocation-unknown"
    plain = make("Plain", top)
    assert not check(plain, top, crl(top, extensions=scoped(full_name=point("one")))).path


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"indirect_crl": True}, "indirect"),
        ({"only_some_reasons": frozenset([Reason.key_compromise])}, "some reasons"),
        ({"only_contains_attribute_certs": True}, "attribute certificates"),
    ],
)
def test_kinds_of_lists_that_are_refused(
    leaf: Holder, top: Holder, options: dict[str, Any], why: str
) -> None:
    result = check(leaf, top, crl(top, extensions=scoped(**options)))
    assert reason(result) == "revocation-unknown"
    assert why in result.faults[0].detail


def test_an_unknown_critical_extension_of_a_list(leaf: Holder, top: Holder) -> None:
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert reason(check(leaf, top, crl(top, extensions=[(strange, True)]))) == "revocation-unknown"
    assert check(leaf, top, crl(top, extensions=[(strange, False)])).path


def delta(top: Holder, *revoked: Any, base: int, number: int) -> bytes:
    return crl(top, *revoked, number=number, extensions=[(x509.DeltaCRLIndicator(base), True)])


def test_delta_lists_change_the_list_that_they_are_for(leaf: Holder, top: Holder) -> None:
    serial = leaf.certificate.serial
    clean, held = crl(top, number=5), crl(top, (serial, START, Reason.certificate_hold), number=5)
    added = delta(top, (serial, NOW, Reason.superseded), base=5, number=6)
    removed = delta(top, (serial, NOW, Reason.remove_from_crl), base=5, number=6)
    assert reason(check(leaf, top, clean, added)) == "key-revoked"
    assert check(leaf, top, held, removed).path
    assert reason(check(leaf, top, held)) == "key-revoked"
    later = delta(top, (serial, NOW, Reason.key_compromise), base=5, number=7)
    assert reason(check(leaf, top, held, later, removed)) == "key-revoked"
    other = delta(top, (serial, NOW, Reason.remove_from_crl), base=6, number=7)
    assert reason(check(leaf, top, held, other)) == "key-revoked"
    assert reason(check(leaf, top, removed)) == "revocation-unknown"


def test_removed_means_nothing_in_a_complete_list(leaf: Holder, top: Holder) -> None:
    entry = (leaf.certificate.serial, START, Reason.remove_from_crl)
    assert reason(check(leaf, top, crl(top, entry))) == "key-revoked"


# reading


def test_files_of_lists(top: Holder) -> None:
    import base64

    data = crl(top)
    text = base64.encodebytes(data).decode()
    pem = f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n".encode()
    assert len(read_crls(data)) == 1
    assert len(read_crls(pem + pem)) == 2
    for bad in (b"", b"<html>", top.pem, data + b"\x00", data[:-1]):
        with pytest.raises(AssayError) as raised:
            read_crls(bad)
        assert raised.value.finding.code == "crl-malformed"


def test_every_flipped_bit_of_a_list_makes_it_say_nothing(leaf: Holder, top: Holder) -> None:
    data = crl(top, (1, START, Reason.key_compromise))
    for changed in flips(data, 5):
        with contextlib.suppress(AssayError):
            assert not check(leaf, top, changed).path


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    for value in (data, encode(0x30, data)):
        with contextlib.suppress(AssayError):
            read_crls(value)


def test_the_lists_of_rauc() -> None:
    folder = VECTORS / "rauc" / "openssl-ca"
    if not folder.exists():
        pytest.skip("the vectors are not here")

    def certificates(name: str) -> list[Any]:
        return read_certificates((folder / name).read_bytes())

    lists = tuple(
        each
        for name in ("root", "dev", "rel")
        for each in read_crls((folder / name / "crl.pem").read_bytes())
    )
    asked = Requirements(NOW, lists=lists)
    assert END > NOW
    between = certificates("dev/ca.cert.pem") + certificates("rel/ca.cert.pem")
    codes = {}
    for name in ("dev/autobuilder-1", "dev/autobuilder-2", "rel/release-1"):
        [leaf] = certificates(f"{name}.cert.pem")
        found = find_path(leaf, between, certificates("root-ca.pem"), asked)
        codes[name] = [fault.code for fault in found.faults]
    assert codes == {
        "dev/autobuilder-1": [],
        "dev/autobuilder-2": ["key-revoked"],
        "rel/release-1": [],
    }

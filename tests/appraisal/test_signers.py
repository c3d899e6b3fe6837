"""A threshold counts who signed, not what was signed with."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule, Case
from assay.model.anchor import Anchor, Signer, Voucher
from assay.model.signature import Signature, SignatureOutcome, Status
from assay.model.verdict import Decision
from tests.appraisal.support import case, put, stored


def image(*anchors: Anchor, threshold: int = 2) -> Case:
    made = case(root="file", targets=("file",), anchors=list(anchors))
    made.rule = BuiltInRule(threshold)
    put(made, stored("file"), b"file")
    return made


def signed(made: Case, anchor: str, signer: Signer, document: str = "file") -> None:
    voucher = Voucher(anchor, document, "signature", signer)
    made.vouchers.append(voucher)
    signature = Signature(f"s{len(made.outcomes)}", "test", document)
    made.outcomes.append(SignatureOutcome(signature, Status.VERIFIED, (voucher,)))


def allowed(made: Case) -> bool:
    return appraise(made).decision is Decision.ALLOWED


def person(name: str, key: str = "", *more: str) -> Signer:
    return Signer(name, key or f"key of {name}", names=(name, *more))


CA = Anchor("ca:1", "ca", "an authority")


def test_two_people_under_one_authority_are_two_signers() -> None:
    made = image(CA)
    signed(made, "ca:1", person("CN=Alice"))
    assert not allowed(made)
    signed(made, "ca:1", person("CN=Bob"))
    assert allowed(made)


def test_two_people_under_one_identity_pattern_are_two_signers() -> None:
    made = image(Anchor("identity:1", "identity", "glob:*@a.example"))
    signed(made, "identity:1", person("alice@a.example"))
    signed(made, "identity:1", person("bob@a.example"))
    assert allowed(made)


def test_one_person_with_two_certificates_is_one_signer() -> None:
    made = image(CA)
    signed(made, "ca:1", person("CN=Alice", "old key"))
    signed(made, "ca:1", person("CN=Alice", "new key"))
    assert not allowed(made)


def test_one_person_with_two_signatures_is_one_signer() -> None:
    made = image(CA)
    signed(made, "ca:1", person("CN=Alice"))
    signed(made, "ca:1", replace(person("CN=Alice"), signed_at="2026-01-01T00:00:00Z"))
    assert not allowed(made)


def test_one_key_under_two_names_is_one_signer() -> None:
    made = image(CA)
    signed(made, "ca:1", person("CN=Alice", "K"))
    signed(made, "ca:1", person("CN=Release", "K"))
    assert not allowed(made)


def test_one_person_under_two_authorities_is_one_signer() -> None:
    made = image(CA, Anchor("ca:2", "ca", "another authority"))
    signed(made, "ca:1", person("alice@a.example", "K"))
    signed(made, "ca:2", person("CN=Alice", "L", "alice@a.example"))
    assert not allowed(made)


def test_names_join_over_several_certificates() -> None:
    made = image(CA, threshold=2)
    signed(made, "ca:1", person("CN=Alice", "K"))
    signed(made, "ca:1", person("alice@a.example", "L"))
    assert allowed(made)
    signed(made, "ca:1", person("CN=Alice", "M", "alice@a.example"))
    assert not allowed(made)


def test_an_operator_counts_once_however_many_keys_it_has() -> None:
    keys = [Anchor(f"key:{n}", "key", f"key {n}", operator="acme") for n in (1, 2)]
    made = image(*keys, Anchor("key:3", "key", "key 3"))
    for number in (1, 2):
        signed(made, f"key:{number}", Signer(f"key {number}", f"K{number}"))
    assert not allowed(made)
    signed(made, "key:3", Signer("key 3", "K3"))
    assert allowed(made)


def test_an_operator_is_one_by_whatever_kind_of_anchor_it_is_known() -> None:
    made = image(CA, Anchor("identity:1", "identity", "glob:*@a.example", operator="acme"))
    for name in ("alice@a.example", "bob@a.example"):
        signed(made, "ca:1", person(name))
        signed(made, "identity:1", person(name))
    assert not allowed(made)
    made.anchors[1] = replace(made.anchors[1], operator="")
    assert allowed(made)


@pytest.mark.parametrize("threshold", [1, 2])
def test_each_signer_has_to_vouch_for_the_whole_image(threshold: int) -> None:
    made = image(CA, threshold=threshold)
    put(made, stored("other"), b"other")
    signed(made, "ca:1", person("CN=Alice"))
    signed(made, "ca:1", person("CN=Bob"), "other")
    assert allowed(made) is (threshold == 1)

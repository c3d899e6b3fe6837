"""notation's trust policies and trust stores: carried over in full, or an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.model.finding import UsageError
from assay.signatures.notary.policy import POLICY_SCHEME, Action, Policy, Stamp
from assay.trust.anchors import Trust
from assay.trust.notation_subjects import parse_name
from tests.support.certificates import make, root
from tests.support.notary import signer

IMAGE = "docker://registry.example/app@sha256:" + "0" * 64
IDENTITY = "x509.subject: C=US, ST=WA, O=Example"


def statement(**more: Any) -> dict[str, Any]:
    found = {
        "name": "ours",
        "registryScopes": ["registry.example/app"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:ours"],
        "trustedIdentities": ["*"],
    } | more
    return {name: value for name, value in found.items() if value is not None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("ca", "signingAuthority", "tsa"):
        store = tmp_path / "truststore" / "x509" / kind / "ours"
        store.mkdir(parents=True)
        (store / "root.pem").write_bytes(root(kind).pem)
    return tmp_path


def write(folder: Path, *statements: dict[str, Any], name: str = "trustpolicy.json") -> None:
    document = {"version": "1.0", "trustPolicies": list(statements)}
    (folder / name).write_text(json.dumps(document))


def load(folder: Path, image: str = IMAGE, policy: str = "") -> Policy:
    trust = Trust().add_notation_config(folder, policy).for_image(image)
    [key] = [each for each in trust.keys if each.anchor]
    [anchor] = trust.anchors
    assert key.scheme == POLICY_SCHEME
    assert key.anchor == anchor.id
    assert anchor.kind == "ca"
    material: Policy = key.material
    return material


def test_a_strict_policy(folder: Path) -> None:
    write(folder, statement(trustedIdentities=[IDENTITY]))
    policy = load(folder)
    assert list(policy.authorities) == ["notary.x509"]
    assert policy.time_authorities == ()
    assert [str(each) for each in policy.subjects] == ["C=US, ST=WA, O=Example"]
    assert {policy.rules.validity, policy.rules.expiry, policy.rules.revocation} == {Action.ENFORCE}
    assert policy.rules.must_ask


def test_stores_of_every_kind(folder: Path) -> None:
    write(folder, statement(trustStores=["ca:ours", "signingAuthority:ours", "tsa:ours"]))
    policy = load(folder)
    assert set(policy.authorities) == {"notary.x509", "notary.x509.signingAuthority"}
    assert policy.time_authorities is not None
    assert len(policy.time_authorities) == 1
    assert policy.rules.stamp is Stamp.ALWAYS
    level = {"level": "strict", "verifyTimestamp": "afterCertExpiry"}
    write(folder, statement(trustStores=["ca:ours", "tsa:ours"], signatureVerification=level))
    assert load(folder).rules.stamp is Stamp.AFTER_EXPIRY


def test_a_permissive_policy_with_overrides(folder: Path) -> None:
    level = {"level": "permissive", "override": {"expiry": "enforce", "revocation": "skip"}}
    write(folder, statement(signatureVerification=level))
    rules = load(folder).rules
    assert rules.validity is Action.LOG
    assert rules.expiry is Action.ENFORCE
    assert rules.revocation is Action.SKIP
    assert not rules.must_ask


@pytest.mark.parametrize(
    "level", [{"level": "audit"}, {"level": "strict", "override": {"authenticity": "log"}}]
)
def test_a_policy_that_does_not_ask_who_signed(folder: Path, level: dict[str, Any]) -> None:
    write(folder, statement(signatureVerification=level))
    with pytest.raises(UsageError, match="vouch for no image"):
        load(folder)


def test_a_policy_that_skips(folder: Path) -> None:
    skip = statement(
        signatureVerification={"level": "skip"}, trustStores=None, trustedIdentities=None
    )
    write(folder, skip)
    with pytest.raises(UsageError, match="vouch for no image"):
        load(folder)


def test_scopes(folder: Path) -> None:
    write(
        folder,
        statement(),
        statement(name="rest", registryScopes=["*"], trustStores=["signingAuthority:ours"]),
    )
    assert "notary.x509" in load(folder).authorities
    for other in (
        "docker://registry.example/app/more@sha256:" + "0" * 64,
        "oci:/tmp/layout@sha256:0",
    ):
        assert "notary.x509.signingAuthority" in load(folder, other).authorities
    assert "notary.x509" in load(folder, "oci:/tmp/layout@sha256:0", "ours").authorities
    assert "notary.x509" in load(folder, "registry.example/app:1").authorities


def test_no_policy_applies(folder: Path) -> None:
    write(folder, statement())
    with pytest.raises(UsageError, match="no trust policy applies"):
        load(folder, "docker://registry.example/other:1")
    with pytest.raises(UsageError, match="no policy 'mine'"):
        load(folder, IMAGE, "mine")


def test_policies_for_files(folder: Path) -> None:
    blob = statement(registryScopes=None, globalPolicy=True, trustStores=["signingAuthority:ours"])
    write(folder, statement(name="images"), name="trustpolicy.oci.json")
    write(folder, blob, name="trustpolicy.blob.json")
    assert "notary.x509.signingAuthority" in load(folder, "/tmp/disk.img").authorities
    assert "notary.x509" in load(folder).authorities


@pytest.mark.parametrize("kind", ["bundle", "oci", "oci-archive", "docker-archive", "dir"])
def test_policies_for_files_are_for_no_image(folder: Path, kind: str) -> None:
    blob = statement(registryScopes=None, globalPolicy=True)
    write(folder, blob, name="trustpolicy.blob.json")
    with pytest.raises(UsageError, match="no trust policy applies"):
        load(folder, f"{kind}:app@sha256:{'0' * 64}")


def test_no_policy_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no trustpolicy\.json"):
        Trust().add_notation_config(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": None},
        {"more": 1},
        {"globalPolicy": True},
        {"registryScopes": []},
        {"registryScopes": None},
        {"registryScopes": ["*", "registry.example/app"]},
        {"registryScopes": ["registry.example/*"]},
        {"registryScopes": ["registry.example"]},
        {"registryScopes": ["https://registry.example/app"]},
        {"registryScopes": ["registry.example/app:1"]},
        {"registryScopes": ["registry.example/app", "registry.example/app"]},
        {"signatureVerification": None},
        {"signatureVerification": {}},
        {"signatureVerification": {"level": "Strict"}},
        {"signatureVerification": {"level": "strict", "more": 1}},
        {"signatureVerification": {"level": "strict", "override": {"integrity": "log"}}},
        {"signatureVerification": {"level": "strict", "override": {"expiry": "skip"}}},
        {"signatureVerification": {"level": "strict", "override": {"other": "log"}}},
        {"signatureVerification": {"level": "strict", "override": []}},
        {"signatureVerification": {"level": "strict", "verifyTimestamp": "never"}},
        {"signatureVerification": {"level": "skip"}},
        {"trustStores": []},
        {"trustStores": None},
        {"trustStores": ["ours"]},
        {"trustStores": ["ca:"]},
        {"trustStores": ["ca:.."]},
        {"trustStores": ["ca:../ours"]},
        {"trustStores": ["other:ours"]},
        {"trustStores": ["ca:missing"]},
        {"trustStores": ["tsa:ours"]},
        {"trustedIdentities": []},
        {"trustedIdentities": None},
        {"trustedIdentities": ["*", IDENTITY]},
        {"trustedIdentities": [IDENTITY, IDENTITY + ", CN=a"]},
        {"trustedIdentities": ["plugin.identity: a"]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA"]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA, O=a, O=b"]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA, O=a+OU=b"]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA, O="]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA, O=#0c0161"]},
        {"trustedIdentities": ["x509.subject: C=US, ST=WA, O=a, XX=b"]},
        {"trustedIdentities": ["x509.subject"]},
        {"trustedIdentities": [1]},
    ],
)
def test_what_cannot_be_carried_over_is_an_error(folder: Path, change: dict[str, Any]) -> None:
    write(folder, statement(**change))
    with pytest.raises(UsageError):
        load(folder)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": "2.0", "trustPolicies": []}', '{"version": "1.0"}'],
)
def test_documents_that_are_no_policies(folder: Path, text: str) -> None:
    (folder / "trustpolicy.json").write_text(text)
    with pytest.raises(UsageError):
        load(folder)


def test_two_policies_of_one_name_or_for_one_repository(folder: Path) -> None:
    write(folder, statement(), statement(registryScopes=["registry.example/b"]))
    with pytest.raises(UsageError, match="called 'ours'"):
        load(folder)
    write(folder, statement(), statement(name="b"))
    with pytest.raises(UsageError, match="are for"):
        load(folder)


def test_a_key_twice(folder: Path) -> None:
    (folder / "trustpolicy.json").write_text('{"version": "1.0", "version": "1.0"}')
    with pytest.raises(UsageError, match="twice"):
        load(folder)


# trust stores


def _store(folder: Path, kind: str = "ca") -> Path:
    write(folder, statement(trustStores=[f"{kind}:ours", "ca:ours"][: 1 + (kind != "ca")]))
    return folder / "truststore" / "x509" / kind / "ours"


def test_a_store_with_a_link(folder: Path) -> None:
    store = _store(folder)
    (store / "link.pem").symlink_to(store / "root.pem")
    with pytest.raises(UsageError, match="a link"):
        load(folder)


def test_a_store_that_is_a_link(folder: Path) -> None:
    store = _store(folder)
    store.rename(folder / "elsewhere")
    store.symlink_to(folder / "elsewhere")
    with pytest.raises(UsageError, match="of its own"):
        load(folder)


def test_a_store_with_a_directory_in_it(folder: Path) -> None:
    (_store(folder) / "more").mkdir()
    assert load(folder).authorities


def test_an_empty_store(folder: Path) -> None:
    (_store(folder) / "root.pem").unlink()
    with pytest.raises(UsageError, match="no certificate"):
        load(folder)


def test_a_store_with_something_else_in_it(folder: Path) -> None:
    (_store(folder) / "remark.txt").write_text("hello")
    with pytest.raises(UsageError, match=r"remark\.txt"):
        load(folder)


def test_a_signers_certificate_in_a_store(folder: Path) -> None:
    (_store(folder) / "leaf.pem").write_bytes(signer(root()).pem)
    with pytest.raises(UsageError, match="neither"):
        load(folder)


def test_a_certificate_signed_by_itself_in_a_store(folder: Path) -> None:
    (_store(folder) / "leaf.pem").write_bytes(make("alone").pem)
    assert len(load(folder).authorities["notary.x509"]) == 2


def test_a_time_authority_that_is_no_root(folder: Path) -> None:
    (_store(folder, "tsa") / "between.pem").write_bytes(make("between", root(), ca=True).pem)
    with pytest.raises(UsageError, match="not the root"):
        load(folder)


# names


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("C=US, ST=WA, O=Example", {"C": "US", "ST": "WA", "O": "Example"}),
        ("c=US,S=WA,o=Example", {"C": "US", "ST": "WA", "O": "Example"}),
        (r"C=US,ST=WA,O=Example\, Inc. ,CN=a", {"O": "Example, Inc.", "CN": "a"}),
        (r"C=US,ST=WA,O=\C3\A9\ ", {"O": "\u00e9 "}),
        ("C=US,ST=WA,O=a b#c", {"O": "a b#c"}),
        ("C=US,ST=WA,2.5.4.10=a", {"O": "a"}),
    ],
)
def test_names(text: str, attributes: dict[str, str]) -> None:
    assert dict(parse_name(text)).items() >= attributes.items()


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_an_error(text: str) -> None:
    try:
        parse_name(text)
    except ValueError:
        return

"""Anchors that are known by certificates: identities, authorities, and their times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from assay.model.verdict import Verdict
from tests.policy.support import image, judge, write
from tests.policy.test_trusting import vouching
from tests.support import cms
from tests.support.certificates import Holder, crl, make, root
from tests.support.checking import codes_of
from tests.support.sigstore import IDENTITY, ISSUER, Instance

LATER = datetime(2026, 9, 1, tzinfo=UTC)
"""Months after the signature, which its log shows to be of 2026-06-01T12:01."""
RULE = "rules: [{name: a, require: {signers: ci}}]\n"
ANCHOR = f"""
anchors:
  ci:
    identities: [{{name: '{IDENTITY}', issuer: '{ISSUER}'}}]
"""
ROOT = "trusted-roots: {forge: {file: root.json}}\n"


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


def _signed(folder: Path, instance: Instance) -> tuple[Path, str]:
    path = image(folder)
    signature = folder / "disk.img.sigstore.json"
    signature.write_text(json.dumps(instance.sign(path.read_bytes())))
    (folder / "root.json").write_text(json.dumps(instance.trusted_root()))
    return path, str(signature)


def test_an_identity_is_proven_by_the_trusted_root_of_its_anchor(
    tmp_path: Path, instance: Instance
) -> None:
    path, signature = _signed(tmp_path, instance)
    (tmp_path / "other.json").write_text(json.dumps(Instance("other.test").trusted_root()))
    roots = "trusted-roots: {forge: {file: root.json}, other: {file: other.json}}\n"
    for name, expected in (("forge", {"ci"}), ("other", set())):
        anchor = ANCHOR + f"    trusted-roots: [{name}]\n"
        verdict = judge(write(tmp_path, RULE + anchor + roots), path, signature, at=LATER)
        assert vouching(verdict) == expected


def test_an_anchor_lends_its_trusted_root_to_nobody(tmp_path: Path, instance: Instance) -> None:
    """Two anchors with one identity each: who is the one is not the other."""
    path, signature = _signed(tmp_path, instance)
    other = "  other: {identities: [{name: somebody@else.example, issuer: '**'}]}\n"
    verdict = judge(write(tmp_path, RULE + ANCHOR + other + ROOT), path, signature, at=LATER)
    assert vouching(verdict) == {"ci"}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("https://forge.test/org/app/.forge/workflows/release.yml@refs/tags/*", True),
        ("https://forge.test/org/**", True),
        ("https://forge.test/org/*", False),
        ("https://forge.test/org", False),
        ("regex:https://forge\\.test/.*", True),
        ("regex:forge", False),
    ],
)
def test_names_match_in_full(
    tmp_path: Path, instance: Instance, pattern: str, matches: bool
) -> None:
    path, signature = _signed(tmp_path, instance)
    anchor = ANCHOR.replace(IDENTITY, pattern)
    verdict = judge(write(tmp_path, RULE + anchor + ROOT), path, signature, at=LATER)
    assert vouching(verdict) == ({"ci"} if matches else set())


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        ("identity: 'https://forge.test/**', since: 2026-06-01T12:02:00Z", True),
        ("identity: 'https://forge.test/**', since: 2026-06-01T12:01:00Z", False),
        ("identity: 'https://forge.test/**', since: 2026-05-01", False),
        ("identity: 'https://forge.test/**'", False),
        ("identity: 'https://forge.test/other/**'", True),
        ("anchor: ci, since: 2026-07-01", True),
        ("anchor: ci, since: 2026-05-01", False),
    ],
)
def test_what_was_signed_before_the_incident_still_counts(
    tmp_path: Path, instance: Instance, entry: str, counts: bool
) -> None:
    path, signature = _signed(tmp_path, instance)
    text = RULE + ANCHOR + ROOT + f"revoked: [{{{entry}, reason: a stolen token}}]\n"
    verdict = judge(write(tmp_path, text), path, signature, at=LATER)
    assert vouching(verdict) == ({"ci"} if counts else set())
    assert ("anchor-out-of-force" in codes_of(verdict)) != counts


@pytest.mark.parametrize(
    ("window", "counts"),
    [
        ("valid-until: 2026-07-01", True),
        ("valid-until: 2026-06-01", False),
        ("valid-from: 2026-06-01", True),
        ("valid-from: 2026-06-02", False),
    ],
)
def test_a_window_is_about_the_time_of_signing(
    tmp_path: Path, instance: Instance, window: str, counts: bool
) -> None:
    path, signature = _signed(tmp_path, instance)
    text = RULE + ANCHOR + f"    {window}\n" + ROOT
    verdict = judge(write(tmp_path, text), path, signature, at=LATER)
    assert vouching(verdict) == ({"ci"} if counts else set())


def _certified(folder: Path) -> tuple[Holder, Holder, Path, str]:
    authority = root("Company Root")
    (folder / "ca.pem").write_bytes(authority.pem)
    holder = make("Release", authority, names=[x509.RFC822Name("release@company.example")], eku=[])
    path = image(folder)
    signature = folder / "disk.img.p7s"
    signed = cms.signed_data(
        cms.signer(holder, path.read_bytes()), certificates=[holder, authority]
    )
    signature.write_bytes(signed)
    return authority, holder, path, str(signature)


def _judged(folder: Path, text: str, path: Path, signature: str) -> Verdict:
    return judge(
        write(folder, RULE + text), path, signature, at=datetime(2026, 6, 1, 13, tzinfo=UTC)
    )


def test_an_authority_may_be_narrowed_to_names(tmp_path: Path) -> None:
    _, _, path, signature = _certified(tmp_path)
    anchor = "anchors: {{ci: {{authorities: [ca.pem]{}}}}}\n"
    for names, counts in (
        ("", True),
        (", names: [release@company.example]", True),
        (", names: [intern@company.example, 'release@*']", True),
        (", names: [intern@company.example]", False),
    ):
        verdict = _judged(tmp_path, anchor.format(names), path, signature)
        assert vouching(verdict) == ({"ci"} if counts else set()), names


def test_a_certificate_is_revoked_by_its_fingerprint(tmp_path: Path) -> None:
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding

    _, holder, path, signature = _certified(tmp_path)
    digest = hashlib.sha256(holder.made.public_bytes(Encoding.DER)).hexdigest()
    anchor = "anchors: {ci: {authorities: [ca.pem]}}\n"
    revoked = f"revoked: [{{certificate: 'sha256:{digest}', reason: lost}}]\n"
    assert vouching(_judged(tmp_path, anchor, path, signature)) == {"ci"}
    assert vouching(_judged(tmp_path, anchor + revoked, path, signature)) == set()


def test_a_revocation_list_counts_for_every_anchor(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    authority, holder, path, signature = _certified(tmp_path)
    found = crl(authority, (holder.made.serial_number, datetime(2026, 1, 2, tzinfo=UTC), None))
    data = found if isinstance(found, bytes) else found.public_bytes(Encoding.DER)
    (tmp_path / "ca.crl").write_bytes(data)
    text = "anchors: {ci: {authorities: [ca.pem]}}\nrevocation-lists: [ca.crl]\n"
    assert vouching(_judged(tmp_path, text, path, signature)) == set()

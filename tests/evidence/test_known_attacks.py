"""Attacks and traps of the field, each as a test named after where it happened (CVE and GHSA
numbers, threads of other projects). tests/README.md says which test shows which."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay import limits
from assay.appraisal.case import BuiltInRule
from assay.model.finding import Severity
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.evidence.test_attached import (
    EMPTY,
    attach,
    bundle_for,
    check,
    codes,
    legacy_signature,
    push_legacy,
    statement,
)
from tests.support.registry import OCI_MANIFEST, Registry, layer_of, running
from tests.support.sigstore import IDENTITY, ISSUER, NOW, V03, Instance, b64, pae, spki

EVIL = "https://forge.test/evil/app/.forge/workflows/release.yml@refs/tags/v1"


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, instance: Instance) -> Path:
    (tmp_path / "root.json").write_text(json.dumps(instance.trusted_root()))
    return tmp_path


def trusting(folder: Path, *identities: str) -> Trust:
    trust = Trust()
    for identity in identities:
        trust.add_identity(identity, ISSUER)
    return trust.add_trusted_root(str(folder / "root.json"))


@pytest.fixture
def trust(folder: Path) -> Trust:
    return trusting(folder, IDENTITY)


def refused(verdict: Verdict, *expected: str) -> None:
    assert verdict.exit_status == 1, verdict.findings
    assert set(expected) <= codes(verdict), codes(verdict)


def by_key(key: Any, body: dict[str, Any], *, times: int = 1) -> bytes:
    """A bundle over a statement, by a key."""
    kind, content = "application/vnd.in-toto+json", json.dumps(body).encode()
    signature = key.sign(pae(kind, content), ECDSA(hashes.SHA256()))
    return json.dumps(
        {
            "mediaType": V03,
            "verificationMaterial": {"publicKey": {"hint": "a key"}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": b64(content),
                "payloadType": kind,
                "signatures": [{"sig": b64(signature)}] * times,
            },
        }
    ).encode()


def write_key(folder: Path, name: str, key: Any) -> str:
    path = folder / name
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(path)


# what the log says is about something else


def with_entry_of(instance: Instance, digest: str, entry: dict[str, Any]) -> bytes:
    bundle = json.loads(bundle_for(instance, digest))
    bundle["verificationMaterial"]["tlogEntries"] = [entry]
    return json.dumps(bundle).encode()


def test_cve_2022_36056_the_log_entry_of_another_signature(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    donor = json.loads(bundle_for(instance, image["digest"]))
    [entry] = donor["verificationMaterial"]["tlogEntries"]
    attach(registry, image, with_entry_of(instance, image["digest"], entry))
    refused(check(registry, trust), "log-entry-mismatch")


def test_cve_2026_22703_the_log_entry_of_another_artifact_in_annotations(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """The legacy bundle annotation of another image, with a promise that is quite right."""
    image = registry.push_image("app", "1")
    payload, annotations = legacy_signature(instance, image["digest"])
    _, other = legacy_signature(instance, "sha256:" + "ab" * 32)
    annotations["dev.sigstore.cosign/bundle"] = other["dev.sigstore.cosign/bundle"]
    push_legacy(registry, image, [(payload, annotations)])
    refused(check(registry, trust), "log-entry-mismatch")


def test_cve_2026_22703_an_entry_without_a_signature_to_compare(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    body = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {}}
    attach(registry, image, with_entry_of(instance, image["digest"], instance.entry(body)))
    refused(check(registry, trust), "log-entry-mismatch")


def test_ghsa_fx35_mq7g_6g98_a_bare_key_in_the_field_of_the_certificate(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    key = ec.generate_private_key(ec.SECP256R1())
    bundle = json.loads(by_key(key, statement(image["digest"])))
    bundle["verificationMaterial"] = {
        "certificate": {"rawBytes": b64(spki(key))},
        "tlogEntries": json.loads(bundle_for(instance, image["digest"]))["verificationMaterial"][
            "tlogEntries"
        ],
    }
    attach(registry, image, json.dumps(bundle).encode())
    verdict = check(registry, trust)
    refused(verdict)
    assert not verdict.vouchers


# who signed


def test_wirelog_1322_an_identity_within_another_one(
    registry: Registry, folder: Path, instance: Instance
) -> None:
    """cosign's expressions match anywhere: an attacker's name has the right one in it."""
    image = registry.push_image("app", "1")
    for evil in (f"https://evil.test/?u={IDENTITY}", f"{IDENTITY}/../../evil", f"{IDENTITY}\n"):
        try:
            leaf = instance.leaf(evil)
        except ValueError:
            continue
        attach(registry, image, bundle_for(instance, image["digest"], leaf=leaf))
    for wanted in (IDENTITY, f"regex:{IDENTITY.replace('.', '[.]')}"):
        refused(check(registry, trusting(folder, wanted)), "wrong-identity")


def test_ghsa_46mp_8w32_6g94_a_pattern_is_never_ignored(
    registry: Registry, folder: Path, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    leaf = instance.leaf(EVIL)
    attach(registry, image, bundle_for(instance, image["digest"], leaf=leaf))
    for wanted in ("regex:https://forge[.]test/org/.*", "glob:https://forge.test/org/**"):
        refused(check(registry, trusting(folder, wanted)), "wrong-identity")
    for right in ("regex:https://forge[.]test/evil/.*", "glob:https://forge.test/evil/**"):
        assert check(registry, trusting(folder, right)).exit_status == 0


def test_cosign_1351_keys_are_rotated_with_both_known(registry: Registry, folder: Path) -> None:
    """Only the newest version of a key was tried: whatever was signed before failed."""
    image = registry.push_image("app", "1")
    old, new = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    files = [write_key(folder, name, key) for name, key in (("old.pub", old), ("new.pub", new))]
    attach(registry, image, by_key(old, statement(image["digest"])))
    for order in (files, files[::-1]):
        trust = Trust()
        for path in order:
            trust.add_key(path)
        assert check(registry, trust).exit_status == 0
    refused(check(registry, Trust().add_key(files[1])), "wrong-key")


def test_image_factory_389_a_key_needs_no_trusted_root(
    registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checks with a key alone failed where the trusted root could not be fetched."""
    asked: list[str] = []
    plain = socket.create_connection

    def watched(address: tuple[bytes, int], *more: Any, **options: Any) -> Any:
        asked.append(f"{address[0].decode()}:{address[1]}")
        return plain(address, *more, **options)

    monkeypatch.setattr(socket, "create_connection", watched)
    image = registry.push_image("app", "1")
    key = ec.generate_private_key(ec.SECP256R1())
    attach(registry, image, by_key(key, statement(image["digest"])))
    assert check(registry, Trust().add_key(write_key(folder, "key.pub", key))).exit_status == 0
    assert set(asked) == {registry.host}


def test_cosign_5092_a_certificate_for_p_384(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    leaf = instance.leaf(key=ec.generate_private_key(ec.SECP384R1()))
    attach(registry, image, bundle_for(instance, image["digest"], leaf=leaf))
    assert check(registry, trust).exit_status == 0


# what was signed


def test_the_signature_of_another_image_in_the_place_of_this_ones(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    other = registry.push_image("app", "2", layers=[{"other": b""}])
    image = registry.push_image("app", "1")
    attach(registry, other, bundle_for(instance, other["digest"]))
    assert check(registry, trust, "app:2").exit_status == 0
    refused(check(registry, trust), "no-signature")
    attach(registry, image, bundle_for(instance, other["digest"]))
    refused(check(registry, trust), "statement-subject-mismatch", "not-vouched")


def test_a_statement_for_another_digest_of_the_same_value(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """The right digits under another algorithm's name are another digest."""
    image = registry.push_image("app", "1")
    wrong = statement(image["digest"])
    [subject] = wrong["subject"]
    value = subject["digest"]["sha256"]
    for digests in ({"gitCommit": value}, {"sha512": value}, {"sha256": value.upper()}):
        subject["digest"] = digests
        attach(registry, image, json.dumps(instance.attest(wrong)).encode())
    verdict = check(registry, trust)
    assert verdict.exit_status == 1


def test_duplicate_subjects_are_one(registry: Registry, folder: Path, instance: Instance) -> None:
    """The same subject many times makes neither a second signer nor endless work."""
    image = registry.push_image("app", "1")
    many = statement(image["digest"])
    many["subject"] *= 100
    attach(registry, image, json.dumps(instance.attest(many)).encode())
    trust = trusting(folder, IDENTITY, EVIL)
    assert check(registry, trust).exit_status == 0
    options = VerifyOptions(trust=trust, rule=BuiltInRule(threshold=2))
    [two] = verify(f"docker://{registry.host}/app:1", options)
    assert two.exit_status == 1
    many["subject"] *= 1000
    attach(registry, image, json.dumps(instance.attest(many)).encode())
    assert check(registry, trust).exit_status == 0  # the good one counts, the endless one does not


def test_a_subject_beside_others_makes_the_statement_about_it(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    several = statement("sha256:" + "ab" * 32)
    several["subject"] += statement(image["digest"])["subject"]
    attach(registry, image, json.dumps(instance.attest(several)).encode())
    assert check(registry, trust).exit_status == 0


def test_duplicate_signatures_count_once(
    registry: Registry, folder: Path, instance: Instance
) -> None:
    """The same signature, and the same signer, as often as you like: a threshold counts signers."""
    image = registry.push_image("app", "1")
    data = bundle_for(instance, image["digest"])
    for number in range(3):
        attach(registry, image, data, annotations={"copy": str(number)})
        attach(registry, image, bundle_for(instance, image["digest"]))
    trust = trusting(folder, IDENTITY, IDENTITY)
    options = VerifyOptions(trust=trust, rule=BuiltInRule(threshold=2))
    [verdict] = verify(f"docker://{registry.host}/app:1", options)
    refused(verdict, "not-vouched")


def test_a_bundle_with_several_signatures_is_none(registry: Registry, folder: Path) -> None:
    image = registry.push_image("app", "1")
    key = ec.generate_private_key(ec.SECP256R1())
    attach(registry, image, by_key(key, statement(image["digest"]), times=2))
    trust = Trust().add_key(write_key(folder, "key.pub", key))
    assert check(registry, trust).exit_status == 1


def test_cosign_1912_a_layer_that_was_changed_under_a_good_signature(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """The manifest's signature is right; cosign looks no further."""
    image = registry.push_image("app", "1", layers=[{"bin/app": b"good"}])
    attach(registry, image, bundle_for(instance, image["digest"]))
    assert check(registry, trust).exit_status == 0
    manifest = json.loads(registry.manifests["app", image["digest"]][1])
    [layer] = manifest["layers"]
    _, evil = layer_of({"bin/app": b"evil"})
    registry.blobs[layer["digest"]] = evil
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert codes(verdict) & {"digest-mismatch", "size-mismatch"}


def test_harbor_content_trust_that_something_is_attached_is_no_signature(
    registry: Registry, trust: Trust
) -> None:
    """Harbor's check is that an accessory of the right type exists."""
    image = registry.push_image("app", "1")
    for content in (b"{}", b"not a bundle", json.dumps({"mediaType": V03}).encode()):
        attach(registry, image, content)
    attach(
        registry,
        image,
        b"anything",
        "application/vnd.cncf.notary.signature",
        artifactType="application/vnd.cncf.notary.signature",
    )
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert not verdict.vouchers


# what the registry does


def test_cve_2022_47633_a_tag_swapped_between_resolution_and_fetch(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """Kyverno asked for the tag twice: once to verify, once for the digest to run."""
    good = registry.push_image("app", "1")
    attach(registry, good, bundle_for(instance, good["digest"]))
    registry.push_image("app", "1", layers=[{"bin/app": b"evil"}])
    registry.faults.tag_moves = True
    verdict = check(registry, trust)
    assert verdict.exit_status == 0
    assert verdict.resolved.endswith(good["digest"])  # what to run, and what was verified
    assert registry.count("(GET|HEAD) /v2/app/manifests/1$") == 1
    refused(check(registry, trust), "no-signature")  # the tag is elsewhere now


def test_cve_2022_47633_the_digest_that_the_registry_says_is_not_believed(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    good = registry.push_image("app", "good")
    attach(registry, good, bundle_for(instance, good["digest"]))
    evil = registry.push_image("app", "1", layers=[{"bin/app": b"evil"}])
    manifests = registry.manifests
    manifests["app", good["digest"]] = manifests["app", evil["digest"]]
    for name in ("app:good", f"app@{good['digest']}"):
        assert check(registry, trust, name).exit_status != 0


def test_kyverno_17130_nothing_is_remembered_as_verified(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """A cache of verdicts outlived what it was about."""
    image = registry.push_image("app", "1")
    attach(registry, image, bundle_for(instance, image["digest"]))
    assert check(registry, trust).exit_status == 0
    for key in [key for key, (_, data) in registry.manifests.items() if b'"subject"' in data]:
        del registry.manifests[key]
    refused(check(registry, trust), "no-signature")


@pytest.mark.parametrize("what", ["bundle", "payload"])
def test_cve_2023_46737_an_attached_blob_that_never_ends(
    registry: Registry,
    trust: Trust,
    instance: Instance,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    monkeypatch.setattr(limits, "ATTACHED_SIZE", 1_000_000)
    image = registry.push_image("app", "1")
    if what == "bundle":
        pushed = attach(registry, image, b"endless")
        endless = json.loads(registry.manifests["app", pushed["digest"]][1])["layers"][0]["digest"]
    else:
        payload, annotations = legacy_signature(instance, image["digest"])
        push_legacy(registry, image, [(payload, annotations)])
        endless = next(name for name, data in registry.blobs.items() if data == payload)
    registry.faults.endless_blob = endless
    assert check(registry, trust).exit_status != 0
    # and it keeps no good signature from being found
    attach(registry, image, bundle_for(instance, image["digest"]))
    assert check(registry, trust).exit_status == 0


def test_cve_2023_46737_an_attached_blob_that_says_it_is_huge(
    registry: Registry, trust: Trust
) -> None:
    image = registry.push_image("app", "1")
    layer = registry.push_blob(b"x", V03) | {"size": 1 << 50}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": V03,
        "config": registry.push_blob(b"{}", EMPTY),
        "layers": [layer],
        "subject": {key: image[key] for key in ("mediaType", "digest", "size")},
    }
    registry.push_manifest("app", manifest)
    refused(check(registry, trust), "attached-unreadable")


@pytest.mark.parametrize("field", ["tlogEntries", "rfc3161Timestamps", "certificates"])
def test_ghsa_cq38_jh5f_37mq_a_bundle_that_asks_for_endless_work(
    registry: Registry, trust: Trust, instance: Instance, field: str
) -> None:
    image = registry.push_image("app", "1")
    bundle = json.loads(bundle_for(instance, image["digest"]))
    material = bundle["verificationMaterial"]
    if field == "tlogEntries":
        material["tlogEntries"] *= 1000
    elif field == "certificates":
        material["x509CertificateChain"] = {"certificates": [material.pop("certificate")] * 1000}
        bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    else:
        stamp = {"signedTimestamp": base64.b64encode(b"\x30\x00").decode()}
        material["timestampVerificationData"] = {"rfc3161Timestamps": [stamp] * 1000}
    attach(registry, image, json.dumps(bundle).encode())
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert not verdict.vouchers


def test_policy_controller_1998_an_outage_is_not_told_as_a_missing_signature(
    registry: Registry, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rate limits and refused logins were hidden behind "must be an image digest"."""
    monkeypatch.setattr("assay.sources.http.retry.wait", lambda _: None)
    registry.push_image("app", "1")
    registry.faults.too_many_requests = 1000
    verdict = check(registry, trust)
    assert verdict.exit_status == 3
    assert {each.code for each in verdict.findings if each.severity is Severity.ERROR} == {
        "rate-limited"
    }


def test_kyverno_16678_an_index_of_referrers_with_wrong_types(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """The types in the fallback index are somebody's word; what counts is in the manifest."""
    registry.faults.empty_referrers = True
    image = registry.push_image("app", "1")
    signed = attach(registry, image, bundle_for(instance, image["digest"]))
    for wrong in (EMPTY, "text/plain", ""):
        listed = [signed | {"artifactType": wrong}]
        registry.push_index("app", image["digest"].replace(":", "-"), listed)
        assert check(registry, trust).exit_status == 0


# when


def test_an_expired_certificate_with_and_without_trusted_time(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """All certificates of identities are long expired: a proven time makes the difference."""
    image = registry.push_image("app", "1")
    old = NOW - timedelta(days=30)
    bundle = json.loads(
        bundle_for(
            instance, image["digest"], leaf=instance.leaf(at=old), at=old + timedelta(minutes=1)
        )
    )
    attach(registry, image, json.dumps(bundle).encode())
    assert check(registry, trust).exit_status == 0
    other = registry.push_image("app", "2", layers=[{"n": b"2"}])
    bundle = json.loads(
        bundle_for(
            instance, other["digest"], leaf=instance.leaf(at=old), at=old + timedelta(minutes=1)
        )
    )
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]
    attach(registry, other, json.dumps(bundle).encode())
    refused(check(registry, trust, "app:2"), "time-unproven")

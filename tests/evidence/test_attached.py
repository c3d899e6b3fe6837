"""Signatures and attestations kept beside an image: found in every place, and read as what they
are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.support.registry import OCI_MANIFEST, Registry, running
from tests.support.sigstore import IDENTITY, ISSUER, NOW, V03, Instance, b64

EMPTY = "application/vnd.oci.empty.v1+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


@pytest.fixture
def trust(tmp_path: Path, instance: Instance) -> Trust:
    (tmp_path / "root.json").write_text(json.dumps(instance.trusted_root()))
    found = Trust()
    found.add_identity(IDENTITY, ISSUER)
    found.add_trusted_root(str(tmp_path / "root.json"))
    return found


def statement(digest: str, kind: str = COSIGN_SIGN) -> dict[str, Any]:
    algorithm, _, value = digest.partition(":")
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {algorithm: value}}],
        "predicateType": kind,
        "predicate": {},
    }


def attach(
    registry: Registry,
    subject: dict[str, Any],
    content: bytes,
    media_type: str = V03,
    **more: Any,
) -> dict[str, Any]:
    """Push an artifact that refers to ``subject``."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": media_type,
        "config": registry.push_blob(b"{}", EMPTY),
        "layers": [registry.push_blob(content, media_type)],
        "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
        **more,
    }
    return registry.push_manifest("app", manifest)


def bundle_for(instance: Instance, digest: str, **more: Any) -> bytes:
    return json.dumps(instance.attest(statement(digest), **more)).encode()


def check(registry: Registry, trust: Trust, name: str = "app:1") -> Verdict:
    (verdict,) = verify(f"docker://{registry.host}/{name}", VerifyOptions(trust=trust))
    return verdict


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


# where signatures are found


def test_a_bundle_that_refers_to_the_image(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    attach(registry, image, bundle_for(instance, image["digest"]))
    verdict = check(registry, trust)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0
    assert verdict.vouchers[0].signer is not None
    assert verdict.vouchers[0].signer.identity == IDENTITY


def test_under_the_fallback_tag_of_a_registry_without_the_api(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    registry.faults.no_referrers_api = True
    image = registry.push_image("app", "1")
    signed = attach(registry, image, bundle_for(instance, image["digest"]))
    # some clients write a wrong type into this index
    registry.push_index(
        "app", image["digest"].replace(":", "-"), [signed | {"artifactType": EMPTY}]
    )
    assert check(registry, trust).exit_status == 0


def test_under_the_fallback_tag_where_the_api_answers_nothing(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    signed = attach(registry, image, bundle_for(instance, image["digest"]))
    registry.push_index("app", image["digest"].replace(":", "-"), [signed])
    registry.faults.empty_referrers = True
    assert check(registry, trust).exit_status == 0


def test_on_a_later_page_of_referrers(registry: Registry, trust: Trust, instance: Instance) -> None:
    registry.faults.page_size = 1
    image = registry.push_image("app", "1")
    for number in range(3):
        attach(registry, image, b"a note %d" % number, "text/plain")
    attach(registry, image, bundle_for(instance, image["digest"]))
    assert check(registry, trust).exit_status == 0


def legacy_signature(
    instance: Instance, digest: str, *, reference: str = "registry.test/app"
) -> tuple[bytes, dict[str, str]]:
    """What cosign 2 writes for an identity: a payload, and annotations."""
    payload = json.dumps(
        {
            "critical": {
                "identity": {"docker-reference": reference},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": None,
        }
    ).encode()
    leaf = instance.leaf()
    signature = leaf.key.sign(payload, ECDSA(hashes.SHA256()))
    entry = instance.entry(instance.hashedrekord(payload, signature, leaf.pem))
    import base64

    promised = {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        },
    }
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (instance.issuing, instance.ca))
    return payload, {
        "dev.cosignproject.cosign/signature": b64(signature),
        "dev.sigstore.cosign/certificate": leaf.pem.decode(),
        "dev.sigstore.cosign/chain": chain.decode(),
        "dev.sigstore.cosign/bundle": json.dumps(promised),
    }


def push_legacy(
    registry: Registry, image: dict[str, Any], layers: list[tuple[bytes, dict[str, str]]]
) -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": registry.push_blob(b"{}", "application/vnd.oci.image.config.v1+json"),
        "layers": [
            registry.push_blob(payload, SIMPLE_SIGNING) | {"annotations": annotations}
            for payload, annotations in layers
        ],
    }
    registry.push_manifest("app", manifest, image["digest"].replace(":", "-") + ".sig")


def test_under_the_tag_of_cosign_2(registry: Registry, trust: Trust, instance: Instance) -> None:
    image = registry.push_image("app", "1")
    push_legacy(registry, image, [legacy_signature(instance, image["digest"])])
    verdict = check(registry, trust)
    assert verdict.exit_status == 0, verdict.findings
    (payload,) = [part for part in verdict.components if part.kind == "simple-signing"]
    assert payload.labels["docker-reference"] == "registry.test/app"


def test_in_an_index_for_every_platform(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    platforms = [
        registry.push_image("app", architecture=name, layers=[{"etc/arch": name.encode()}])
        for name in ("amd64", "arm64")
    ]
    registry.push_index("app", "1", platforms)
    attach(registry, platforms[0], bundle_for(instance, platforms[0]["digest"]))
    verdict = check(registry, trust)
    assert verdict.exit_status == 1  # signed in part is not signed
    assert "partly-vouched" in codes(verdict)
    attach(registry, platforms[1], bundle_for(instance, platforms[1]["digest"]))
    assert check(registry, trust).exit_status == 0


def test_an_index_that_is_signed_covers_all_its_platforms(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    index = registry.push_index(
        "app", "1", [registry.push_image("app", architecture=name) for name in ("amd64", "arm64")]
    )
    attach(registry, index, bundle_for(instance, index["digest"]))
    verdict = check(registry, trust)
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1.0


# what must not count


def test_no_signature_is_said_as_that(registry: Registry, trust: Trust) -> None:
    registry.push_image("app", "1")
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "no-signature" in codes(verdict)


def test_a_signature_copied_from_another_image(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    other = registry.push_image("app", "2", layers=[{"other": b""}])
    image = registry.push_image("app", "1")
    attach(registry, image, bundle_for(instance, other["digest"]))
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "statement-subject-mismatch" in codes(verdict)


def test_a_legacy_payload_of_another_image(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    other = legacy_signature(instance, "sha256:" + "ab" * 32)
    push_legacy(registry, image, [other])
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "attached-about-another" in codes(verdict)
    # one that was copied there does not make the right one worthless
    push_legacy(registry, image, [other, legacy_signature(instance, image["digest"])])
    verdict = check(registry, trust)
    assert verdict.exit_status == 0
    assert "attached-about-another" in codes(verdict)


def test_a_legacy_certificate_that_is_a_bare_key(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    payload, annotations = legacy_signature(instance, image["digest"])
    key = ec.generate_private_key(ec.SECP256R1())
    annotations["dev.sigstore.cosign/certificate"] = (
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    annotations["dev.cosignproject.cosign/signature"] = b64(
        key.sign(payload, ECDSA(hashes.SHA256()))
    )
    push_legacy(registry, image, [(payload, annotations)])
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "attached-unreadable" in codes(verdict)


def test_a_referrer_whose_subject_is_another_image(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    """A registry, or whoever writes the fallback tag, may list what it likes."""
    registry.faults.no_referrers_api = True
    other = registry.push_image("app", "2", layers=[{"other": b""}])
    image = registry.push_image("app", "1")
    signed = attach(registry, other, bundle_for(instance, image["digest"]))
    registry.push_index("app", image["digest"].replace(":", "-"), [signed])
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "attached-about-another" in codes(verdict)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"mediaType": "' + V03.encode() + b'"}', b"\xff" * 100]
)
def test_a_damaged_bundle_hides_no_other(
    registry: Registry, trust: Trust, instance: Instance, content: bytes
) -> None:
    image = registry.push_image("app", "1")
    attach(registry, image, content)
    attach(registry, image, bundle_for(instance, image["digest"]))
    assert check(registry, trust).exit_status == 0


def test_a_bundle_whose_blob_was_replaced(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    good = bundle_for(instance, image["digest"])
    attach(registry, image, b"x" * len(good))
    digest = next(name for name, blob in registry.blobs.items() if blob == b"x" * len(good))
    registry.blobs[digest] = good
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "attached-unreadable" in codes(verdict)


def test_an_expired_certificate_in_the_log(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    image = registry.push_image("app", "1")
    attach(
        registry,
        image,
        bundle_for(instance, image["digest"], at=NOW + timedelta(hours=1)),
    )
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "key-expired" in codes(verdict)


def test_more_signatures_than_are_looked_at(
    registry: Registry, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay import limits

    monkeypatch.setattr(limits, "ATTACHED", 3)
    image = registry.push_image("app", "1")
    for number in range(5):
        attach(registry, image, b"%d" % number, "text/plain")
    verdict = check(registry, trust)
    assert verdict.exit_status == 1
    assert "attached-too-many" in codes(verdict)


def test_a_registry_that_denies_is_not_an_image_without_signatures(
    registry: Registry, trust: Trust
) -> None:
    registry.push_image("app", "1")
    registry.faults.referrers_status = 403
    verdict = check(registry, trust)
    assert verdict.exit_status != 0
    assert any("403" in finding.detail or "denie" in finding.detail for finding in verdict.findings)


def test_many_images_of_a_repository_cost_few_requests(
    registry: Registry, trust: Trust, instance: Instance
) -> None:
    registry.faults.no_referrers_api = True
    images = [registry.push_image("app", f"{n}", layers=[{"n": b"%d" % n}]) for n in range(8)]
    for image in images:
        push_legacy(registry, image, [legacy_signature(instance, image["digest"])])
    for number in range(3):
        assert check(registry, trust, f"app:{number}").exit_status == 0
    before = len(registry.requests)
    for number in range(3, 8):
        assert check(registry, trust, f"app:{number}").exit_status == 0
    # manifest, signature's manifest, its payload, and what the image itself is made of
    assert len(registry.requests) - before <= 5 * 6
    assert registry.count("GET /v2/app/tags/list") == 1

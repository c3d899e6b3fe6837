"""Simple signing: hostile signatures and places, made in code and named after what they try."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assay.evidence.simple_signing.files import read_signature
from assay.model.finding import AssayError, UsageError
from assay.model.verdict import Answer, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.support.checking import codes_of

KEY = ec.derive_private_key(11, ec.SECP256R1())
TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(),
            "size": 2,
        },
        "layers": [],
    }
).encode()
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


def payload(digest: str = DIGEST, **changes: Any) -> bytes:
    critical = {
        "type": "cosign container image signature",
        "image": {"docker-manifest-digest": digest},
        "identity": {"docker-reference": "registry.test/app:1"},
    } | changes
    return json.dumps({"critical": critical, "optional": {"anything": [1]}}).encode()


def attachment(content: bytes, **changes: Any) -> bytes:
    made = KEY.sign(content, ec.ECDSA(hashes.SHA256()))
    document = {
        "mimeType": TYPE,
        "payload": base64.b64encode(content).decode(),
        "annotations": {"dev.cosignproject.cosign/signature": base64.b64encode(made).decode()},
    } | changes
    return b"\0sigstore-json\n" + json.dumps(document).encode()


def image_in(folder: Path, *signatures: bytes) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(MANIFEST)
    (folder / hashlib.sha256(b"{}").hexdigest()).write_bytes(b"{}")
    for number, data in enumerate(signatures):
        (folder / f"signature-{number + 1}").write_bytes(data)
    return f"dir:{folder}"


def judged(folder: Path, name: str, **options: Any) -> Verdict:
    path = folder / "key.pem"
    path.write_bytes(
        KEY.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    [verdict] = verify(name, VerifyOptions(Trust().add_key(path), open=OpenOptions(**options)))
    return verdict


def test_a_right_signature_vouches(tmp_path: Path) -> None:
    verdict = judged(tmp_path, image_in(tmp_path / "image", attachment(payload())))
    assert verdict.authentic is Answer.YES


def test_the_signature_of_another_image_counts_for_nothing(tmp_path: Path) -> None:
    other = attachment(payload("sha256:" + "0" * 64))
    verdict = judged(tmp_path, image_in(tmp_path / "image", other))
    assert verdict.authentic is Answer.NO
    assert "attached-about-another" in codes_of(verdict)
    # and does not hide the right one
    both = judged(tmp_path, image_in(tmp_path / "image", other, attachment(payload())))
    assert both.authentic is Answer.YES


@pytest.mark.parametrize(
    "content",
    [
        payload(type="atomic container signature"),
        payload(more="critical, and not known"),
        payload(image={"docker-manifest-digest": DIGEST, "more": 1}),
        payload(identity={"docker-reference": "registry.test/app:1", "more": 1}),
        payload(image={}),
        payload("sha256:12"),
        payload()[:-1],
        payload().replace(b'"critical"', b'"critical": {}, "critical"'),
        b"[]",
    ],
)
def test_a_payload_that_is_not_as_it_must_be_counts_for_nothing(
    tmp_path: Path, content: bytes
) -> None:
    verdict = judged(tmp_path, image_in(tmp_path / "image", attachment(content)))
    assert verdict.authentic is Answer.NO
    assert "attached-unreadable" in codes_of(verdict)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0sigstore-json\n",
        b"\0other\n{}",
        b"-----BEGIN PGP SIGNED MESSAGE-----\n",
        attachment(payload(), more="x"),
        attachment(payload(), payload="!"),
        attachment(payload(), annotations={}),
        attachment(payload(), annotations=None),
    ],
)
def test_a_file_that_is_no_signature(data: bytes) -> None:
    with pytest.raises(AssayError):
        read_signature(data, "document", "signature-1")


def test_any_flipped_bit_of_the_payload_is_refused(tmp_path: Path) -> None:
    content = payload()
    signed = json.loads(attachment(content).partition(b"\n")[2])
    for at in range(0, len(content), 7):
        bad = bytearray(content)
        bad[at] ^= 1
        signed["payload"] = base64.b64encode(bad).decode()
        name = image_in(tmp_path / "image", b"\0sigstore-json\n" + json.dumps(signed).encode())
        assert judged(tmp_path, name).authentic is Answer.NO


def test_lookaside_storage_needs_a_name_a_place_and_stays_offline(tmp_path: Path) -> None:
    name = image_in(tmp_path / "image")
    with pytest.raises(UsageError, match="--known-as"):
        judged(tmp_path, name, lookaside=(str(tmp_path),))
    known = {"known_as": "docker://registry.test/app:1"}
    for place in ("ftp://x.test", str(tmp_path / "missing")):
        with pytest.raises(UsageError, match="--lookaside"):
            judged(tmp_path, name, lookaside=(place,), **known)
    offline = judged(tmp_path, name, lookaside=("https://x.test",), offline=True, **known)
    assert "offline" in codes_of(offline)
    place = tmp_path / "lookaside" / f"app@sha256={DIGEST.partition(':')[2]}"
    place.mkdir(parents=True)
    (place / "signature-1").write_bytes(attachment(payload()))
    for base in (str(tmp_path / "lookaside"), f"file://{tmp_path / 'lookaside'}"):
        assert judged(tmp_path, name, lookaside=(base,), **known).authentic is Answer.YES


def test_a_link_out_of_lookaside_storage_is_not_followed(tmp_path: Path) -> None:
    name = image_in(tmp_path / "image")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "signature-1").write_bytes(attachment(payload()))
    (tmp_path / "lookaside").mkdir()
    place = tmp_path / "lookaside" / f"app@sha256={DIGEST.partition(':')[2]}"
    place.symlink_to(tmp_path / "outside")
    known = {"known_as": "docker://registry.test/app:1"}
    verdict = judged(tmp_path, name, lookaside=(str(tmp_path / "lookaside"),), **known)
    assert verdict.authentic is Answer.NO


def test_signatures_without_end_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.limits.ATTACHED", 2)
    name = image_in(tmp_path / "image", *[attachment(payload("sha256:" + "0" * 64))] * 3)
    assert "attached-too-many" in codes_of(judged(tmp_path, name))

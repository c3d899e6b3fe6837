"""An image in a registry, with signatures and attestations by keys and by identities, to be judged
by policies."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.appraisal.case import BuiltInRule
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.policy_import.load import load_policy
from assay.trust.anchors import Trust
from tests.support.certificates import Holder
from tests.support.registry import OCI_MANIFEST, Registry, running
from tests.support.sigstore import NOW, V03, Instance, b64, pae

EMPTY = "application/vnd.oci.empty.v1+json"
SIGN = "https://sigstore.dev/cosign/sign/v1"
SBOM = "https://spdx.dev/Document"
SCAN = "https://cosign.sigstore.dev/attestation/vuln/v1"


class KeyPair:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pem: str = (
            self.key.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def inset(self, spaces: int) -> str:
        """The public key as the lines of a block scalar."""
        return textwrap.indent(self.pem, " " * spaces).strip()


def statement(digest: str, kind: str, predicate: Any, annotations: Any = None) -> dict[str, Any]:
    algorithm, _, value = digest.partition(":")
    subject: dict[str, Any] = {"digest": {algorithm: value}}
    if annotations:
        subject["annotations"] = annotations
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": kind,
        "predicate": predicate,
    }


class Bench:
    """A registry with an image, ``app:1`` (see `image`)."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry, self.folder = registry, folder
        self.host = registry.host
        self.instance = Instance()
        self.ours, self.theirs, self.third = KeyPair(), KeyPair(), KeyPair()
        (folder / "root.json").write_text(json.dumps(self.instance.trusted_root()))

    def image(self, name: str = "app") -> dict[str, Any]:
        """Push an image, of content of its own."""
        return self.registry.push_image(name, "1", [{"name": name.encode()}])

    def attach(self, name: str, subject: dict[str, Any], bundle: dict[str, Any]) -> None:
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": V03,
            "config": self.registry.push_blob(b"{}", EMPTY),
            "layers": [self.registry.push_blob(json.dumps(bundle).encode(), V03)],
            "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
        }
        self.registry.push_manifest(name, manifest)

    def by_key(
        self, name: str, image: dict[str, Any], pair: KeyPair, kind: str = SIGN,
        predicate: Any = None, annotations: Any = None, to: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Sign, or attest, with a key; nobody logs it. It is attached to the image, or ``to``
        another."""
        content = statement(image["digest"], kind, predicate or {}, annotations)
        material = {"publicKey": {"hint": ""}}
        self.attach(name, to or image, _bundle(content, pair.key, material))

    def by_certificate(self, name: str, image: dict[str, Any], holder: Holder) -> None:
        """Sign with a certificate of an authority of one's own; nobody logs it."""
        material = {"certificate": {"rawBytes": b64(holder.der)}}
        content = statement(image["digest"], SIGN, {})
        self.attach(name, image, _bundle(content, holder.key, material))

    def by_identity(
        self, name: str, image: dict[str, Any], who: str, issuer: str, kind: str = SIGN,
        predicate: Any = None, claims: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        """Sign, or attest, as someone whom the instance knows; logged."""
        leaf = self.instance.leaf(who, issuer, claims=claims)
        content = statement(image["digest"], kind, predicate or {})
        self.attach(name, image, self.instance.attest(content, leaf))

    def judge(
        self, policy: str, name: str = "app", *, root: bool = False, **options: Any
    ) -> Verdict:
        """The verdict on an image by a policy; ``root`` gives the instance's trusted root."""
        path = self.folder / "policy.yaml"
        path.write_text(policy)
        trust = Trust()
        if root:
            trust.add_trusted_root(str(self.folder / "root.json"))
        given: dict[str, Any] = {"at": NOW} | options
        rule = given.pop("rule", BuiltInRule())
        request = VerifyOptions(trust, policy=load_policy(str(path)), rule=rule, **given)
        [verdict] = verify(f"docker://{self.host}/{name}:1", request)
        return verdict


def _bundle(content: Any, key: Any, material: dict[str, Any]) -> dict[str, Any]:
    payload, media_type = json.dumps(content).encode(), "application/vnd.in-toto+json"
    signature = key.sign(pae(media_type, payload), ECDSA(hashes.SHA256()))
    return {
        "mediaType": V03,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": media_type,
            "signatures": [{"sig": b64(signature)}],
        },
    }


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    with running() as registry:
        yield Bench(registry, folder)


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def details(verdict: Verdict) -> str:
    return "\n".join(f"{each.code}: {each.detail}" for each in verdict.findings)


__all__ = ["SBOM", "SCAN", "SIGN", "Bench", "bench", "codes", "details"]

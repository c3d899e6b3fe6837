"""Sigstore bundles, version 0.3, by a key: over a file, or around a statement
(sigstore protobuf-specs, sigstore_bundle.proto)."""

from __future__ import annotations

import base64
import hashlib

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss
from assay.evidence.intoto import PAYLOAD_TYPE
from assay.model.finding import UsageError
from assay.model.measurement import HashRequest, Request
from assay.produce.formats.dsse import base64_text, envelope, json_bytes
from assay.produce.formats.model import Answers, SignatureFormat, Wishes, check_for
from assay.produce.signing_key import SigningKey
from assay.signatures.sigstore.algorithms import algorithms_for

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_DIGESTS = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}


class _Sigstore:
    name = "sigstore"
    suffix = ".sigstore.json"
    about = "a bundle, for cosign verify-blob --bundle and other tools of Sigstore"

    def misfit(self, key: SigningKey) -> str:
        return ""

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        check, digest = check_for(key, wishes), _hint_digest(key, wishes)
        if check.algorithm not in algorithms_for(key.public, digest):
            raise UsageError(f"--signature-algorithm {wishes.algorithm}: not known in bundles")
        return tuple(dict.fromkeys((check.request, HashRequest(digest))))

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        check = check_for(key, wishes)
        name = _hint_digest(key, wishes)
        message = {
            "messageDigest": {
                "algorithm": _DIGESTS[name],
                "digest": base64_text(answers[HashRequest(name)]),
            },
            "signature": base64_text(key.sign(check, answers[check.request])),
        }
        return json_bytes(_bundle(key, "messageSignature", message)) + b"\n"


def statement_bundle(key: SigningKey, statement: bytes) -> bytes:
    """A bundle around an in-toto statement. Raises AssayError (signing-failed)."""
    content = envelope(key, statement, PAYLOAD_TYPE, named=False)
    return json_bytes(_bundle(key, "dsseEnvelope", content))


def key_hint(key: SigningKey) -> str:
    """How bundles name a key: the digest of its SubjectPublicKeyInfo."""
    return base64.b64encode(hashlib.sha256(key.public.spki).digest()).decode()


def _bundle(key: SigningKey, kind: str, content: object) -> dict[str, object]:
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hint(key)}},
        kind: content,
    }


def _hint_digest(key: SigningKey, wishes: Wishes) -> str:
    """The digest that the bundle names: the one that is signed, where one is."""
    match check_for(key, wishes).algorithm:
        case RsaPkcs1(name) | RsaPss(name) | Ecdsa(name) if name in _DIGESTS:
            return name
        case RsaPkcs1() | RsaPss() | Ecdsa() | EdDsa() | MlDsa():
            return "sha256"


FORMAT: SignatureFormat = _Sigstore()

"""A Sigstore instance with all that the newer half of the field has: a timestamp authority, a log
that gives no times (Rekor v2), and witnesses that cosign its checkpoints."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from assay.transparency.note import (
    KeyType,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    cosigned_message,
    parse,
    witnessed_message,
)
from tests.support import cms, der
from tests.support.certificates import Holder, make, root, usage
from tests.support.sigstore import NOW, V03, Instance, Leaf, b64, pae, times

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
SECONDS = int(NOW.timestamp())


class Witness:
    """Cosigns checkpoints, with Ed25519 or ML-DSA-44."""

    def __init__(self, name: str, *, post_quantum: bool = False) -> None:
        self.name, self._post_quantum = name, post_quantum
        self.private: Any = (
            mldsa.MLDSA44PrivateKey.generate()
            if post_quantum
            else ed25519.Ed25519PrivateKey.generate()
        )

    @property
    def vkey(self) -> VerifierKey:
        kind = KeyType.COSIGNATURE_ML_DSA if self._post_quantum else KeyType.COSIGNATURE
        return VerifierKey(self.name, kind, self.private.public_key().public_bytes_raw())

    def cosign(self, text: bytes, seconds: int = SECONDS) -> NoteSignature:
        message = (
            witnessed_message(self.name, text, seconds)
            if self._post_quantum
            else cosigned_message(text, seconds)
        )
        signature = struct.pack(">Q", seconds) + self.private.sign(message)
        return NoteSignature(self.name, self.vkey.key_hash, signature)


class ModernInstance(Instance):
    """``witnesses`` cosign every checkpoint that is made from now on."""

    def __init__(self, name: str = "sigstore.test") -> None:
        super().__init__(name)
        self.tsa_root = root("Clock Root")
        self.tsa = self.clock("Clock")
        self.witnesses: list[Witness] = []

    def clock(self, name: str, **options: Any) -> Holder:
        return make(
            name,
            self.tsa_root,
            **{
                "eku": [TIME_STAMPING],
                "eku_critical": True,
                "key_usage": usage("digital_signature"),
            }
            | options,
        )

    def stamp(self, signature: bytes, at: datetime, clock: Holder | None = None) -> dict[str, Any]:
        """A time stamp as it stands in a bundle."""
        token = cms.timestamp(clock or self.tsa, signature, f"{at:%Y%m%d%H%M%SZ}")
        return {"signedTimestamp": b64(der.seq(der.seq(der.integer(0)), token))}

    def checkpoint(self, root: bytes, size: int, version: int, key: Any = None) -> str:
        found = parse(super().checkpoint(root, size, version, key).encode())
        return self.cosigned(found.text, found.signatures)

    def cosigned(self, text: bytes, signatures: Sequence[NoteSignature]) -> str:
        from assay.transparency.note import Note

        lines = (*signatures, *(each.cosign(text) for each in self.witnesses))
        return Note(text, lines).render().decode()

    def reissue(self, leaf: Leaf, extension: x509.ExtensionType) -> Leaf:
        """The same certificate with one extension more, signed by the authority again."""
        old = leaf.certificate
        builder = (
            x509.CertificateBuilder()
            .subject_name(old.subject)
            .issuer_name(old.issuer)
            .public_key(old.public_key())
            .serial_number(old.serial_number)
            .not_valid_before(old.not_valid_before_utc)
            .not_valid_after(old.not_valid_after_utc)
        )
        for each in old.extensions:
            builder = builder.add_extension(each.value, each.critical)
        builder = builder.add_extension(extension, critical=False)
        return Leaf(leaf.key, builder.sign(self.issuing_key, hashes.SHA384()))

    def sign2(
        self,
        artifact: bytes,
        leaf: Leaf | None = None,
        *,
        stamped: Sequence[datetime] = (NOW + timedelta(minutes=1),),
        **entry: Any,
    ) -> dict[str, Any]:
        """A bundle over an artifact, logged in the second log and stamped at these times."""
        leaf = leaf or self.leaf()
        bundle = self.sign(artifact, leaf)
        signature = base64.b64decode(bundle["messageSignature"]["signature"])
        body = self.hashedrekord(artifact, signature, leaf.der, version=2)
        self._log2(bundle, body, signature, stamped, **entry)
        return bundle

    def attest2(
        self,
        statement: dict[str, Any],
        leaf: Leaf | None = None,
        *,
        stamped: Sequence[datetime] = (NOW + timedelta(minutes=1),),
        **entry: Any,
    ) -> dict[str, Any]:
        """A bundle with a statement: the second log has the digest of what is signed."""
        leaf = leaf or self.leaf()
        kind, payload = "application/vnd.in-toto+json", json.dumps(statement).encode()
        signature = leaf.key.sign(pae(kind, payload), ECDSA(hashes.SHA256()))
        bundle: dict[str, Any] = {
            "mediaType": V03,
            "verificationMaterial": {"certificate": {"rawBytes": b64(leaf.der)}},
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": kind,
                "signatures": [{"sig": b64(signature)}],
            },
        }
        body = self.hashedrekord(pae(kind, payload), signature, leaf.der, version=2)
        self._log2(bundle, body, signature, stamped, **entry)
        return bundle

    def _log2(
        self,
        bundle: dict[str, Any],
        body: dict[str, Any],
        signature: bytes,
        stamped: Sequence[datetime],
        **entry: Any,
    ) -> None:
        material = bundle["verificationMaterial"]
        material["tlogEntries"] = [self.entry(body, version=2, **entry)]
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [self.stamp(signature, at) for at in stamped]
        }

    def trusted_root(self, **clock: str) -> dict[str, Any]:
        """As before, with the timestamp authority; ``clock`` changes when that is believed."""
        found = super().trusted_root()
        found["timestampAuthorities"] = [
            {
                "uri": f"https://clock.{self.name}",
                "certChain": {
                    "certificates": [
                        {"rawBytes": b64(each.der)} for each in (self.tsa, self.tsa_root)
                    ]
                },
                "validFor": {"start": times(NOW - timedelta(days=30))} | clock,
            }
        ]
        return found

    @property
    def log2_vkey(self) -> VerifierKey:
        return NoteSigner(f"log2.{self.name}", KeyType.ED25519, self.rekor2_key).verifier


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

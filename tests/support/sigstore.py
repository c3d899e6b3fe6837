"""A Sigstore instance in memory: certificate authority, certificate log, transparency logs of both
versions and timestamp authority, each with keys made at test time. It can also misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assay.asn1.der import OCTET_STRING, UTF8_STRING, encode
from assay.transparency import merkle
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import Note, NoteSignature

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
IDENTITY = "https://forge.test/org/app/.forge/workflows/release.yml@refs/tags/v1"
ISSUER = "https://issuer.test"
SCT_OID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
V03 = "application/vnd.dev.sigstore.bundle.v0.3+json"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def utf8(text: str) -> bytes:
    return encode(UTF8_STRING, text.encode())


def times(text: datetime) -> str:
    return text.strftime("%Y-%m-%dT%H:%M:%SZ")


def pae(kind: str, payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


class Leaf:
    """A certificate of an identity, and its key."""

    def __init__(self, key: Any, certificate: x509.Certificate) -> None:
        self.key, self.certificate = key, certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


class Instance:
    """One instance with everything that its trusted root names."""

    def __init__(self, name: str = "sigstore.test") -> None:
        self.name = name
        self.ca_key = ec.generate_private_key(ec.SECP384R1())
        self.issuing_key = ec.generate_private_key(ec.SECP384R1())
        self.ct_key = ec.generate_private_key(ec.SECP256R1())
        self.rekor_key = ec.generate_private_key(ec.SECP256R1())
        self.rekor2_key = ed25519.Ed25519PrivateKey.generate()
        self.ca = self._authority("root", self.ca_key, "root", self.ca_key)
        self.issuing = self._authority("intermediate", self.issuing_key, "root", self.ca_key)

    def _authority(self, subject: str, key: Any, issuer: str, signer: Any) -> x509.Certificate:
        def name(text: str) -> x509.Name:
            return x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.name),
                    x509.NameAttribute(NameOID.COMMON_NAME, text),
                ]
            )

        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=365))
            .not_valid_after(NOW + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(_issuer_key(signer), False)
        )
        if subject != "root":
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
        return builder.sign(signer, hashes.SHA384())

    # certificates

    def leaf(
        self,
        identity: str = IDENTITY,
        issuer: str = ISSUER,
        *,
        at: datetime = NOW,
        minutes: int = 10,
        claims: dict[int, str] | None = None,
        key: Any = None,
        usage: Any = ExtendedKeyUsageOID.CODE_SIGNING,
        logged: bool = True,
        ct_key: Any = None,
    ) -> Leaf:
        """A certificate for an identity, as issued at ``at``. ``claims`` are further extensions
        by number; ``logged`` and ``ct_key`` say whether and by whom the log's word is given."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        name: x509.GeneralName = (
            x509.UniformResourceIdentifier(identity)
            if "://" in identity
            else x509.RFC822Name(identity)
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.issuing.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at)
            .not_valid_after(at + timedelta(minutes=minutes))
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(_issuer_key(self.issuing_key), False)
        )
        for number, text in ({8: issuer} | (claims or {})).items():
            oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
            value = utf8(text) if number >= 8 else text.encode()
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        if logged:
            draft = builder.sign(self.issuing_key, hashes.SHA384())
            timestamps = self._sct(draft.tbs_certificate_bytes, at, ct_key or self.ct_key)
            builder = builder.add_extension(
                x509.UnrecognizedExtension(SCT_OID, timestamps), critical=False
            )
        return Leaf(key, builder.sign(self.issuing_key, hashes.SHA384()))

    def _sct(self, tbs: bytes, at: datetime, key: Any) -> bytes:
        milliseconds = int(at.timestamp() * 1000).to_bytes(8)
        signed = b"".join(
            (
                b"\0\0",
                milliseconds,
                b"\0\1",
                hashlib.sha256(spki(self.issuing_key)).digest(),
                len(tbs).to_bytes(3),
                tbs,
                b"\0\0",
            )
        )
        signature = key.sign(signed, ECDSA(hashes.SHA256()))
        log_id = hashlib.sha256(spki(self.ct_key)).digest()
        sct = b"\0" + log_id + milliseconds + b"\0\0\4\3" + len(signature).to_bytes(2) + signature
        items = len(sct).to_bytes(2) + sct
        block = len(items).to_bytes(2) + items
        return encode(OCTET_STRING, block)

    # logs

    @property
    def rekor_id(self) -> bytes:
        return hashlib.sha256(spki(self.rekor_key)).digest()

    @property
    def rekor2_id(self) -> bytes:
        raw = self.rekor2_key.public_key().public_bytes_raw()
        return hashlib.sha256(f"log2.{self.name}\n".encode() + b"\1" + raw).digest()

    def entry(
        self,
        body: dict[str, Any],
        *,
        version: int = 1,
        at: datetime = NOW + timedelta(minutes=1),
        others: int = 5,
        promise: bool = True,
        proof: bool = True,
    ) -> dict[str, Any]:
        """The word of a log for an entry among ``others``."""
        raw = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        leaves = [merkle.leaf_hash(b"entry %d" % number) for number in range(others)]
        leaves.append(merkle.leaf_hash(raw))
        size, index = len(leaves), len(leaves) - 1

        def subtree(level: int, number: int) -> bytes:
            return merkle.root_of(leaves[number << level : (number + 1) << level])

        root = merkle.root_of(leaves)
        path = merkle.inclusion_proof(index, size, subtree)
        log_id = self.rekor_id if version == 1 else self.rekor2_id
        found: dict[str, Any] = {
            "logIndex": str(index + 1000),
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "canonicalizedBody": b64(raw),
        }
        if version == 1:
            found["integratedTime"] = str(int(at.timestamp()))
            if promise:
                found["inclusionPromise"] = {"signedEntryTimestamp": self._promise(found)}
        if proof:
            found["inclusionProof"] = {
                "logIndex": str(index),
                "rootHash": b64(root),
                "treeSize": str(size),
                "hashes": [b64(node) for node in path],
                "checkpoint": {"envelope": self.checkpoint(root, size, version)},
            }
        return found

    def _promise(self, entry: dict[str, Any]) -> str:
        signed = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
            "logIndex": int(entry["logIndex"]),
        }
        text = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
        return b64(self.rekor_key.sign(text, ECDSA(hashes.SHA256())))

    def checkpoint(self, root: bytes, size: int, version: int, key: Any = None) -> str:
        """A signed checkpoint; with another ``key`` a forged one."""
        if version == 1:
            origin, name = f"rekor.{self.name} - 123", f"rekor.{self.name}"
            text = Checkpoint(origin, size, root).render()
            signature = (key or self.rekor_key).sign(text, ECDSA(hashes.SHA256()))
            hint = self.rekor_id[:4]
        else:
            name = f"log2.{self.name}"
            text = Checkpoint(name, size, root).render()
            signature = (key or self.rekor2_key).sign(text)
            hint = self.rekor2_id[:4]
        return Note(text, (NoteSignature(name, hint, signature),)).render().decode()

    def hashedrekord(
        self, artifact: bytes, signature: bytes, verifier: bytes, *, version: int = 1
    ) -> dict[str, Any]:
        """The body for a signature over ``artifact``; ``verifier`` is PEM (version 1) or DER of a
        certificate (version 2)."""
        digest = hashlib.sha256(artifact)
        if version == 1:
            return {
                "apiVersion": "0.0.1",
                "kind": "hashedrekord",
                "spec": {
                    "data": {"hash": {"algorithm": "sha256", "value": digest.hexdigest()}},
                    "signature": {
                        "content": b64(signature),
                        "publicKey": {"content": b64(verifier)},
                    },
                },
            }
        return {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {
                "hashedRekordV002": {
                    "data": {"algorithm": "SHA2_256", "digest": b64(digest.digest())},
                    "signature": {
                        "content": b64(signature),
                        "verifier": {
                            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                            "x509Certificate": {"rawBytes": b64(verifier)},
                        },
                    },
                }
            },
        }

    # bundles

    def sign(self, artifact: bytes, leaf: Leaf | None = None, **entry: Any) -> dict[str, Any]:
        """A bundle over an artifact, logged in the first log."""
        leaf = leaf or self.leaf()
        signature = leaf.key.sign(artifact, ECDSA(hashes.SHA256()))
        body = self.hashedrekord(artifact, signature, leaf.pem)
        return {
            "mediaType": V03,
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(leaf.der)},
                "tlogEntries": [self.entry(body, **entry)],
            },
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_256",
                    "digest": b64(hashlib.sha256(artifact).digest()),
                },
                "signature": b64(signature),
            },
        }

    def attest(
        self, statement: dict[str, Any], leaf: Leaf | None = None, **entry: Any
    ) -> dict[str, Any]:
        """A bundle with a statement in an envelope, logged in the first log."""
        leaf = leaf or self.leaf()
        kind, payload = "application/vnd.in-toto+json", json.dumps(statement).encode()
        signature = leaf.key.sign(pae(kind, payload), ECDSA(hashes.SHA256()))
        body = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "00" * 32},
                "payloadHash": {
                    "algorithm": "sha256",
                    "value": hashlib.sha256(payload).hexdigest(),
                },
                "signatures": [{"signature": b64(signature), "verifier": b64(leaf.pem)}],
            },
        }
        return {
            "mediaType": V03,
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(leaf.der)},
                "tlogEntries": [self.entry(body, **entry)],
            },
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": kind,
                "signatures": [{"sig": b64(signature)}],
            },
        }

    def trusted_root(self) -> dict[str, Any]:
        """The trusted root (version 0.1)."""
        always = {"start": times(NOW - timedelta(days=365))}
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                {
                    "baseUrl": f"https://rekor.{self.name}",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": {
                        "rawBytes": b64(spki(self.rekor_key)),
                        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "validFor": dict(always),
                    },
                    "logId": {"keyId": b64(self.rekor_id)},
                },
                {
                    "baseUrl": f"https://log2.{self.name}",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": {
                        "rawBytes": b64(spki(self.rekor2_key)),
                        "keyDetails": "PKIX_ED25519",
                        "validFor": dict(always),
                    },
                    "logId": {"keyId": b64(self.rekor2_id)},
                },
            ],
            "certificateAuthorities": [
                {
                    "uri": f"https://fulcio.{self.name}",
                    "certChain": {
                        "certificates": [
                            {"rawBytes": b64(one.public_bytes(Encoding.DER))}
                            for one in (self.issuing, self.ca)
                        ]
                    },
                    "validFor": dict(always),
                }
            ],
            "ctlogs": [
                {
                    "baseUrl": f"https://ct.{self.name}",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": {
                        "rawBytes": b64(spki(self.ct_key)),
                        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "validFor": dict(always),
                    },
                    "logId": {"keyId": b64(hashlib.sha256(spki(self.ct_key)).digest())},
                }
            ],
            "timestampAuthorities": [],
        }


def _issuer_key(key: Any) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )

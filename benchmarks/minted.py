"""Bundles by a Sigstore instance in memory, as its clients write them (version 0.3): each with a
certificate of its own, in a log with a promise, a proof and a checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.sigstore import IDENTITY, ISSUER, Instance, b64

_ENTRIES = 1000
"""Entries of the log beside the bundle's own. Logs in use have so many more that a proof takes
twice the hashes, and hashes are the least of it."""


def mint(folder: Path, count: int) -> None:
    """Fill a folder with ``count`` bundles by an identity, and as many by a key."""
    instance = Instance()
    root = instance.trusted_root()
    for authority in root["certificateAuthorities"]:
        authority["subject"] = {"organization": instance.name, "commonName": "root"}
    (folder / "trusted_root.json").write_text(json.dumps(root))
    (folder / "identity").write_text(IDENTITY)
    (folder / "issuer").write_text(ISSUER)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pub").write_bytes(pem)
    for kind in ("identity-signed", "key-signed"):
        (folder / kind).mkdir()
    for number in range(count):
        artifact = os.urandom(1000)
        bundle = instance.sign(artifact, instance.leaf(claims={1: ISSUER}), others=_ENTRIES)
        _write(folder / "identity-signed" / f"{number:03}", artifact, bundle)
        signature = key.sign(artifact, ec.ECDSA(hashes.SHA256()))
        body = instance.hashedrekord(artifact, signature, pem)
        managed = {
            **bundle,
            "verificationMaterial": {
                "publicKey": {"hint": "key"},
                "tlogEntries": [instance.entry(body, others=_ENTRIES)],
            },
            "messageSignature": {
                **bundle["messageSignature"],
                "messageDigest": bundle["messageSignature"]["messageDigest"],
                "signature": b64(signature),
            },
        }
        _write(folder / "key-signed" / f"{number:03}", artifact, managed)


def _write(path: Path, artifact: bytes, bundle: object) -> None:
    path.write_bytes(artifact)
    path.with_name(path.name + ".sigstore.json").write_text(json.dumps(bundle))

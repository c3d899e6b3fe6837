"""The keys of a TrustRoot of policy-controller (``spec.sigstoreKeys``) as a trusted root."""

from __future__ import annotations

import base64
import binascii
import hashlib

from assay.policy_import.kubernetes import signers
from assay.policy_import.kubernetes.fields import Fields
from assay.sigstore.trusted_root import Authority, Log, TrustedRoot, Validity


def sigstore_keys(keys: Fields) -> TrustedRoot:
    """Raises AssayError."""
    keys.close("certificateAuthorities", "tLogs", "ctLogs", "timestampAuthorities")
    return TrustedRoot(
        logs=_logs(keys, "tLogs"),
        certificate_authorities=_authorities(keys, "certificateAuthorities"),
        certificate_logs=_logs(keys, "ctLogs"),
        timestamp_authorities=_authorities(keys, "timestampAuthorities"),
    )


def _pem(one: Fields, name: str) -> str:
    """PEM text, which is in base64 once more."""
    try:
        return base64.b64decode(one.text(name), validate=True).decode()
    except (binascii.Error, ValueError):
        raise one.fail(name, "is not PEM in base64") from None


def _logs(keys: Fields, name: str) -> tuple[Log, ...]:
    found: list[Log] = []
    for one in keys.objects(name):
        one.close("baseURL", "hashAlgorithm", "publicKey")
        if one.text("hashAlgorithm").lower().replace("_", "-") not in ("sha-256", "sha256"):
            raise one.fail("hashAlgorithm", "is not sha-256")
        try:
            public = signers.public_keys(_pem(one, "publicKey"))
        except ValueError as error:
            raise one.fail("publicKey", f"cannot be used: {error}") from error
        for key in public:
            digest = hashlib.sha256(key.spki).digest()
            url = one.text("baseURL")
            found.append(Log(url, digest, key, Validity(), digest[:4], ""))
    return tuple(found)


def _authorities(keys: Fields, name: str) -> tuple[Authority, ...]:
    found: list[Authority] = []
    for one in keys.objects(name):
        one.close("subject", "uri", "certChain")
        try:
            chain = signers.certificates(_pem(one, "certChain"))
        except ValueError as error:
            raise one.fail("certChain", f"cannot be used: {error}") from error
        found.append(Authority(one.text("uri", ""), chain, Validity(), ""))
    return tuple(found)

"""What a certificate of a Sigstore authority says of its holder (Fulcio, docs/oid-info.md)."""

from __future__ import annotations

from assay.asn1.der import UTF8_STRING, Der, context
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.x509.certificate import Certificate
from assay.x509.general_names import Kind, matchable

_ARC = "1.3.6.1.4.1.57264.1."
_OLD = {1: "issuer", 2: "trigger", 3: "sha", 4: "workflow-name", 5: "repository", 6: "ref"}
"""Values as bare text. Their names end in ``-v1``, since each has a successor."""

_OTHER_NAME = 7

_CLAIMS = {
    8: "issuer",
    9: "build-signer-uri",
    10: "build-signer-digest",
    11: "runner-environment",
    12: "source-repository-uri",
    13: "source-repository-digest",
    14: "source-repository-ref",
    15: "source-repository-identifier",
    16: "source-repository-owner-uri",
    17: "source-repository-owner-identifier",
    18: "build-config-uri",
    19: "build-config-digest",
    20: "build-trigger",
    21: "run-invocation-uri",
    22: "source-repository-visibility",
    23: "deployment-environment",
    24: "token-subject",
}
"""Values as DER UTF8String."""

CLAIM_NAMES = (*_CLAIMS.values(), *(f"{name}-v1" for name in _OLD.values()))
"""Every name that a claim of a certificate can be required by."""


def claims_of(certificate: Certificate) -> dict[str, str]:
    """The claims by name. Raises AssayError (certificate-malformed)."""
    found: dict[str, str] = {}
    for number, name in _CLAIMS.items():
        extension = certificate.extensions.get(f"{_ARC}{number}")
        if extension is not None:
            cursor = Der(extension.value, CERTIFICATE_MALFORMED)
            found[name] = cursor.text(cursor.take(UTF8_STRING))
            cursor.finish()
    for number, name in _OLD.items():
        extension = certificate.extensions.get(f"{_ARC}{number}")
        if extension is not None:
            found[f"{name}-v1"] = extension.value.decode("utf-8", "replace")
    return found


def issuer_of(claims: dict[str, str]) -> str:
    """Who proved the identity to the authority."""
    return claims.get("issuer") or claims.get("issuer-v1", "")


def names_of(certificate: Certificate) -> tuple[str, ...]:
    """The identities: e-mail addresses, URIs, host names, user names. Raises AssayError."""
    names = certificate.alternative_names
    users = (_user_name(name.encoded) for name in names if name.kind is Kind.OTHER)
    return (*matchable(names), *(user for user in users if user))


def _user_name(encoded: bytes) -> str:
    """The text of an otherName of Fulcio's own kind; empty for any other kind."""
    cursor = Der(encoded, CERTIFICATE_MALFORMED).enter(context(0))
    if cursor.oid() != f"{_ARC}{_OTHER_NAME}":
        return ""
    value = cursor.enter(context(0))
    text = value.text(value.take(UTF8_STRING))
    value.finish()
    cursor.finish()
    return text

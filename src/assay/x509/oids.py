"""Object identifiers of X.509, and what people call them."""

from __future__ import annotations

SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
ISSUER_ALTERNATIVE_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
CRL_REASON = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
EXTENDED_KEY_USAGE = "2.5.29.37"
INHIBIT_ANY_POLICY = "2.5.29.54"
NETSCAPE_CERTIFICATE_TYPE = "2.16.840.1.113730.1.1"

AUTHORITY_INFORMATION = "1.3.6.1.5.5.7.1.1"
OCSP = "1.3.6.1.5.5.7.48.1"
"""A way to reach an authority, in the extension before."""
OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"

ANY_PURPOSE = "2.5.29.37.0"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"

PURPOSES = {
    "serverAuth": SERVER_AUTH,
    "clientAuth": CLIENT_AUTH,
    "codeSigning": CODE_SIGNING,
    "emailProtection": EMAIL_PROTECTION,
    "timeStamping": TIME_STAMPING,
    "OCSPSigning": OCSP_SIGNING,
    "documentSigning": DOCUMENT_SIGNING,
    "anyExtendedKeyUsage": ANY_PURPOSE,
}
"""The purposes that people can name without their object identifier."""

_NAMES = {
    SUBJECT_KEY_IDENTIFIER: "subject key identifier",
    KEY_USAGE: "key usage",
    NETSCAPE_CERTIFICATE_TYPE: "Netscape certificate type",
    SUBJECT_ALTERNATIVE_NAME: "subject alternative name",
    ISSUER_ALTERNATIVE_NAME: "issuer alternative name",
    BASIC_CONSTRAINTS: "basic constraints",
    NAME_CONSTRAINTS: "name constraints",
    CRL_DISTRIBUTION_POINTS: "CRL distribution points",
    CERTIFICATE_POLICIES: "certificate policies",
    POLICY_MAPPINGS: "policy mappings",
    AUTHORITY_KEY_IDENTIFIER: "authority key identifier",
    POLICY_CONSTRAINTS: "policy constraints",
    EXTENDED_KEY_USAGE: "extended key usage",
    INHIBIT_ANY_POLICY: "inhibit any policy",
    AUTHORITY_INFORMATION: "authority information access",
    DELTA_CRL: "delta CRL indicator",
    ISSUING_DISTRIBUTION_POINT: "issuing distribution point",
    OCSP_NO_CHECK: "OCSP no check",
    OCSP_NONCE: "OCSP nonce",
    **{oid: name for name, oid in PURPOSES.items()},
}


def name(oid: str) -> str:
    """What people call it; the object identifier itself where it has no name here."""
    return _NAMES.get(oid, oid)

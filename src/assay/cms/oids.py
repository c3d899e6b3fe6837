"""Object identifiers of CMS, and what people call them."""

from __future__ import annotations

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
MICROSOFT_TIMESTAMP = "1.3.6.1.4.1.311.3.3.1"

_NAMES = {
    DATA: "data",
    SIGNED_DATA: "signed data",
    TST_INFO: "time stamp",
    CONTENT_TYPE: "content type",
    MESSAGE_DIGEST: "message digest",
    SIGNING_TIME: "signing time",
    COUNTERSIGNATURE: "countersignature",
    SIGNING_CERTIFICATE: "signing certificate",
    SIGNING_CERTIFICATE_V2: "signing certificate v2",
    TIMESTAMP_TOKEN: "time stamp token",
    ALGORITHM_PROTECTION: "algorithm protection",
    MICROSOFT_TIMESTAMP: "time stamp token",
    "1.2.840.113549.1.7.3": "enveloped data",
    "1.2.840.113549.1.7.5": "digested data",
    "1.2.840.113549.1.7.6": "encrypted data",
    "1.2.840.113549.1.9.16.1.2": "authenticated data",
    "1.2.840.113549.1.9.16.1.23": "authenticated enveloped data",
    "1.3.6.1.4.1.311.2.1.4": "Authenticode digest",
}


def name(oid: str) -> str:
    """What people call it; the object identifier itself where it has no name here."""
    return _NAMES.get(oid, oid)

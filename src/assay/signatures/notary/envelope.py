"""What an envelope of a Notary signature says, in whichever of the two forms it is written
(notaryproject/specifications, signature-specification.md and signing-scheme.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from assay import limits
from assay.crypto.algorithms import Ecdsa, RsaPss
from assay.crypto.public_key import PublicKey
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.strict_cbor import Tagged

PREFIX = "io.cncf.notary."
SIGNING_SCHEME = PREFIX + "signingScheme"
SIGNING_TIME = PREFIX + "signingTime"
AUTHENTIC_SIGNING_TIME = PREFIX + "authenticSigningTime"
EXPIRY = PREFIX + "expiry"
PLUGIN = PREFIX + "verificationPlugin"
PLUGIN_VERSION = PREFIX + "verificationPluginMinVersion"
TIMESTAMP = PREFIX + "timestampSignature"

PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json"
X509 = "notary.x509"
X509_SIGNING_AUTHORITY = "notary.x509.signingAuthority"

ALGORITHMS: dict[str, RsaPss | Ecdsa] = {
    "PS256": RsaPss("sha256", salt_length=32),
    "PS384": RsaPss("sha384", salt_length=48),
    "PS512": RsaPss("sha512", salt_length=64),
    "ES256": Ecdsa("sha256", "p1363"),
    "ES384": Ecdsa("sha384", "p1363"),
    "ES512": Ecdsa("sha512", "p1363"),
}
"""By their names in JWS (RFC 7518 section 3.1)."""

_BY_KEY = {
    "RSA 2048": "PS256",
    "RSA 3072": "PS384",
    "RSA 4096": "PS512",
    "ECDSA P-256": "ES256",
    "ECDSA P-384": "ES384",
    "ECDSA P-521": "ES512",
}
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_CRITICAL = {SIGNING_SCHEME, SIGNING_TIME, AUTHENTIC_SIGNING_TIME, EXPIRY, PLUGIN, PLUGIN_VERSION}
_OF_THE_FORM = {"alg", "cty"}
"""Headers of JWS and COSE themselves, which need not be called critical and may be."""


class Envelope(Struct, frozen=True):
    """An envelope as it is written, with nothing in it believed.

    ``form`` is JWS or COSE. ``signed`` is exactly what the signature is over. ``unknown`` are the
    critical headers that Assay does not know, ``plugin`` the verification plug-in that the signer
    asks for. ``chain`` are encoded certificates, the signer's first, and ``timestamp`` is a time
    stamp token; neither is signed. Times are in UTC, ``authentic_time`` is that of a signing
    authority.
    """

    form: str
    algorithm: str
    untrusted_payload: bytes
    signed: bytes
    signature: bytes
    scheme: str
    signing_time: datetime | None
    authentic_time: datetime | None
    expiry: datetime | None
    unknown: tuple[str, ...]
    plugin: str
    chain: tuple[bytes, ...]
    timestamp: bytes


def algorithm_of(key: PublicKey) -> str:
    """The one algorithm that a key may sign with; empty for a key that may not sign at all."""
    return _BY_KEY.get(key.name, "")


def malformed(detail: str, offset: int | None = None) -> AssayError:
    """The error for an envelope that cannot be read."""
    return AssayError(
        Finding.of(
            codes.SIGNATURE_MALFORMED, detail=f"the Notary envelope: {detail}", offset=offset
        )
    )


def build(
    form: str,
    protected: dict[str, Any],
    *,
    payload: bytes,
    signed: bytes,
    signature: bytes,
    chain: Sequence[bytes],
    timestamp: bytes,
) -> Envelope:
    """The envelope with these parts; ``protected`` are the signed headers, by their names in JWS.
    Raises AssayError (signature-malformed)."""
    algorithm = _text(protected, "alg")
    if algorithm not in ALGORITHMS:
        raise malformed(
            f"the algorithm {printable(algorithm, 40)!r}, which is none of {', '.join(ALGORITHMS)}"
        )
    content_type = _text(protected, "cty")
    if content_type != PAYLOAD_TYPE:
        raise malformed(f"its content is {printable(content_type, 80)!r}, and not {PAYLOAD_TYPE}")
    scheme = _text(protected, SIGNING_SCHEME)
    critical = _critical(protected)
    _check_scheme(scheme, protected, critical)
    if not signature:
        raise malformed("the signature is empty")
    if not chain:
        raise malformed("there is no certificate in it")
    if len(chain) > limits.NOTARY_CERTIFICATES:
        raise malformed(f"{len(chain)} certificates, more than {limits.NOTARY_CERTIFICATES}")
    signing_time, authentic = (
        _time(protected, SIGNING_TIME),
        _time(protected, AUTHENTIC_SIGNING_TIME),
    )
    expiry, made = _time(protected, EXPIRY), authentic or signing_time
    if expiry is not None and made is not None and expiry <= made:
        raise malformed("it expires before it was made")
    known = _CRITICAL | _OF_THE_FORM
    return Envelope(
        form=form,
        algorithm=algorithm,
        untrusted_payload=payload,
        signed=signed,
        signature=signature,
        scheme=scheme,
        signing_time=signing_time,
        authentic_time=authentic,
        expiry=expiry,
        unknown=tuple(name for name in critical if name not in known),
        plugin=_text(protected, PLUGIN) if PLUGIN in protected else "",
        chain=tuple(chain),
        timestamp=timestamp,
    )


def _text(headers: dict[str, Any], name: str) -> str:
    value = headers.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"the header {name} is {'not text' if name in headers else 'missing'}")
    return value


def _critical(protected: dict[str, Any]) -> list[str]:
    """The names of the critical headers: each there, and named once (RFC 7515 section 4.1.11)."""
    critical = protected.get("crit")
    if not isinstance(critical, list) or not critical:
        raise malformed("the list of critical headers (crit) is missing")
    if len(critical) > limits.NOTARY_HEADERS:
        raise malformed(f"more than {limits.NOTARY_HEADERS} critical headers")
    if not all(isinstance(name, str) for name in critical):
        raise malformed("the list of critical headers holds something that is no name")
    if len(set(critical)) != len(critical):
        raise malformed("the list of critical headers names one twice")
    for name in critical:
        if name not in protected:
            raise malformed(f"the critical header {printable(name, 80)} is missing")
    return critical


def _check_scheme(scheme: str, protected: dict[str, Any], critical: Sequence[str]) -> None:
    """Which headers a signing scheme has, and which of them have to be critical."""
    if scheme not in (X509, X509_SIGNING_AUTHORITY):
        raise malformed(f"the signing scheme {printable(scheme, 80)!r}, which is not known")
    if scheme == X509 and AUTHENTIC_SIGNING_TIME in protected:
        raise malformed(f"the header {AUTHENTIC_SIGNING_TIME} does not belong to {X509}")
    if scheme == X509_SIGNING_AUTHORITY:
        if SIGNING_TIME in protected:
            raise malformed(f"the header {SIGNING_TIME} does not belong to {scheme}")
        if AUTHENTIC_SIGNING_TIME not in protected:
            raise malformed(f"the header {AUTHENTIC_SIGNING_TIME} is missing")
    for name in (SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME, EXPIRY):
        if name in protected and name not in critical:
            raise malformed(f"the header {name} is not marked critical")


def _time(headers: dict[str, Any], name: str) -> datetime | None:
    """A time: text after RFC 3339 in JWS, seconds since 1970 in COSE. A fraction of a second is
    left out."""
    value = headers.get(name)
    if name not in headers:
        return None
    try:
        if isinstance(value, Tagged):
            if value.tag != 1 or not isinstance(value.value, int):
                raise ValueError
            return datetime.fromtimestamp(value.value, UTC)
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValueError
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError, OSError):
        raise malformed(f"the header {name} is not a time") from None

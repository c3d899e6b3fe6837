"""Trusted roots: the authorities and logs of one Sigstore instance, and when each was to be
believed (sigstore protobuf-specs, sigstore_trustroot.proto, versions 0.1 and 0.2).

Both ends of a validity belong to it (sigstore_common.proto, TimeRange).
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from msgspec import Struct

from assay import limits, strict_json
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_pkcs1, read_spki
from assay.model.codes.sigstore import TRUSTED_ROOT_MALFORMED
from assay.model.finding import AssayError
from assay.sigstore.fields import Fields
from assay.transparency.policy import WitnessPolicy
from assay.x509.certificate import Certificate, read_certificate

TRUSTED_ROOT_SCHEME = "sigstore-trusted-root"
"""The `Key.scheme` of trusted roots, with a `TrustedRoot` as material. They are no anchors."""

WITNESS_SCHEME = "witness-policy"
"""The `Key.scheme` of a `WitnessPolicy`, which counts for all trusted roots. It is no anchor."""

_TYPES = tuple(
    pattern.format(version)
    for version in ("0.1", "0.2")
    for pattern in (
        "application/vnd.dev.sigstore.trustedroot+json;version={}",
        "application/vnd.dev.sigstore.trustedroot.v{}+json",
    )
)


class Validity(Struct, frozen=True):
    """From ``start`` to ``end``, both included; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def includes(self, time: datetime) -> bool:
        return not (
            (self.start is not None and time < self.start)
            or (self.end is not None and time > self.end)
        )

    def __str__(self) -> str:
        shown = [time.isoformat() if time else "" for time in (self.start, self.end)]
        return f"{shown[0] or 'the beginning'} to {shown[1] or 'further notice'}"


class Log(Struct, frozen=True, dict=True):
    """A transparency log (Rekor, or certificate transparency). ``checkpoint_key_id`` is the hint
    that its signature lines in checkpoints begin with."""

    base_url: str
    log_id: bytes
    key: PublicKey
    validity: Validity
    checkpoint_key_id: bytes
    operator: str

    @cached_property
    def origin(self) -> str:
        """The name that its checkpoints are signed with: the URL without the scheme."""
        return self.base_url.partition("://")[2].rstrip("/") or self.base_url


class Authority(Struct, frozen=True):
    """A certificate or timestamp authority: its certificates, the issuing one first, the root
    last."""

    uri: str
    chain: tuple[Certificate, ...]
    validity: Validity
    operator: str


class TrustedRoot(Struct, frozen=True, eq=False):
    """Everything that one instance is verified with.

    ``bare`` is set for one made of root certificates and log keys alone, by a policy that has no
    more: certificates between root and signer then come with the signature, and as no certificate
    log is known, none is asked. With ``partial`` the chains of authorities may have gaps, which
    certificates that come with the signature fill. ``witnesses`` are those that have to have seen
    what a log says.
    """

    logs: tuple[Log, ...]
    certificate_authorities: tuple[Authority, ...]
    certificate_logs: tuple[Log, ...]
    timestamp_authorities: tuple[Authority, ...]
    bare: bool = False
    partial: bool = False
    witnesses: WitnessPolicy | None = None


def looks_like(data: bytes) -> bool:
    """Whether these bytes may be a trusted root. Cheap."""
    return b"vnd.dev.sigstore.trustedroot" in data[: limits.DETECT_HEAD]


def parse_trusted_root(data: bytes) -> TrustedRoot:
    """Read a trusted root. Raises AssayError (trusted-root-malformed and what keys and
    certificates can be wrong in)."""
    top = Fields(strict_json.parse(data, ""), "", TRUSTED_ROOT_MALFORMED)
    media_type = top.text("mediaType")
    if media_type not in _TYPES:
        raise top.fail("mediaType", f"is {media_type[:100]!r}; versions 0.1 and 0.2 are known")
    most = limits.SIGSTORE_TRUSTED_ROOT_ENTRIES
    return TrustedRoot(
        logs=_logs(top, "tlogs", most),
        certificate_authorities=tuple(
            _authority(one) for one in top.objects("certificateAuthorities", most)
        ),
        certificate_logs=_logs(top, "ctlogs", most),
        timestamp_authorities=tuple(
            _authority(one) for one in top.objects("timestampAuthorities", most)
        ),
    )


def _logs(top: Fields, name: str, most: int) -> tuple[Log, ...]:
    found: list[Log] = []
    for one in top.objects(name, most):
        key = one.object("publicKey")
        log_id = one.object("logId").some_data("keyId")
        # The field is `checkpointKeyId` of version 0.2; before, the log's own id served.
        hint = one.object("checkpointKeyId").data("keyId") if one.has("checkpointKeyId") else b""
        try:
            public = _log_key(key, f"{name} {one.text('baseUrl')}")
        except AssayError as error:
            raise one.fail("publicKey", f"cannot be used: {error.finding.detail}") from error
        found.append(
            Log(
                one.text("baseUrl"),
                log_id,
                public,
                _validity(key),
                (hint or log_id)[:4],
                one.text("operator"),
            )
        )
    return tuple(found)


def _log_key(key: Fields, what: str) -> PublicKey:
    data = key.some_data("rawBytes")
    if key.text("keyDetails").startswith("PKCS1_RSA"):
        return read_pkcs1(data, what)
    return read_spki(data, what)


def _authority(one: Fields) -> Authority:
    chain = one.object("certChain")
    try:
        certificates = tuple(
            read_certificate(entry.some_data("rawBytes"))
            for entry in chain.objects("certificates", limits.PATH_LENGTH)
        )
    except AssayError as error:
        raise one.fail("certChain", f"cannot be used: {error.finding.detail}") from error
    if not certificates:
        raise one.fail("certChain", "is empty")
    return Authority(one.text("uri"), certificates, _validity(one), one.text("operator"))


def _validity(of: Fields) -> Validity:
    if not of.has("validFor"):
        return Validity()
    window = of.object("validFor")
    return Validity(window.time("start"), window.time("end"))

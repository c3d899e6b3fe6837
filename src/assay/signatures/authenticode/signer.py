"""An Authenticode signature: one signer of CMS signed data whose content is inside.

Windows judges certificates at the effective time or that of a time stamp. UEFI firmware does not
look at dates at all (UEFI Specification, "Authenticated Variables" and "Image Authentication": only
db and dbx count); whoever wants to know what it would accept says so with ``as-firmware``, and is
told which certificates are not valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from assay.cms.given import Given
from assay.cms.signed_data import read_signed_data
from assay.model.codes import pe as codes
from assay.model.codes import trust as trust_codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import Key, PreparedSignature, Signature
from assay.signatures.cms.moment import Moment, shown
from assay.signatures.cms.signer import CmsSignature
from assay.x509.certificate import Certificate
from assay.x509.requirements import PathResult, Requirements

SCHEME = "authenticode"
AS_FIRMWARE = "as-firmware"
"""The name in `Key.demands` of the wish to judge as UEFI firmware does."""

_EXPIRED_REMEDY = (
    "Get the program signed below the authority's successor, or give that authority with --ca:"
    " programs may carry a signature below each. Where the signature has a time stamp, give its"
    " authority with --tsa-ca. UEFI firmware does not look at dates: --as-firmware tells what it"
    " would accept."
)


class AuthenticodeSignature(CmsSignature):
    """The signer of a program."""

    what = "Authenticode signature"

    def _asked(self, key: Key, given: Given, time: datetime, at: datetime) -> Requirements:
        asked = super()._asked(key, given, time, at)
        return replace(asked, timeless=True) if AS_FIRMWARE in key.demands else asked

    def _path(
        self, leaf: Certificate, key: Key, given: Given, moment: Moment, at: datetime
    ) -> PathResult:
        result = super()._path(leaf, key, given, moment, at)
        if not result.path or AS_FIRMWARE not in key.demands:
            return result
        return replace(result, notices=(*result.notices, *_outside_validity(result, at)))

    def _placed(self, finding: Finding) -> Finding:
        placed = super()._placed(finding)
        if finding.code == trust_codes.KEY_EXPIRED.name:
            return replace(placed, remedy=_EXPIRED_REMEDY)
        return placed


def _outside_validity(result: PathResult, at: datetime) -> Iterator[Finding]:
    for certificate in result.path:
        if at > certificate.not_after:
            when = f"expired on {shown(certificate.not_after)}"
        elif at < certificate.not_before:
            when = f"is not valid before {shown(certificate.not_before)}"
        else:
            continue
        yield Finding.of(codes.CERTIFICATE_VALIDITY_IGNORED, detail=f"{certificate} {when}")


def prepare(data: bytes, document: str, signature_id: str) -> list[PreparedSignature]:
    """The signature of a program. Raises AssayError (signature-malformed)."""
    signed = read_signed_data(data)
    if len(signed.signers) != 1:
        raise AssayError(
            Finding.of(
                trust_codes.SIGNATURE_MALFORMED,
                detail=f"it has {len(signed.signers)} signers, and Authenticode has one",
            )
        )
    [signer] = signed.signers
    if signer.signed_attributes is None:
        raise AssayError(
            Finding.of(trust_codes.SIGNATURE_MALFORMED, detail="it has no signed attributes")
        )
    return [AuthenticodeSignature(signed, signer, Signature(signature_id, SCHEME, document))]

"""An Authenticode signature: one signer of CMS signed data whose content is inside.

Windows judges certificates at the effective time or that of a time stamp, firmware at none
(`assay.signatures.cms.firmware`): so it matters which of the two a program is for.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay.cms.signed_data import read_signed_data
from assay.model.codes import trust as trust_codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import Key, PreparedSignature, Signature
from assay.signatures.cms.firmware import FirmwareSignature

SCHEME = "authenticode"

_EXPIRED_REMEDY = (
    "Get the program signed below the authority's successor, or give that authority with --ca:"
    " programs may carry a signature below each. Where the signature has a time stamp, give its"
    " authority with --tsa-ca."
)


class AuthenticodeSignature(FirmwareSignature):
    """The signer of a program for firmware."""

    what = "Authenticode signature"

    def _placed(self, finding: Finding) -> Finding:
        placed = super()._placed(finding)
        if finding.code == trust_codes.KEY_EXPIRED.name:
            return replace(placed, remedy=_EXPIRED_REMEDY)
        return placed


class DatedSignature(AuthenticodeSignature):
    """The signer of a program for an operating system, where dates count."""

    def _timeless(self, key: Key) -> bool:
        return False


def prepare(
    data: bytes, document: str, signature_id: str, *, for_firmware: bool
) -> list[PreparedSignature]:
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
    made = AuthenticodeSignature if for_firmware else DatedSignature
    return [made(signed, signer, Signature(signature_id, SCHEME, document))]

"""CMS signatures that firmware judges, which does not look at dates at all (UEFI Specification,
section 32: only PK, KEK, db and dbx count).

Dates count for Assay. Whoever wants to know what firmware would accept says so with
``as-firmware``, and is told which certificates are not valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from assay.cms.given import Given
from assay.model.codes import pe as codes
from assay.model.finding import Finding
from assay.model.signature import Key
from assay.signatures.cms.moment import Moment, shown
from assay.signatures.cms.signer import CmsSignature
from assay.x509.certificate import Certificate
from assay.x509.requirements import PathResult, Requirements

AS_FIRMWARE = "as-firmware"
"""The name in `Key.demands` of the wish to judge as UEFI firmware does."""


class FirmwareSignature(CmsSignature):
    """One signer of something that firmware takes."""

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


def _outside_validity(result: PathResult, at: datetime) -> Iterator[Finding]:
    for certificate in result.path:
        if at > certificate.not_after:
            when = f"expired on {shown(certificate.not_after)}"
        elif at < certificate.not_before:
            when = f"is not valid before {shown(certificate.not_before)}"
        else:
            continue
        yield Finding.of(codes.CERTIFICATE_VALIDITY_IGNORED, detail=f"{certificate} {when}")

"""CMS signatures that firmware judges, which does not look at dates at all (UEFI Specification,
section 32: only PK, KEK, db and dbx count).

So dates do not decide here either: which certificates are not valid is told, and refuses where the
user asks for that (``enforce-validity``).
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

ENFORCE_VALIDITY = "enforce-validity"
"""The name in `Key.demands` of the wish that dates count also where firmware ignores them."""


class FirmwareSignature(CmsSignature):
    """One signer of something that firmware takes."""

    def _timeless(self, key: Key) -> bool:
        """Whether dates decide nothing for this key."""
        return ENFORCE_VALIDITY not in key.demands

    def _asked(self, key: Key, given: Given, time: datetime, at: datetime) -> Requirements:
        asked = super()._asked(key, given, time, at)
        return replace(asked, timeless=True) if self._timeless(key) else asked

    def _path(
        self, leaf: Certificate, key: Key, given: Given, moment: Moment, at: datetime
    ) -> PathResult:
        result = super()._path(leaf, key, given, moment, at)
        if not result.path or not self._timeless(key):
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

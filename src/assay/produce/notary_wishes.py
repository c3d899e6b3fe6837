"""From files and the URL of an authority to what a Notary signature is made with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path

from assay import limits
from assay.cms.timestamp import TimeAuthority
from assay.evidence.model import read_bounded
from assay.model.codes.cms import TIMESTAMP_INVALID
from assay.model.codes.produce import TIMESTAMP_REFUSED
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError, Finding, UsageError
from assay.produce.notary import NotaryWishes, Stamp
from assay.sources.model import OpenOptions
from assay.sources.time_stamping import stamper
from assay.x509.certificate import Certificate
from assay.x509.load import read_certificates

Name = str | PathLike[str]


def notary_wishes(
    certificates: Sequence[Name],
    expiry: datetime | None = None,
    timestamp_url: str = "",
    tsa_ca: Name = "",
    options: OpenOptions | None = None,
) -> NotaryWishes:
    """Read the files. Raises UsageError where one cannot be used."""
    stamp = None
    if timestamp_url:
        judges = (TimeAuthority(certificates_in(tsa_ca, "--tsa-ca")),) if tsa_ca else ()
        stamp = _explained(stamper(timestamp_url, options or OpenOptions(), judges))
    chain = tuple(each for path in certificates for each in certificates_in(path, "--certificate"))
    return NotaryWishes(chain, expiry, stamp)


def _explained(stamp: Stamp) -> Stamp:
    """An unusable time stamp is another finding here than beside a signature that is judged."""

    def explained(message: bytes, algorithm: str) -> bytes:
        try:
            return stamp(message, algorithm)
        except AssayError as error:
            if error.finding.code not in (TIMESTAMP_INVALID.name, SIGNATURE_MALFORMED.name):
                raise
            raise AssayError(Finding.of(TIMESTAMP_REFUSED, detail=error.finding.detail)) from error

    return explained


def certificates_in(path: Name, option: str) -> tuple[Certificate, ...]:
    data = read_bounded(Path(path), limits.KEY_FILE_SIZE, option)
    try:
        return tuple(read_certificates(data))
    except AssayError as error:
        raise UsageError(f"{option} {path}: {error.finding.detail}") from error

"""What the user gave for certificates to be judged by, collected from all keys of a run."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.cms.timestamp import TimeAuthority
from assay.model.finding import Severity
from assay.model.signature import Key
from assay.x509 import key_schemes
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList
from assay.x509.requirements import Asking, StatusSource


class Online(Struct, frozen=True):
    """Who may be asked about revocation. ``unknown`` is how bad it is when that does not settle it;
    None asks for trust policies only, which say themselves how bad that is."""

    source: StatusSource
    unknown: Severity | None = None


class Given(Struct, frozen=True):
    """What helps to judge certificates, whichever authority they lead to. ``asking`` is what is
    asked about revocation beyond ``lists``, and ``source`` who a trust policy may ask."""

    intermediates: tuple[Certificate, ...]
    lists: tuple[RevocationList, ...]
    time_authorities: tuple[TimeAuthority, ...]
    asking: Asking | None = None
    source: StatusSource | None = None


def given_in(keys: Sequence[Key]) -> Given:
    """Collect it from all keys of a run."""

    def every(scheme: str) -> list[Key]:
        return [key for key in keys if key.scheme == scheme]

    online: Online | None = next((key.material for key in every(key_schemes.REVOCATION)), None)
    asking = None
    if online is not None and online.unknown is not None:
        asking = Asking(online.source, online.unknown)
    return Given(
        tuple(each for key in every(key_schemes.INTERMEDIATE) for each in key.material),
        tuple(each for key in every(key_schemes.LISTS) for each in key.material),
        tuple(TimeAuthority(key.material) for key in every(key_schemes.TIME_AUTHORITY)),
        asking,
        online.source if online is not None else None,
    )

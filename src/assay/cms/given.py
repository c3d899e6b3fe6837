"""What the user gave for certificates to be judged by, collected from all keys of a run."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.cms.timestamp import TimeAuthority
from assay.model.signature import Key
from assay.x509 import key_schemes
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList


class Given(Struct, frozen=True):
    """What helps to judge certificates, whichever authority they lead to."""

    intermediates: tuple[Certificate, ...]
    lists: tuple[RevocationList, ...]
    time_authorities: tuple[TimeAuthority, ...]


def given_in(keys: Sequence[Key]) -> Given:
    """Collect it from all keys of a run."""

    def every(scheme: str) -> list[Key]:
        return [key for key in keys if key.scheme == scheme]

    return Given(
        tuple(each for key in every(key_schemes.INTERMEDIATE) for each in key.material),
        tuple(each for key in every(key_schemes.LISTS) for each in key.material),
        tuple(TimeAuthority(key.material) for key in every(key_schemes.TIME_AUTHORITY)),
    )

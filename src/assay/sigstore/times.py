"""When a signature existed, by timestamp authorities of the trusted root (RFC 3161)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from assay.cms.timestamp import TimeAuthority, check_timestamp, read_response
from assay.model.finding import AssayError
from assay.sigstore.bundle import Bundle
from assay.sigstore.trusted_root import Authority, TrustedRoot


class ProvenTime(Struct, frozen=True):
    """A time at which the signature existed, and who says so."""

    time: datetime
    source: str


def stamped_times(bundle: Bundle, root: TrustedRoot) -> list[ProvenTime]:
    """The times that authorities of the trusted root give the signature.

    A timestamp by another authority counts for nothing, as long as one holds. Raises AssayError
    (timestamp-invalid) when there are timestamps and none does.
    """
    found: list[ProvenTime] = []
    fault: AssayError | None = None
    for data in bundle.timestamps:
        try:
            found.append(_stamped(data, bundle.signature, root))
        except AssayError as error:
            fault = fault or error
    if fault is not None and not found:
        raise fault
    return found


def _stamped(data: bytes, signature: bytes, root: TrustedRoot) -> ProvenTime:
    stamp = read_response(data)
    by_authority = {_as_asked(one): one for one in root.timestamp_authorities}
    proven = check_timestamp(stamp, signature, list(by_authority))
    source = next(
        one.uri
        for asked, one in by_authority.items()
        if proven.path[-1] in asked.anchors and asked.counts_at(stamp.time)
    )
    return ProvenTime(proven.time, source)


def _as_asked(one: Authority) -> TimeAuthority:
    return TimeAuthority(one.chain[-1:], one.chain[:-1], one.validity.start, one.validity.end)

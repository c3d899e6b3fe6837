"""The log of systemd as components and claims, in the manner of `event_log`.

The log goes on where firmware stopped, so the values that PCRs come to are shown only for those
that firmware does not extend before: what is here is what these records alone come to.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay import limits
from assay.formats.tcg.event_log import is_binding
from assay.formats.unchanged import unchanged_request
from assay.model.claim import Claim, DigestIs
from assay.model.codes import tcg as codes
from assay.model.component import Component, Slice
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.printable import printable
from assay.tcg.records import Record, read_records

KIND = "tcg-records"


def read_record_log(site: Site) -> Reading:
    """The log at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", KIND, whole.extent, size=site.blob.size)
    reading = Reading(components=[whole], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    try:
        data = site.blob.read_at(0, limits.TCG_LOG_SIZE + 1)
        records = read_records(data)
    except AssayError as error:
        reading.findings.append(replace(error.finding, component=whole.id))
        return reading
    reading.requests.append((whole.id, unchanged_request(data)))
    reading.components[0] = replace(whole, kind=KIND, description=f"{len(records)} records")
    for record in records:
        _record(site, whole.id, record, reading)
    return reading


def _record(site: Site, whole: str, record: Record, reading: Reading) -> None:
    name = site.child(f"record[{record.number}]")
    span = record.measured or record.span
    register = "no PCR" if record.pcr is None else f"PCR {record.pcr}"
    text = printable(record.text, limits.TCG_SHOWN)
    reading.components.append(
        Component(
            name,
            "tcg-record",
            Slice(whole, (span,)),
            parent=whole,
            size=span[1] - span[0],
            labels={
                "name": f"{register}  {printable(record.kind, 40)}: {text}",
                "register": "" if record.pcr is None else str(record.pcr),
                **{
                    f"digest-{printable(bank, 40)}": value.hex()
                    for bank, value in record.digests.items()
                },
            },
        )
    )
    if record.lies:
        reading.findings.append(
            Finding.of(
                codes.TCG_EVENT_DATA,
                name,
                f"record {record.number} says: {text}; that is not what was measured",
                offset=record.span[0],
                cause="tampering",
            )
        )
    for bank, value in record.digests.items():
        if record.measured is not None and is_binding(bank):
            expected = DigestIs(Digest(bank, value))
            reading.claims.append(Claim(name, whole, expected, f"record {record.number}"))


__all__ = ["KIND", "read_record_log"]

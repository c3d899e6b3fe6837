"""Which entry of db lets firmware start a program (UEFI Specification section 32.5.3.3).

Firmware goes through the signatures in the order of the file and for each through db, and measures
the first entry that it finds. Without one it looks for the digest of the program.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.boot.prediction.firmware import Firmware
from assay.boot.prediction.program import Program
from assay.model.anchor import Anchor
from assay.model.finding import AssayError
from assay.model.signature import Key
from assay.model.verdict import Verdict
from assay.trust.anchors import Trust
from assay.uefi.signature_list import Entry, Kind, SignatureType
from assay.x509.certificate import read_certificate
from assay.x509.key_schemes import AUTHORITY


class Authority(Struct, frozen=True):
    """``entry`` is what lets the program start, None where nothing does. ``forbidden`` is what dbx
    has against it."""

    entry: Entry | None
    text: str = ""
    forbidden: str = ""


def trust_in(firmware: Firmware) -> Trust:
    """Every certificate of db and dbx as an anchor of its own, judged as firmware does."""
    trust = Trust(demands={"as-firmware": "yes"})
    for database in ("db", "dbx"):
        for number, (known, entry) in enumerate(firmware.entries(database)):
            if known.kind is not Kind.CERTIFICATE:
                continue
            try:
                certificate = read_certificate(entry.data)
            except AssayError:
                continue  # firmware passes it over as well
            anchor = Anchor(f"{database}:{number}", "ca", f"{database}: {certificate}")
            trust.anchors.append(anchor)
            trust.keys.append(
                Key(anchor.id, AUTHORITY, str(certificate), (certificate,), trust.demands)
            )
    return trust


def authority_of(program: Program, verdict: Verdict, firmware: Firmware) -> Authority:
    """The entry that counts; ``verdict`` is that on the program with the anchors of `trust_in`."""
    allowed, forbidden = firmware.entries("db"), firmware.entries("dbx")
    found = _by_hash(program, forbidden)
    if found is not None:
        return Authority(None, forbidden=f"dbx has the program's digest {found.data.hex()}")
    entry: tuple[Entry, str] | None = None
    for number in range(len(verdict.signatures)):
        name = program.child(f"signature[{number}]")
        report = next((each for each in verdict.signatures if each.id == name), None)
        if report is None:
            break
        matched = {each.anchor: each.key for each in report.attempts if each.matched}
        for position in range(len(forbidden)):
            if f"dbx:{position}" in matched:
                certificate = matched[f"dbx:{position}"]
                return Authority(None, forbidden=f"dbx has the certificate {certificate}")
        for position, (_, candidate) in enumerate(allowed):
            if entry is None and f"db:{position}" in matched:
                entry = candidate, matched[f"db:{position}"]
    if entry is not None:
        return Authority(*entry)
    hashed = _by_hash(program, allowed)
    return Authority(hashed, f"the digest {hashed.data.hex()}" if hashed is not None else "")


def _by_hash(program: Program, entries: Sequence[tuple[SignatureType, Entry]]) -> Entry | None:
    algorithms = {known.algorithm for known, _ in entries if known.kind is Kind.HASH}
    digests = program.authenticode(sorted(algorithms))
    return next(
        (
            entry
            for known, entry in entries
            if known.kind is Kind.HASH and digests.get(known.algorithm) == entry.data
        ),
        None,
    )

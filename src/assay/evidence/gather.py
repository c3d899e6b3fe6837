"""Turns what the user gave beside the image (checksum files, signatures) into components, claims
and signatures."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay import plugins
from assay.evidence import checksums
from assay.model.anchor import Anchor, Voucher
from assay.model.claim import Claim, DigestIs
from assay.model.codes import checksums as checksum_codes
from assay.model.codes import trust as trust_codes
from assay.model.component import Component, Stored
from assay.model.finding import AssayError, Finding
from assay.model.reading import Reading
from assay.model.signature import Key, SignatureScheme
from assay.sources.blobs import MemoryBlob


class Document(Struct, frozen=True):
    """An outside document: its short name, its bytes, and the anchor that the user made of it
    (empty when it has to be signed to count)."""

    name: str
    data: bytes
    anchor: str = ""


def read_checksums(document: Document, subject: str, label: str) -> tuple[Reading, list[Voucher]]:
    """The claims of a checksum file about the image called ``label``."""
    reading = Reading()
    component = Component(
        document.name,
        "checksums",
        Stored(f"document:{document.name}"),
        size=len(document.data),
        external=True,
    )
    reading.components.append(component)
    reading.blobs[f"document:{document.name}"] = MemoryBlob(document.data)
    vouchers = [Voucher(document.anchor, component.id, "given")] if document.anchor else []
    text = document.data.decode("utf-8", "replace")
    try:
        entries, findings = checksums.parse(text, component.id, document.name)
    except AssayError as error:
        reading.findings.append(error.finding)
        return reading, vouchers
    reading.findings += findings
    mine = checksums.entries_for(entries, label)
    if not mine:
        reading.findings.append(
            Finding.of(
                checksum_codes.CHECKSUM_ENTRY_MISSING,
                component.id,
                f"none of {len(entries)} entries is about {label!r}",
                expected=label,
                actual=", ".join(entry.name for entry in entries[:5]) or "no entry",
            )
        )
    by_algorithm: dict[str, set[str]] = {}
    for entry in mine:
        by_algorithm.setdefault(entry.digest.algorithm, set()).add(str(entry.digest))
        reading.claims.append(
            Claim(subject, component.id, DigestIs(entry.digest), f"line {entry.line}")
        )
    for algorithm, digests in by_algorithm.items():
        if len(digests) > 1:
            reading.findings.append(
                Finding.of(
                    checksum_codes.CHECKSUM_ENTRY_DUPLICATE,
                    component.id,
                    f"{len(digests)} different {algorithm} digests for {label!r}",
                    actual=", ".join(sorted(digests)),
                )
            )
    return reading, vouchers


def read_signature(
    name: str, data: bytes, candidates: Sequence[str], keys: Sequence[Key] = ()
) -> Reading:
    """The signatures in a detached signature file, over whichever of ``candidates`` fits."""
    reading = Reading()
    schemes = _schemes_for(data, keys)
    if not schemes:
        reading.findings.append(
            Finding.of(
                trust_codes.SIGNATURE_MALFORMED,
                name,
                "no known kind of signature",
                actual=repr(data[:40]) if data else "an empty file",
            )
        )
        return reading
    alternatives = name if len(candidates) * len(schemes) > 1 else ""
    for scheme in schemes:
        for document in candidates:
            try:
                reading.signatures += scheme.prepare(data, document, name, alternatives)
            except AssayError as error:
                reading.findings.append(error.finding)
                break
    return reading


def _schemes_for(data: bytes, keys: Sequence[Key]) -> list[SignatureScheme]:
    """The one scheme whose shape these bytes have; else those without a shape of their own that
    have a key to try, or the first such scheme when none has."""
    schemes: list[SignatureScheme] = [scheme for _, scheme in plugins.each("assay.signatures")]
    takers = [scheme for scheme in schemes if scheme.recognise(data)]
    shaped = [scheme for scheme in takers if not scheme.last_resort_for]
    if shaped:
        return shaped[:1]
    given = {key.scheme for key in keys}
    return [scheme for scheme in takers if scheme.last_resort_for in given] or takers[:1]


__all__ = ["Anchor", "Document", "read_checksums", "read_signature"]

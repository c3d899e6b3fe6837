"""Evidence reader: attestations (``--attestation``, or beside the image), which are in-toto
statements in envelopes that sign them, one envelope or one a line.

A statement claims the digests of its subjects. Whoever signed it vouches for the image through it,
if the image is one of the subjects.
"""

from __future__ import annotations

from pathlib import Path

from assay.evidence.model import Context, Evidence, EvidenceReader, GivenFile, is_beside
from assay.model.codes import content as content_codes
from assay.model.finding import Finding, UsageError

SUFFIXES = (".intoto.jsonl", ".intoto.json", ".dsse", ".dsse.json")


class AttestationReader:
    name = "attestations"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        given = context.given_for("attestation")
        for file in given:
            evidence.absorb(_read(context, file))
        if context.look_around and context.image.folder:
            known = {file.path.absolute() for file in given}
            for suffix in SUFFIXES:
                path = is_beside(f"{context.image.folder}/{context.image.label}", suffix)
                if path is not None and path.absolute() not in known:
                    evidence.absorb(_read_sidecar(context, path))
        return evidence


def _read(context: Context, file: GivenFile) -> Evidence:
    from assay.evidence.attestation_file import read_file

    return read_file(context, file)


def _read_sidecar(context: Context, path: Path) -> Evidence:
    try:
        return _read(context, GivenFile("attestation", path))
    except UsageError as error:
        evidence = Evidence()
        evidence.reading.findings.append(
            Finding.of(content_codes.UNREADABLE, path.name, str(error))
        )
        return evidence


READER: EvidenceReader = AttestationReader()

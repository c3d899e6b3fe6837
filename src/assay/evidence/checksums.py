"""Evidence reader: checksum files (``--checksums``)."""

from __future__ import annotations

from assay.evidence import checksum_file
from assay.evidence.document import open_document
from assay.evidence.model import Context, Evidence, EvidenceReader, GivenFile
from assay.model.claim import Claim, DigestIs
from assay.model.codes import checksums as codes
from assay.model.finding import AssayError, Finding


class ChecksumReader:
    """Each entry about the image is a claim; the file itself is what vouches, or is signed."""

    name = "checksums"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for file in context.given_for("checksums"):
            evidence.absorb(_read_one(context, file))
        return evidence


def _read_one(context: Context, file: GivenFile) -> Evidence:
    opened = open_document(context, file, "checksums")
    evidence, reading = opened.evidence, opened.evidence.reading
    if not opened.readable:
        return evidence
    text = opened.content.decode("utf-8", "replace")
    try:
        entries, findings = checksum_file.parse(text, opened.component, file.path.name)
    except AssayError as error:
        reading.findings.append(error.finding)
        return evidence
    reading.findings += findings
    label = context.image.label
    mine = checksum_file.entries_for(entries, label)
    if not mine:
        reading.findings.append(
            Finding.of(
                codes.CHECKSUM_ENTRY_MISSING,
                opened.component,
                f"none of {len(entries)} entries is about {label!r}",
                expected=label,
                actual=", ".join(entry.name for entry in entries[:5]) or "no entry",
            )
        )
    by_algorithm: dict[str, set[str]] = {}
    for entry in mine:
        by_algorithm.setdefault(entry.digest.algorithm, set()).add(str(entry.digest))
        reading.claims.append(
            Claim(context.root, opened.component, DigestIs(entry.digest), f"line {entry.line}")
        )
    for algorithm, digests in by_algorithm.items():
        if len(digests) > 1:
            reading.findings.append(
                Finding.of(
                    codes.CHECKSUM_ENTRY_DUPLICATE,
                    opened.component,
                    f"{len(digests)} different {algorithm} digests for {label!r}",
                    actual=", ".join(sorted(digests)),
                )
            )
    return evidence


READER: EvidenceReader = ChecksumReader()

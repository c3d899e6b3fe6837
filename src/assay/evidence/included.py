"""Evidence reader: statements that are part of the image, as BuildKit puts them into its index.

They carry no signature of their own: who signs the index signs them with it. What they say about
the image's platforms therefore vouches for nothing, and only tells what they are about.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay import limits
from assay.evidence.intoto import PAYLOAD_TYPE, parse_statement
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.evidence.statement import found_in
from assay.measure.hashing import hash_bytes
from assay.model.claim import Claim, DigestIs
from assay.model.component import Component, Slice, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Severity
from assay.model.reading import Blob
from assay.printable import printable
from assay.sources.blobs import SliceBlob, read_document


class IncludedReader:
    name = "included"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for component in context.components.values():
            if component.media_type == PAYLOAD_TYPE:
                try:
                    _read(context, component, evidence)
                except AssayError as error:
                    evidence.reading.findings.append(
                        replace(error.finding, component=component.id, severity=Severity.WARNING)
                    )
        return evidence


def _read(context: Context, component: Component, evidence: Evidence) -> None:
    blob = _blob(context, component)
    if blob is None:
        return  # within a compressed archive, say: measured there, and not read twice
    content = read_document(blob, limits.ATTACHED_SIZE, component.id)
    statement = parse_statement(content, component.id)
    found, _ = found_in(statement, component.id)
    reading = evidence.reading
    reading.statements.append(found)
    # what is measured later has to be what was read now
    digest = Digest("sha256", hash_bytes("sha256", content))
    reading.claims.append(Claim(component.id, component.id, DigestIs(digest), "as it was read"))
    kind = printable(statement.predicate_type, 200)
    for target, known in context.digests.items():
        if statement.is_about(known):
            reading.claims.append(
                Claim(target, component.id, DigestIs(known), f"a subject, {kind}", vouches=False)
            )


def _blob(context: Context, component: Component) -> Blob | None:
    extent = component.extent
    if isinstance(extent, Stored):
        return context.blobs.get(extent.blob)
    if isinstance(extent, Slice) and extent.of in context.components:
        outer = _blob(context, context.components[extent.of])
        return None if outer is None or not outer.seekable else SliceBlob(outer, extent.spans)
    return None


READER: EvidenceReader = IncludedReader()

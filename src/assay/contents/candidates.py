"""SBOMs that may be about an image: files that the user gave, and statements found beside it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits, strict_json
from assay.contents.options import STATEMENTS, ContentOptions
from assay.evidence.document import signed_block
from assay.evidence.intoto import PAYLOAD_TYPE, Statement, parse_statement
from assay.measure.hashing import hash_bytes
from assay.model.codes import sbom as codes
from assay.model.component import Component, Slice, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.inventory import Inventory
from assay.model.reading import Reading
from assay.sbom.read import PREDICATES, is_predicate, read, read_predicate, read_value
from assay.sources.blobs import read_document

GIVEN, SIGNED = "given", "signed"


class Candidate(Struct, frozen=True):
    """An SBOM. ``document`` is the component whose bytes it is in and that has to be vouched for,
    empty for a file given; ``subjects`` are the digests of what it says it is about, None where it
    does not say. ``inventory`` is None for one that could not be read, for which ``finding`` says
    why. ``digest`` is of a document that is stored with the image and so is read again when it is
    measured: what was read has to be what is vouched for."""

    name: str
    document: str
    subjects: tuple[Digest, ...] | None
    inventory: Inventory | None
    finding: Finding | None = None
    digest: Digest | None = None

    @property
    def source(self) -> str:
        return SIGNED if self.document else GIVEN


def candidates(reading: Reading, options: ContentOptions) -> tuple[list[Candidate], bool]:
    """The SBOMs that there may be, and whether some were left out; nothing in them is believed.
    Raises UsageError for a file that cannot be opened. Statements within the image (as BuildKit
    makes them) are only looked at when something is asked: they have to be read for it."""
    found = [_given(file.path.name, file.read(limits.DOCUMENT_SIZE)) for file in options.files()]
    documents = 0
    for component in reading.components:
        beside = component.external and component.kind in STATEMENTS
        if beside or (options.asked and component.media_type == PAYLOAD_TYPE):
            if len(found) >= limits.SBOMS or documents >= limits.SBOM_DOCUMENTS:
                return found, True
            documents += 1
            found += _statement(component, reading)
    return found, False


def _given(name: str, data: bytes) -> Candidate:
    """A file as it is, or the SBOM in a statement in it, in whatever signature: it is taken at the
    user's word, and so the signature does not matter."""
    try:
        signed = signed_block(data, name, name)
        content = data if signed is None else signed.content
        if content.lstrip()[:1] == b"{":
            value = strict_json.parse_object(content, "")
            if "predicateType" in value and "subject" in value:
                statement = parse_statement(content, name)
                return Candidate(
                    name, "", _subjects(statement), read_predicate(statement.predicate)
                )
            return Candidate(name, "", None, read_value(value))
        return Candidate(name, "", None, read(content))
    except AssayError as error:
        return Candidate(name, "", None, None, _named(error.finding, name))


def _statement(component: Component, reading: Reading) -> Iterator[Candidate]:
    """The SBOM in a statement; nothing for one about something else."""
    try:
        content = _content(component, reading)
        if content is None or not any(kind.encode() in content for kind in PREDICATES):
            return
        statement = parse_statement(content, component.id)
    except AssayError:
        return  # whoever found the statement has reported it
    if not is_predicate(statement.predicate_type):
        return
    inventory = finding = digest = None
    if not component.external:
        digest = Digest("sha256", hash_bytes("sha256", content))
    try:
        inventory = read_predicate(statement.predicate)
    except AssayError as error:
        finding = _named(error.finding, component.id)
    name = component.id
    yield Candidate(name, name, _subjects(statement), inventory, finding, digest)


def _content(component: Component, reading: Reading) -> bytes | None:
    extent = component.extent
    spans = None
    if isinstance(extent, Slice):
        outer = next(one for one in reading.components if one.id == extent.of)
        spans, extent = extent.spans, outer.extent
    if not isinstance(extent, Stored) or extent.blob not in reading.blobs:
        return None
    content = read_document(reading.blobs[extent.blob], limits.ATTACHED_SIZE, component.id)
    return content if spans is None else b"".join(content[start:end] for start, end in spans)


def _subjects(statement: Statement) -> tuple[Digest, ...]:
    return tuple(digest for subject in statement.subjects for digest in subject.digests)


def _named(finding: Finding, name: str) -> Finding:
    detail = finding.detail
    if finding.code != codes.SBOM_MALFORMED.name:
        return Finding.of(codes.SBOM_MALFORMED, name, detail, offset=finding.offset)
    return Finding.of(
        codes.SBOM_MALFORMED,
        name,
        detail,
        expected=finding.expected,
        actual=finding.actual,
        offset=finding.offset,
    )

"""Outside documents: as they are, or only the signed block where they carry a signature."""

from __future__ import annotations

from msgspec import Struct

from assay import limits, plugins
from assay.evidence.model import Context, Document, Evidence, GivenFile
from assay.measure.hashing import hash_bytes
from assay.model.anchor import Voucher
from assay.model.claim import Claim, DigestIs
from assay.model.codes import trust as codes
from assay.model.component import Component, Slice, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.signature import InlineSigned, SignatureScheme
from assay.model.spans import Span
from assay.sources.blobs import MemoryBlob


class Opened(Struct, frozen=True):
    """A document, ready to be read. ``content`` is what counts of it, ``component`` the id that
    claims made in it originate from, ``media_type`` what its signature says of it, if anything.
    ``readable`` is False where it looks signed and is not as such a document must be."""

    component: str
    content: bytes
    media_type: str
    readable: bool
    evidence: Evidence


def open_document(context: Context, file: GivenFile, kind: str) -> Opened:
    """Take up a document that the user gave; ``kind`` is its component's.

    Where it carries its own signature, only what is signed counts: the text around it, which
    anyone may have added, is a finding and is never read.
    """
    data = file.read(limits.DOCUMENT_SIZE)
    outer, evidence = take_up(context, file, kind, data)
    return open_signed(context, evidence, outer, kind, data)


def take_up(context: Context, file: GivenFile, kind: str, data: bytes) -> tuple[str, Evidence]:
    """Make a component of a file, whose content is ``data``; its id, and evidence with it."""
    outer = context.name(file.path.name)
    evidence = Evidence(documents=[Document(outer, file.path)])
    _add(evidence, outer, kind, data)
    if file.anchor:
        evidence.vouchers.append(Voucher(file.anchor, outer, "given"))
    return outer, evidence


def add_part(evidence: Evidence, name: str, kind: str, of: str, span: Span) -> None:
    """Make a component of a byte range of a document."""
    start, end = span
    evidence.reading.components.append(
        Component(name, kind, Slice(of, (span,)), of, size=end - start, external=True)
    )


def open_signed(context: Context, evidence: Evidence, outer: str, kind: str, data: bytes) -> Opened:
    """The same for a document that is already a component of ``evidence``, called ``outer``."""
    inner = context.name(f"{outer}/signed")
    try:
        signed = signed_block(data, inner, outer)
    except AssayError as error:
        evidence.reading.findings.append(error.finding)
        return Opened(outer, b"", "", False, evidence)
    if signed is None:
        return Opened(outer, data, "", True, evidence)
    _add(evidence, inner, kind, signed.content, parent=outer)
    # whoever vouches for the whole document vouches for the block in it
    digest = Digest("sha256", hash_bytes("sha256", signed.content))
    evidence.reading.claims.append(Claim(inner, outer, DigestIs(digest), "signed block"))
    if context.keys or context.look_around:
        evidence.reading.signatures += signed.signatures
    if signed.outside:
        evidence.reading.findings.append(
            Finding.of(
                codes.OUTSIDE_SIGNATURE,
                outer,
                f"{signed.outside} bytes of text outside the signed block were not read",
            )
        )
    return Opened(inner, signed.content, signed.media_type, True, evidence)


def _add(evidence: Evidence, name: str, kind: str, data: bytes, parent: str = "") -> None:
    key = f"document:{name}"
    evidence.reading.components.append(
        Component(name, kind, Stored(key), parent, size=len(data), external=True)
    )
    evidence.reading.blobs[key] = MemoryBlob(data)


def signed_block(data: bytes, content: str, name: str) -> InlineSigned | None:
    """The signed block of a document that carries its own signature, by the one scheme whose
    shape it has; None for any other document. ``content`` is the block's component id, ``name``
    the signature's. Raises AssayError."""
    for _, plugin in plugins.each("assay.signatures"):
        scheme: SignatureScheme = plugin
        signed = scheme.inline(data, content, name)
        if signed is not None:
            return signed
    return None

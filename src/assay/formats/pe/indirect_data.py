"""What an Authenticode signature signs: SpcIndirectDataContent (Authenticode PE, section
"SpcIndirectDataContent"), a digest of the program."""

from __future__ import annotations

from msgspec import Struct

from assay.asn1.der import SEQUENCE, SET, Der, context
from assay.cms.signed_data import SignedData
from assay.model.codes import pe as codes
from assay.model.digest import ALGORITHMS, Digest
from assay.model.finding import AssayError, Finding
from assay.x509.algorithms import digest_name, read_identifier

INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
_INDIVIDUAL_CODE_SIGNING = "1.3.6.1.4.1.311.2.1.21"
_PROGRAMS = {_PE_IMAGE_DATA, _INDIVIDUAL_CODE_SIGNING}
"""What names the kind of a program. pesign writes the second one, which is a purpose of keys."""
_PAGE_HASHES = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
_PAGE_HASH_KINDS = {"1.3.6.1.4.1.311.2.3.1": "sha1", "1.3.6.1.4.1.311.2.3.2": "sha256"}


class PageHashes(Struct, frozen=True):
    """Hashes of the pages of a program: ``algorithm`` is their digest's, or the object identifier
    of a kind that is not known; ``table`` has an offset (4 bytes) and a hash for each page."""

    algorithm: str
    table: bytes


class IndirectData(Struct, frozen=True):
    """The digest of the program, and the hashes of its pages where there are any."""

    digest: Digest
    pages: PageHashes | None = None


def read_indirect_data(signed: SignedData) -> IndirectData:
    """What a signature says of a program. Raises AssayError (authenticode-malformed)."""
    if signed.content_type != INDIRECT_DATA or signed.content is None:
        raise _malformed(f"the content of the signature is {signed.content_type or 'nothing'}")
    if signed.content_tag != SEQUENCE:
        raise _malformed("the content of the signature is no SEQUENCE")
    outer = Der(signed.content, codes.AUTHENTICODE_MALFORMED)
    data = outer.enter()
    kind = data.oid()
    if kind not in _PROGRAMS:
        raise data.fail(f"the digest of a file of another kind, {kind},")
    pages = _page_hashes(data) if data.more else None
    data.finish()
    info = outer.enter()
    identifier = read_identifier(info)
    name, value = digest_name(identifier), info.octets()
    info.finish()
    outer.finish()
    if not name or len(value) != ALGORITHMS[name].size:
        raise _malformed(f"a digest of {len(value)} bytes by algorithm {name or identifier.oid}")
    return IndirectData(Digest(name, value), pages)


def _page_hashes(data: Der) -> PageHashes | None:
    """SpcPeImageData: flags, and a link that is either a file name or the page hashes. The file
    name is an obsolete constant, and nobody looks at it."""
    element = data.any()
    if element.tag != SEQUENCE:
        return None
    body = data.within(element)
    if body.peek() == 0x03:
        body.any()
    link = body.enter_optional(context(0))
    if link is None or (serialized := link.enter_optional(context(1))) is None:
        return None
    if serialized.octets() != _PAGE_HASHES:
        return None
    attribute = Der(serialized.octets(), codes.AUTHENTICODE_MALFORMED).enter(SET).enter()
    oid = attribute.oid()
    return PageHashes(_PAGE_HASH_KINDS.get(oid, oid), attribute.enter(SET).octets())


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.AUTHENTICODE_MALFORMED, detail=detail))

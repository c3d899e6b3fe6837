"""The Authenticode signatures of a PE program.

What a signature signs is not the program but a digest of it: so the signed content is a component,
the signature vouches for it, and it claims the digest of the view of the program that Authenticode
hashes. A signature of another program is a claim that does not hold, whoever made it.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay import limits, plugins
from assay.cms.signed_data import SignedData, read_signed_data
from assay.formats.pe.certificates import Entry
from assay.formats.pe.headers import Headers
from assay.formats.pe.indirect_data import IndirectData, PageHashes, read_indirect_data
from assay.formats.pe.page_hashes import Pages, pages_of
from assay.formats.unchanged import unchanged_request
from assay.model.claim import Claim, DigestIs
from assay.model.codes import pe as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.reading import Reading, Site
from assay.model.signature import SignatureScheme

VIEW = "authenticode"
"""The name of the component that signatures speak of."""

NESTED = "1.3.6.1.4.1.311.2.4.1"
"""The attribute that holds further signatures."""


class SignatureReader:
    """Adds the signatures of one program, the component ``whole``, to its reading."""

    def __init__(self, site: Site, whole: str, headers: Headers, reading: Reading) -> None:
        self._site, self._whole, self._headers = site, whole, headers
        self._reading = reading
        self._scheme = _scheme(headers)
        self._paged: set[str] = set()

    def read(self, entry: Entry) -> None:
        """One entry of the certificate table, and the signatures nested in its signature (Windows
        alone knows these; it has them in an unsigned attribute of the first one)."""
        name = f"signature[{entry.number}]"
        if entry.finding is not None:
            self._found(name, entry.finding)
            return
        signed = self._read(name, entry.start, entry.data)
        nested = (
            [each for signer in signed.signers for each in signer.unsigned(NESTED)]
            if signed
            else []
        )
        for number, data in enumerate(nested):
            inner = f"{name}/nested[{number}]"
            if len(self._reading.signatures) >= limits.PE_CERTIFICATES:
                more = f"more than {limits.PE_CERTIFICATES} signatures"
                self._found(inner, Finding.of(LIMIT_EXCEEDED, detail=more))
                return
            # the same bytes twice would be the same signature: either place will do
            self._read(inner, entry.start + entry.data.index(data), data)

    def _found(self, name: str, finding: Finding) -> None:
        self._reading.findings.append(replace(finding, detail=f"{name}: {finding.detail}"))

    def _read(self, name: str, at: int, data: bytes) -> SignedData | None:
        """A signature (DER, at this offset of the file), as a component with what it signs, the
        claims that this makes, and who signed it; None where it cannot be read."""
        child = self._site.child(name)
        try:
            signed = read_signed_data(data)
            said = read_indirect_data(signed)
            prepared = self._scheme.prepare(data, child, child, "")
            _check_digests(signed, said)
        except AssayError as error:
            offset = None if error.finding.offset is None else at + error.finding.offset
            self._found(name, replace(error.finding, offset=offset))
            return None
        start, content = at + signed.content_start, signed.content or b""
        self._reading.components.append(
            Component(
                child,
                "authenticode-digest",
                Slice(self._whole, ((start, start + len(content)),)),
                parent=self._site.child("certificates"),
                size=len(content),
                labels=_labels(said),
            )
        )
        view = self._site.child(VIEW)
        self._reading.claims.append(Claim(view, child, DigestIs(said.digest), "messageDigest"))
        self._reading.requests.append((child, unchanged_request(content)))
        self._reading.signatures += prepared
        if said.pages is not None:
            self._claim_pages(name, child, said.pages)
        return signed

    def _claim_pages(self, name: str, child: str, hashes: PageHashes) -> None:
        found = pages_of(hashes, self._headers)
        if isinstance(found, Finding):
            self._found(name, found)
            return
        for pages in found:
            part = self._pages(pages)
            self._reading.claims.append(Claim(part, child, pages.expected, "page hashes"))

    def _pages(self, pages: Pages) -> str:
        """The component that page hashes are of: the bytes of a part of the program in the file."""
        number = "headers" if pages.section is None else str(pages.section)
        part = self._site.child(f"pages[{number}]")
        if part not in self._paged:
            self._paged.add(part)
            size = sum(end - start for start, end in pages.spans)
            extent = Slice(self._whole, pages.spans)
            name = "" if pages.section is None else self._headers.sections[pages.section].name
            labels = {"name": name} if name else {}
            self._reading.components.append(
                Component(part, "pe-pages", extent, self._whole, size, labels=labels)
            )
        return part


def _check_digests(signed: SignedData, said: IndirectData) -> None:
    """The program is hashed by the algorithm that the signer uses: firmware takes that of the one,
    Windows that of the other. Raises AssayError (authenticode-malformed)."""
    for signer in signed.signers:
        if signer.digest and signer.digest != said.digest.algorithm:
            raise AssayError(
                Finding.of(
                    codes.AUTHENTICODE_MALFORMED,
                    detail=f"the program is hashed by {said.digest.algorithm}, and the signer uses"
                    f" {signer.digest}",
                )
            )


def _labels(said: IndirectData) -> dict[str, str]:
    labels = {"name": f"{said.digest.algorithm} digest"}
    if said.pages is not None:
        labels["name"] += f", {said.pages.algorithm} page hashes"
        labels["page-hashes"] = said.pages.algorithm
    return labels


def _scheme(headers: Headers) -> SignatureScheme:
    """Whoever checks Authenticode signatures; formats know no keys."""
    name = "authenticode-firmware" if headers.for_firmware else "authenticode"
    found: SignatureScheme = plugins.load("assay.signatures", name)
    return found

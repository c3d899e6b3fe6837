"""A PE program as components, claims and signatures.

What a signature signs is not the program but a digest of it: so the signed content is a component,
the signature vouches for it, and it claims the digest of the view of the program that Authenticode
hashes. A signature of another program is a claim that does not hold, whoever made it.
"""

from __future__ import annotations

from msgspec.structs import replace

from assay import limits, plugins
from assay.cms.signed_data import SignedData, read_signed_data
from assay.formats.pe.certificates import Entry, read_table
from assay.formats.pe.headers import Headers, read_headers
from assay.formats.pe.indirect_data import read_indirect_data
from assay.formats.pe.layout import Layout, layout_of
from assay.formats.pe.sections import add_sections, section_names
from assay.formats.polyglot import polyglot_request
from assay.formats.uki import kind_of
from assay.formats.uki.profiles import unified_names
from assay.formats.unchanged import unchanged_request
from assay.model.claim import Claim, DigestIs
from assay.model.codes import pe as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.signature import SignatureScheme
from assay.model.spans import Span

VIEW = "authenticode"
"""The name of the component that signatures speak of."""

NESTED = "1.3.6.1.4.1.311.2.4.1"
"""The attribute that holds further signatures."""

LINUX = "Linux kernel"
"""What the headers of a Linux kernel are labelled with."""


def read_program(site: Site) -> Reading:
    """The program at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", "pe", whole.extent, size=site.blob.size)
    reading = Reading(components=[whole], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    try:
        _read(site, whole, reading)
    except AssayError as error:
        reading.findings.append(error.finding)
    reading.findings = [
        found if found.component else replace(found, component=whole.id)
        for found in reading.findings
    ]
    return reading


def _read(site: Site, whole: Component, reading: Reading) -> None:
    headers = read_headers(site.blob)
    layout = layout_of(headers, site.blob.size or 0)
    reading.findings += layout.findings
    reading.components[0] = replace(
        whole,
        kind="pe",
        description=f"{headers.machine}, {headers.subsystem}",
        excluded=layout.excluded,
    )
    unified = bool(kind_of(headers.sections))
    names = (unified_names if unified else section_names)(headers.sections)
    inner, behind = _parts(site, whole.id, headers, layout)
    linux = _is_linux(headers)
    if linux:
        inner[1] = replace(inner[1], labels={"name": LINUX})
    reading.components += inner
    if linux:
        _add_kernel(site, whole.id, reading)
    add_sections(site, whole.id, headers, names, reading)
    reading.components += behind
    if unified:
        _read_unified(site, whole.id, headers, layout, names, reading)
    # what was parsed has to be what is hashed
    reading.requests.append((site.child("headers"), unchanged_request(headers.data)))
    if headers.certificate_table is not None:
        scheme = _scheme(headers)
        try:
            for entry in read_table(site.blob, headers.certificate_table):
                _read_entry(site, whole.id, entry, scheme, reading)
        finally:
            if reading.signatures:
                reading.targets = [site.child(VIEW)]
    else:
        reading.findings.append(Finding.of(codes.PE_NOT_SIGNED))


def _parts(
    site: Site, whole: str, headers: Headers, layout: Layout
) -> tuple[list[Component], list[Component]]:
    """The parts of a program that are no sections: those before them, and those behind."""

    def part(name: str, kind: str, *spans: Span) -> Component:
        size = sum(end - start for start, end in spans)
        return Component(site.child(name), kind, Slice(whole, spans), parent=whole, size=size)

    inner = [
        part(VIEW, "authenticode-view", *layout.signed),
        part("headers", "pe-headers", (0, headers.size)),
    ]
    behind = []
    if layout.rest is not None:
        behind.append(part("rest", "pe-data-after-sections", layout.rest))
    table = headers.certificate_table
    if table is not None and table[1] <= (site.blob.size or 0):
        behind.append(part("certificates", "pe-certificate-table", table))
    return inner, behind


def _read_unified(
    site: Site, whole: str, headers: Headers, layout: Layout, names: list[str], reading: Reading
) -> None:
    from assay.formats.uki.unified import add_unified

    try:
        add_unified(site, whole, headers, layout, names, reading)
    except AssayError as error:
        reading.findings.append(error.finding)


def _add_kernel(site: Site, whole: str, reading: Reading) -> None:
    from assay.formats.linux.kernel_reading import add_kernel

    add_kernel(site, whole, reading)


def _is_linux(headers: Headers) -> bool:
    """Whether this is a kernel with an EFI stub: the x86 boot protocol, or the header of arm64 and
    RISC-V (Documentation/arch of Linux), or an EFI zboot image."""
    if headers.data[4:8] == b"zimg":
        return True
    return headers.data[0x202:0x206] == b"HdrS" or headers.data[56:60] in (b"ARM\x64", b"RSC\x05")


def _read_entry(
    site: Site, whole: str, entry: Entry, scheme: SignatureScheme, reading: Reading
) -> None:
    """One entry of the certificate table, and the signatures nested in its signature (Windows alone
    knows these; it has them in an unsigned attribute of the first one)."""
    name = f"signature[{entry.number}]"
    if entry.finding is not None:
        detail = f"{name}: {entry.finding.detail}"
        reading.findings.append(replace(entry.finding, detail=detail))
        return
    signed = _read_signature(site, whole, name, entry.start, entry.data, scheme, reading)
    nested = (
        [each for signer in signed.signers for each in signer.unsigned(NESTED)] if signed else []
    )
    for number, data in enumerate(nested):
        inner = f"{name}/nested[{number}]"
        if len(reading.signatures) >= limits.PE_CERTIFICATES:
            reading.findings.append(
                Finding.of(
                    LIMIT_EXCEEDED, detail=f"{inner}: more than {limits.PE_CERTIFICATES} signatures"
                )
            )
            return
        # the same bytes twice would be the same signature: either place will do
        start = entry.start + entry.data.index(data)
        _read_signature(site, whole, inner, start, data, scheme, reading)


def _read_signature(
    site: Site,
    whole: str,
    name: str,
    at: int,
    data: bytes,
    scheme: SignatureScheme,
    reading: Reading,
) -> SignedData | None:
    """A signature (DER, at this offset of the file), as a component with what it signs, the claim
    that this makes, and who signed it; None where it cannot be read."""
    child = site.child(name)
    try:
        signed = read_signed_data(data)
        said = read_indirect_data(signed)
        prepared = scheme.prepare(data, child, child, "")
    except AssayError as error:
        offset = None if error.finding.offset is None else at + error.finding.offset
        reading.findings.append(
            replace(error.finding, detail=f"{name}: {error.finding.detail}", offset=offset)
        )
        return None
    labels = {"name": f"{said.digest.algorithm} digest"}
    if said.page_hashes:
        labels = {
            "name": f"{labels['name']}, {said.page_hashes} page hashes",
            "page-hashes": said.page_hashes,
        }
    start, content = at + signed.content_start, signed.content or b""
    reading.components.append(
        Component(
            child,
            "authenticode-digest",
            Slice(whole, ((start, start + len(content)),)),
            parent=site.child("certificates"),
            size=len(content),
            labels=labels,
        )
    )
    reading.claims.append(Claim(site.child(VIEW), child, DigestIs(said.digest), "messageDigest"))
    reading.requests.append((child, unchanged_request(content)))
    reading.signatures += prepared
    return signed


def _scheme(headers: Headers) -> SignatureScheme:
    """Whoever checks Authenticode signatures; formats know no keys."""
    name = "authenticode-firmware" if headers.for_firmware else "authenticode"
    found: SignatureScheme = plugins.load("assay.signatures", name)
    return found


__all__ = ["VIEW", "read_program"]

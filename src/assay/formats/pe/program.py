"""A PE program as components, claims and signatures.

What a signature signs is not the program but a digest of it: so the signed content is a component,
the signature vouches for it, and it claims the digest of the view of the program that Authenticode
hashes. A signature of another program is a claim that does not hold, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay import plugins
from assay.cms.signed_data import read_signed_data
from assay.formats.pe.certificates import Entry, read_table
from assay.formats.pe.headers import Headers, read_headers
from assay.formats.pe.indirect_data import read_indirect_data
from assay.formats.pe.layout import Layout, layout_of
from assay.formats.polyglot import polyglot_request
from assay.formats.unchanged import unchanged_request
from assay.model.claim import Claim, DigestIs
from assay.model.codes import pe as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.signature import SignatureScheme
from assay.model.spans import Span

VIEW = "authenticode"
"""The name of the component that signatures speak of."""


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
    reading.components += _parts(site, whole.id, headers, layout)
    # what was parsed has to be what is hashed
    reading.requests.append((site.child("headers"), unchanged_request(headers.data)))
    if headers.certificate_table is not None:
        try:
            for entry in read_table(site.blob, headers.certificate_table):
                _read_entry(site, whole.id, entry, reading)
        finally:
            if reading.signatures:
                reading.targets = [site.child(VIEW)]
    else:
        reading.findings.append(Finding.of(codes.PE_NOT_SIGNED))


def _parts(site: Site, whole: str, headers: Headers, layout: Layout) -> Iterator[Component]:
    def part(name: str, kind: str, *spans: Span, label: str = "") -> Component:
        return Component(
            site.child(name),
            kind,
            Slice(whole, spans),
            parent=whole,
            size=sum(end - start for start, end in spans),
            labels={"name": label} if label else {},
        )

    size = site.blob.size or 0
    yield part(VIEW, "authenticode-view", *layout.signed)
    yield part("headers", "pe-headers", (0, headers.size))
    for number, section in enumerate(headers.sections):
        start, end = section.span
        if start < end <= size:
            yield part(f"section[{number}]", "pe-section", section.span, label=section.name)
    if layout.rest is not None:
        yield part("rest", "pe-data-after-sections", layout.rest)
    table = headers.certificate_table
    if table is not None and table[1] <= size:
        yield part("certificates", "pe-certificate-table", table)


def _read_entry(site: Site, whole: str, entry: Entry, reading: Reading) -> None:
    """One entry of the certificate table, as a component with what it says and who signed it."""
    name = site.child(f"signature[{entry.number}]")
    try:
        if entry.finding is not None:
            raise AssayError(entry.finding)
        signed = read_signed_data(entry.data)
        data = read_indirect_data(signed)
        prepared = _scheme().prepare(entry.data, name, name, "")
    except AssayError as error:
        detail = f"signature[{entry.number}]: {error.finding.detail}"
        offset = error.finding.offset
        if entry.finding is None and offset is not None:
            offset += entry.start
        reading.findings.append(
            replace(error.finding, component=whole, detail=detail, offset=offset)
        )
        return
    start = entry.start + signed.content_start
    content = signed.content or b""
    labels = {"name": f"{data.digest.algorithm} digest"}
    if data.page_hashes:
        labels["name"] += f", {data.page_hashes} page hashes"
        labels["page-hashes"] = data.page_hashes
    reading.components.append(
        Component(
            name,
            "authenticode-digest",
            Slice(whole, ((start, start + len(content)),)),
            parent=site.child("certificates"),
            size=len(content),
            labels=labels,
        )
    )
    reading.claims.append(Claim(site.child(VIEW), name, DigestIs(data.digest), "messageDigest"))
    reading.requests.append((name, unchanged_request(content)))
    reading.signatures += prepared


def _scheme() -> SignatureScheme:
    """Whoever checks Authenticode signatures; formats know no keys."""
    found: SignatureScheme = plugins.load("assay.signatures", "authenticode")
    return found


__all__ = ["VIEW", "read_program"]

"""A PE program as components, claims and signatures."""

from __future__ import annotations

from msgspec.structs import replace

from assay.formats.pe.certificates import read_table
from assay.formats.pe.headers import Headers, read_headers
from assay.formats.pe.layout import Layout, layout_of
from assay.formats.pe.sections import add_sections, section_names
from assay.formats.pe.signatures import VIEW, SignatureReader
from assay.formats.polyglot import polyglot_request
from assay.formats.uki import kind_of
from assay.formats.uki.profiles import unified_names
from assay.formats.unchanged import unchanged_request
from assay.model.codes import pe as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.spans import Span

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
        reader = SignatureReader(site, whole.id, headers, reading)
        try:
            for entry in read_table(site.blob, headers.certificate_table):
                reader.read(entry)
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


__all__ = ["LINUX", "VIEW", "read_program"]

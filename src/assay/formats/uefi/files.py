"""Files with UEFI variables as components: what is in them, entry by entry, and who signed it."""

from __future__ import annotations

from msgspec.structs import replace

from assay import limits, plugins
from assay.formats.uefi.parts import Parts, entry_text
from assay.formats.uefi.target import target_of
from assay.formats.unchanged import unchanged_request
from assay.model.codes import uefi as codes
from assay.model.component import Component
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.signature import SignatureScheme
from assay.sources.blobs import read_document
from assay.uefi.authentication import read_update
from assay.uefi.dump import read_dump
from assay.uefi.guid import name_of
from assay.uefi.signature_list import each_entry, read_lists
from assay.uefi.store import read_store
from assay.uefi.time import shown
from assay.uefi.variable import AUTHENTICATED, PROTECTED, Variable, attribute_names
from assay.uefi.vendor_certificates import read_vendor_certificates

SIGNED = "signed"
"""The component that the signature of an update is over, but for the variable's name."""


def read_file(format_: str, site: Site) -> Reading:
    """The file at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", format_, whole.extent, size=site.blob.size)
    reading = Reading(components=[replace(whole, kind=format_)], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    limit = limits.UEFI_STORE_SIZE if format_ == "efi-variable-store" else limits.UEFI_VARIABLE_SIZE
    try:
        data = read_document(site.blob, limit, whole.id)
        # what was parsed has to be what is measured
        reading.requests.append((whole.id, unchanged_request(data)))
        _READERS[format_](data, site, Parts(site, whole.id, reading))
    except AssayError as error:
        reading.findings.append(error.finding)
    reading.findings = [
        found if found.component else replace(found, component=whole.id)
        for found in reading.findings
    ]
    return reading


def _lists(data: bytes, _site: Site, parts: Parts) -> None:
    parts.lists(read_lists(data), parts.whole, "")


def _variable(data: bytes, _site: Site, parts: Parts) -> None:
    attributes = int.from_bytes(data[:4], "little")
    parts.describe(f"attributes {attribute_names(attributes)}")
    parts.lists(read_lists(data[4:], base=4), parts.whole, "", base=4)


def _update(data: bytes, _site: Site, parts: Parts) -> None:
    update = read_update(data)
    reading = parts.reading
    parts.describe(f"dated {shown(update.time)}", excluded=((16, update.content_start),))
    target = target_of(data, update)
    signed = parts.add(
        SIGNED,
        "efi-signed-content",
        (0, 16),
        (update.content_start, len(data)),
        label=str(target) if target is not None else "",
    )
    reading.targets = [signed]
    parts.add("signature", "efi-variable-signature", (16, update.content_start))
    prepared = _scheme().prepare(update.signature, signed, "signature", "")
    reading.signatures += prepared
    lists = read_lists(data[update.content_start :], base=update.content_start)
    parts.lists(lists, signed, "", base=update.content_start)


def _scheme() -> SignatureScheme:
    """Whoever checks signed updates; formats know no keys."""
    found: SignatureScheme = plugins.load("assay.signatures", "efi-variable")
    return found


def _store(data: bytes, _site: Site, parts: Parts) -> None:
    store = read_store(data)
    parts.reading.findings += store.findings
    layout = "authenticated variables" if store.authenticated else "variables without times"
    gone = f", {store.deleted} deleted" if store.deleted else ""
    parts.describe(f"{len(store.variables)} {layout}{gone}")
    parts.add("headers", "efi-variable-store-headers", store.headers)
    names: set[str] = set()
    for variable in store.variables:
        _add_variable(parts, variable, names)


def _add_variable(parts: Parts, variable: Variable, names: set[str]) -> None:
    """A variable of a store, with what is in it."""
    assert variable.span is not None
    assert variable.content is not None
    name, start = parts.name_of(variable, names), variable.content[0]
    label = name_of(variable.vendor)
    made = parts.add(name, "efi-variable", variable.span, label=label, description=_about(variable))
    found = protection(variable)
    if found is not None:
        parts.reading.findings.append(replace(found, component=made))
    if variable.holds_lists:
        try:
            parts.lists(read_lists(variable.data, made, start), made, f"{name}/", base=start)
        except AssayError as error:
            parts.reading.findings.append(error.finding)


def _about(variable: Variable) -> str:
    about = attribute_names(variable.attributes)
    return f"{about}, signed update of {shown(variable.time)}" if variable.time else about


def protection(variable: Variable) -> Finding | None:
    """What is wrong with the attributes of a variable that has to be protected."""
    if (variable.name, variable.vendor) not in PROTECTED:
        return None
    if variable.attributes == AUTHENTICATED:
        return None
    return Finding.of(
        codes.UEFI_ATTRIBUTES,
        detail=f"{variable.name} is {attribute_names(variable.attributes) or 'nothing'}",
        expected=attribute_names(AUTHENTICATED),
        actual=attribute_names(variable.attributes),
    )


def _dump(data: bytes, _site: Site, parts: Parts) -> None:
    """Each variable is where its data is written in hexadecimal digits; what is in it has no place
    of its own in the file, and is told."""
    variables = read_dump(data, parts.whole)
    parts.describe(f"{len(variables)} variables")
    names: set[str] = set()
    for variable in variables:
        text = variable.data.hex().encode()
        start = max(data.lower().find(b'"' + text + b'"'), 0) + 1
        labels = {"name": name_of(variable.vendor)}
        name = parts.name_of(variable, names)
        found = protection(variable)
        if found is not None:
            parts.reading.findings.append(replace(found, detail=f"{name}: {found.detail}"))
        if variable.holds_lists:
            try:
                entries = list(each_entry(read_lists(variable.data)))
                labels |= {f"entry[{n}]": entry_text(*each) for n, each in enumerate(entries)}
                labels["name"] = "; ".join(list(labels.values())[1:4]) or "empty"
            except AssayError as error:
                detail = f"{name}: {error.finding.detail}"
                parts.reading.findings.append(replace(error.finding, detail=detail, offset=None))
        span = (start, start + len(text))
        parts.add(name, "efi-variable", span, description=_about(variable), labels=labels)


def _vendor(data: bytes, _site: Site, parts: Parts) -> None:
    found = read_vendor_certificates(data)
    if found.certificate:
        parts.certificate("authorized", found.certificate, found.authorized_span, parts.whole)
    elif found.authorized:
        made = parts.add("authorized", "vendor-db", found.authorized_span)
        parts.lists(found.authorized, made, "authorized/", base=found.authorized_span[0])
    if found.deauthorized:
        made = parts.add("deauthorized", "vendor-dbx", found.deauthorized_span)
        parts.lists(found.deauthorized, made, "deauthorized/", base=found.deauthorized_span[0])


_READERS = {
    "efi-signature-list": _lists,
    "efi-variable": _variable,
    "efi-variable-update": _update,
    "efi-variable-store": _store,
    "efi-variable-dump": _dump,
    "shim-vendor-certificates": _vendor,
}

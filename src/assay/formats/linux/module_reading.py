"""A kernel module as components and the signature at its end.

What is signed is a component, the signature vouches for it, and all behind it is left out by the
scheme. Of a compressed module the kernel's loader sees the decompressed bytes, and so does the
signature.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from assay import limits, plugins
from assay.formats.linux.beginnings import MODULE_COMPRESSIONS
from assay.formats.polyglot import polyglot_request
from assay.linux.image import compression_of
from assay.linux.modinfo import ModuleInfo, ReadAt, read_modinfo
from assay.linux.trailer import MARK, SIZE, read_trailer
from assay.measure.inflate import inflater_for
from assay.model.codes import linux as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Component, Derived, Slice
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import HashRequest
from assay.model.reading import Blob, Options, Reading, Site
from assay.model.signature import SignatureScheme
from assay.model.spans import Span

KIND = "kernel-module"
SIGNED = "module"
"""The name of the component that the signature is over."""


def read_one(site: Site) -> Reading:
    """The module at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", KIND, whole.extent, size=site.blob.size)
    reading = read_module(whole, site.blob, site.prefix, site.options)
    reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    signature = _signature_span(reading)
    if signature is not None:
        of, span = signature
        reading.components.append(
            Component(
                site.child("signature"),
                "kernel-module-signature",
                Slice(of, (span,)),
                parent=of,
                size=span[1] - span[0],
            )
        )
    return reading


def _signature_span(reading: Reading) -> tuple[str, Span] | None:
    for component in reading.components:
        if component.excluded:
            [(start, end)] = component.excluded
            return component.id, (start, end - SIZE)
    return None


class _Bytes(Struct):
    """The bytes that the kernel would see, and the component that they are."""

    component: Component
    read_at: ReadAt
    size: int


def read_module(whole: Component, blob: Blob, prefix: str, options: Options) -> Reading:
    """A module whose file is the component ``whole``; its parts are named below ``prefix``. What
    is wrong with it are findings."""
    reading = Reading(components=[replace(whole, kind=KIND)], targets=[whole.id])
    try:
        _read(whole, blob, prefix, options, reading)
    except AssayError as error:
        reading.findings.append(error.finding)
    reading.findings = [
        found if found.component else replace(found, component=whole.id)
        for found in reading.findings
    ]
    return reading


def _read(whole: Component, blob: Blob, prefix: str, options: Options, reading: Reading) -> None:
    found = _plain(whole, blob, prefix)
    trailer = read_trailer(_tail(found), found.size)
    end = trailer.trailer.signed[1] if trailer.trailer else found.size
    info: ModuleInfo | None = None
    try:
        info = read_modinfo(found.read_at, end)
        reading.findings += _release(info, options)
    except AssayError as error:
        reading.findings.append(error.finding)
    whole = reading.components[0] = replace(reading.components[0], **_described(info))
    signed = Component(
        f"{prefix}/{SIGNED}" if prefix else SIGNED,
        "kernel-module-content",
        Slice(found.component.id, ((0, end),)),
        parent=found.component.id,
        size=end,
    )
    if trailer.trailer is not None:
        start, stop = trailer.trailer.signature
        excluded = ((start, found.size),)
        if found.component.id == whole.id:
            reading.components[0] = replace(whole, excluded=excluded)
        else:
            reading.components.append(replace(found.component, excluded=excluded))
        reading.components.append(signed)
        reading.targets = [signed.id]
        if found.read_at(max(end - len(MARK), 0), len(MARK)) == MARK:
            reading.findings.append(
                Finding.of(
                    codes.MODULE_SIGNATURE_NESTED,
                    detail=f"the {end} bytes that are signed end with a signature",
                    offset=end,
                )
            )
        # a signature outside of the file that it is in has no place of its own to be named by
        name = f"{prefix}/signature" if prefix else "signature"
        reading.signatures += _scheme().prepare(
            found.read_at(start, stop - start), signed.id, name, ""
        )
        return
    if found.component.id != whole.id:
        reading.components.append(found.component)
    if trailer.finding is not None:
        reading.findings.append(trailer.finding)
    else:
        severity = Severity.ERROR if options.kernel else None
        reading.findings.append(Finding.of(codes.MODULE_NOT_SIGNED, severity=severity))


def _plain(whole: Component, blob: Blob, prefix: str) -> _Bytes:
    size = blob.size or 0
    transform = compression_of(blob.read_at(0, 32))
    if transform not in MODULE_COMPRESSIONS:
        return _Bytes(whole, blob.read_at, size)
    pieces: list[bytes] = []
    length = 0

    def take(piece: memoryview) -> None:
        nonlocal length
        length += len(piece)
        if length > limits.MODULE_SIZE:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    whole.id,
                    f"the module expands to more than {limits.MODULE_SIZE} bytes",
                )
            )
        pieces.append(bytes(piece))

    inflater = inflater_for(transform, take)
    for piece in blob.stream(limits.READ_CHUNK):
        inflater.update(piece)
    inflater.finish()
    data = b"".join(pieces)
    content = Component(
        f"{prefix}/content" if prefix else "content",
        "kernel-module",
        Derived(whole.id, transform),
        parent=whole.id,
        size=len(data),
    )
    return _Bytes(content, lambda offset, length: data[offset : offset + length], len(data))


def _tail(found: _Bytes) -> bytes:
    """The last bytes: more of them where a signature may have been put out of its place."""
    tail = b""
    for length in (4 * limits.KIB, limits.MODULE_TAIL):
        start = max(found.size - length, 0)
        tail = found.read_at(start, found.size - start)
        if tail.endswith(MARK):
            break
    return tail


def _described(info: ModuleInfo | None) -> dict[str, object]:
    if info is None:
        return {}
    name = info.fields.get("name", "")
    text = ", ".join(filter(None, [name, f"for {info.release}" if info.release else ""]))
    return {"description": text, "labels": info.fields | {"name": text, "module": name}}


def _release(info: ModuleInfo | None, options: Options) -> Iterator[Finding]:
    release = info.release if info is not None else ""
    if options.kernel and release != options.kernel:
        yield Finding.of(
            codes.MODULE_RELEASE,
            detail="its vermagic names another release than that of the kernel given",
            expected=options.kernel,
            actual=release or "none",
        )


def _scheme() -> SignatureScheme:
    """Whoever checks module signatures; formats know no keys."""
    found: SignatureScheme = plugins.load("assay.signatures", "kernel-module")
    return found

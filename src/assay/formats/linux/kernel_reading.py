"""A kernel image as components: its parts, and on closer look the kernel in it with the keys built
into that."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from assay import limits
from assay.formats.polyglot import polyglot_request
from assay.linux.image import KernelImage, read_image
from assay.model.codes import linux as codes
from assay.model.component import Component, Derived, Slice
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import HashRequest
from assay.model.reading import Blob, Reading, Site
from assay.model.spans import Span

if TYPE_CHECKING:
    from assay.linux.keyring import Keyring, Placed


def read_kernel(site: Site) -> Reading:
    """The kernel at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", "linux-kernel", whole.extent, size=site.blob.size)
    reading = Reading(components=[replace(whole, kind="linux-kernel")], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    add_kernel(site, whole.id, reading)
    return reading


def add_kernel(site: Site, whole: str, reading: Reading) -> None:
    """Add the parts of the kernel image whose file is the component ``whole``. With
    ``Options.closely`` it is decompressed, and the certificates built into it are among them."""
    size = site.blob.size or 0
    keyring: Keyring | None = None
    try:
        if site.options.closely:
            from assay.linux.keyring import read_keyring

            image, keyring = read_keyring(site.blob.read_at, size)
        else:
            image = read_image(site.blob.read_at, size)
    except AssayError as error:
        if site.options.closely:
            found = error.finding
            reading.findings.append(
                replace(
                    found,
                    component=whole,
                    severity=Severity.WARNING,
                    detail=f"the kernel in it cannot be looked into: {found.detail}",
                )
            )
        return
    if image.setup is not None:
        version = image.version
        if keyring is not None and _build_checksum_agrees(site.blob, image.setup):
            version = f"{version}, checksum of the build agrees"
        reading.components.append(
            _part(site.child("setup"), "linux-setup", whole, image.setup, name=version)
        )
    inner = whole
    if image.payload != (0, size):
        inner = site.child("payload")
        reading.components.append(
            _part(inner, "linux-payload", whole, image.payload, name=image.transform)
        )
    if keyring is not None:
        _add_keys(site, image, keyring, inner, reading)


def _add_keys(
    site: Site, image: KernelImage, keyring: Keyring, inner: str, reading: Reading
) -> None:
    """The uncompressed kernel, and the certificates in it."""
    if image.transform:
        outer, inner = inner, site.child("vmlinux")
        reading.components.append(
            Component(
                inner,
                "linux-kernel",
                Derived(outer, image.transform),
                parent=outer,
                labels={"name": keyring.banner},
            )
        )
        reading.requests.append((inner, HashRequest("sha256")))
    kinds = ((keyring.keys, "key", "linux-built-in-key"), (keyring.others, "other", "certificate"))
    for placed, name, kind in kinds:
        for number, each in enumerate(placed):
            end = each.offset + len(each.certificate.der)
            component = _part(
                site.child(f"{name}[{number}]"), kind, inner, (each.offset, end), **_said(each)
            )
            reading.components.append(component)
    if not keyring.keys:
        reading.findings.append(
            Finding.of(codes.KERNEL_KEYRING, inner, detail=keyring.problem, severity=Severity.INFO)
        )


def _said(placed: Placed) -> dict[str, str]:
    """What a certificate says of itself, for people."""
    certificate = placed.certificate
    try:
        key_id = certificate.key_id.hex()
    except AssayError:
        key_id = ""
    until = certificate.not_after.strftime("%Y-%m-%d")
    known_by = f"key identifier {key_id}" if key_id else f"serial number {certificate.serial:x}"
    return {
        "name": f"{certificate}, {known_by}, until {until}",
        "subject": str(certificate),
        "key-identifier": key_id,
        "serial": f"{certificate.serial:x}",
        "not-after": until,
        "fingerprint": certificate.fingerprint,
    }


def _part(id_: str, kind: str, of: str, span: Span, **labels: str) -> Component:
    return Component(
        id_,
        kind,
        Slice(of, (span,)),
        parent=of,
        size=span[1] - span[0],
        labels={name.replace("_", "-"): value for name, value in labels.items() if value},
    )


def _build_checksum_agrees(blob: Blob, setup: Span) -> bool:
    """Whether the CRC-32 that the build of an x86 kernel puts at its end is right (boot protocol,
    "The CRC-32"). What signing changes (the checksum of PE, the place of the signatures) counts as
    zero, as it was then. Newer kernels have none, so that nothing follows where it is not."""
    head = bytearray(blob.read_at(0, setup[1]))
    sixteenths = int.from_bytes(head[0x1F4:0x1F8], "little")
    end = setup[1] + 16 * sixteenths
    if end > (blob.size or 0) or len(head) < setup[1]:
        return False
    start = int.from_bytes(head[60:64], "little")
    if head[start : start + 4] == b"PE\0\0" and start + 24 + 160 < len(head):
        optional = start + 24
        wide = head[optional : optional + 2] == b"\x0b\x02"
        directories = optional + (112 if wide else 96)
        head[optional + 64 : optional + 68] = bytes(4)
        head[directories + 32 : directories + 40] = bytes(8)
    value, at = zlib.crc32(head), setup[1]
    while at < end:
        piece = blob.read_at(at, min(limits.READ_CHUNK, end - at))
        if not piece:
            return False
        value, at = zlib.crc32(piece, value), at + len(piece)
    return value == 0xFFFFFFFF

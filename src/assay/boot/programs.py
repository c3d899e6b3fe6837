"""What Secure Boot has to know of a program: its digests, its signatures, its generations (SBAT),
and whom it trusts itself, where it is a shim."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.cms.signed_data import SignedData, SignerInfo, read_signed_data
from assay.cms.verify import fault_of, request_for
from assay.formats.pe.certificates import read_table
from assay.formats.pe.headers import Headers, Section, read_headers
from assay.formats.pe.indirect_data import read_indirect_data
from assay.formats.pe.layout import layout_of
from assay.formats.pe.sections import content_span
from assay.measure.hashing import sink_for
from assay.model.boot import Role
from assay.model.codes import boot as codes
from assay.model.codes.pe import PE_MALFORMED
from assay.model.codes.sbat import SBAT_MALFORMED
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity
from assay.model.reading import Blob
from assay.sources.blobs import SliceBlob
from assay.uefi import sbat
from assay.uefi.vendor_certificates import (
    SECTION,
    VendorCertificates,
    read_vendor_certificates,
)
from assay.x509.certificate import Certificate

ALGORITHMS = ("sha256", "sha1", "sha224", "sha384", "sha512")
"""The digests that databases name programs by."""
Value = TypeVar("Value")
_ONCE = (SECTION, ".sbat", ".sbatlevel")
"""Sections that decide, and that are there once or not at all."""
_COMMAND_LINE = 64 * 1024


class Claimed(Struct, frozen=True):
    """One signature of a program. ``fault`` says why it does not count, whoever made it; where it
    is None, ``leaf`` made it, and ``digest`` is what it says of the program."""

    name: str
    signed: SignedData | None = None
    signer: SignerInfo | None = None
    leaf: Certificate | None = None
    digest: Digest | None = None
    fault: Finding | None = None

    @property
    def pool(self) -> Sequence[Certificate]:
        """The certificates that the signature brings along."""
        return self.signed.certificates if self.signed is not None else ()


class Program(Struct, frozen=True):
    """A program. ``digests`` are those of its Authenticode view, by algorithm. ``generations`` is
    None where it has no SBAT data that can be read; ``levels`` are the two of a shim. ``findings``
    are what is wrong with it for every reader."""

    id: str
    role: Role
    digests: dict[str, bytes] = {}
    signatures: tuple[Claimed, ...] = ()
    generations: tuple[sbat.Component, ...] | None = None
    levels: tuple[sbat.Level, ...] = ()
    vendor: VendorCertificates | None = None
    command_lines: tuple[str, ...] = ()
    for_firmware: bool = True
    findings: tuple[Finding, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that people call it by."""
        found = self.digests.get("sha256")
        return f"sha256:{found.hex()}" if found else ""

    @property
    def folder(self) -> str:
        """The directory that it is in."""
        return str(PurePosixPath(self.id).parent)


def is_program(blob: Blob) -> bool:
    """Whether these bytes are a program in the PE format. Raises AssayError as the blob does."""
    start = blob.read_at(0, 64)
    if len(start) < 64 or start[:2] != b"MZ":
        return False
    return blob.read_at(int.from_bytes(start[60:64], "little"), 4) == b"PE\0\0"


def read_program(name: str, blob: Blob) -> Program:
    """The program in a blob. Raises nothing: what cannot be read is in the findings."""
    try:
        headers = read_headers(blob)
        return _read(name, blob, headers)
    except AssayError as error:
        return Program(name, Role.PROGRAM, findings=(_placed(error.finding, name),))


def _read(name: str, blob: Blob, headers: Headers) -> Program:
    layout = layout_of(headers, blob.size or 0)
    findings = [each for each in layout.findings if each.severity is not Severity.INFO]
    digests = _digests(SliceBlob(blob, layout.signed))
    signatures: list[Claimed] = []
    if headers.certificate_table is not None:
        try:
            for entry in read_table(blob, headers.certificate_table):
                number = f"signature[{entry.number}]"
                if entry.finding is not None:
                    signatures.append(Claimed(number, fault=entry.finding))
                else:
                    signatures.append(_claimed(number, entry.data))
        except AssayError as error:
            findings.append(error.finding)
    sections: dict[str, Section] = {}
    for section in headers.sections:
        if section.name in sections and section.name in _ONCE:
            detail = f"there are several sections {section.name}, which readers may choose from"
            findings.append(Finding.of(PE_MALFORMED, name, detail))
        sections.setdefault(section.name, section)
    contents = _Contents(blob, sections, findings)
    generations = contents.read(".sbat", limits.SBAT_SIZE, sbat.parse_section)
    levels = contents.read(".sbatlevel", limits.SBAT_SIZE, sbat.parse_shim_levels) or ()
    vendor = contents.read(SECTION, limits.UEFI_VARIABLE_SIZE, read_vendor_certificates)
    lines = [
        contents.of(each, _COMMAND_LINE, lambda data, _: data) or b""
        for each in headers.sections
        if each.name == ".cmdline"
    ]
    role = _role(name, headers, sections, generations or ())
    if role is Role.SHIM:
        # a shim refuses to run with such data, and what it would ask of others is not known
        findings = [
            replace(each, severity=Severity.ERROR) if each.code == SBAT_MALFORMED.name else each
            for each in findings
        ]
    return Program(
        id=name,
        role=role,
        digests=digests,
        signatures=tuple(signatures),
        generations=generations,
        levels=levels,
        vendor=vendor,
        command_lines=tuple(each.rstrip(b"\0").decode("utf-8", "replace") for each in lines),
        for_firmware=headers.for_firmware,
        findings=tuple(_placed(each, name) for each in findings),
    )


class _Contents:
    """What is in sections that this module knows."""

    def __init__(self, blob: Blob, sections: dict[str, Section], findings: list[Finding]) -> None:
        self._blob = blob
        self._sections = sections
        self._findings = findings

    def read(self, name: str, limit: int, parse: Callable[[bytes, str], Value]) -> Value | None:
        """The content of a section; None where there is none, or none that can be read."""
        section = self._sections.get(name)
        return None if section is None else self.of(section, limit, parse)

    def of(
        self, section: Section, limit: int, parse: Callable[[bytes, str], Value]
    ) -> Value | None:
        """The content of this section; None where it cannot be read."""
        start, end = content_span(section)
        try:
            return parse(self._blob.read_at(start, min(end - start, limit + 1)), section.name)
        except AssayError as error:
            self._findings.append(replace(error.finding, offset=None))
            return None


def _digests(view: Blob) -> dict[str, bytes]:
    hashers = {
        name: hashlib.new(name, usedforsecurity=name not in ("sha1",)) for name in ALGORITHMS
    }
    for piece in view.stream(limits.READ_CHUNK):
        for hasher in hashers.values():
            hasher.update(piece)
    return {name: hasher.digest() for name, hasher in hashers.items()}


def _claimed(name: str, data: bytes) -> Claimed:
    """A signature, checked as far as that goes without knowing whom to trust."""
    try:
        signed = read_signed_data(data)
        if len(signed.signers) != 1:
            raise _invalid(f"it has {len(signed.signers)} signers, and Authenticode has one")
        [signer] = signed.signers
        said = read_indirect_data(signed)
        leaf = next((each for each in signed.certificates if signer.is_by(each)), None)
        if leaf is None:
            raise _invalid(f"{signer.certificate_name} is not in it")
        request = request_for(signed, signer, leaf.key)
        sink = sink_for(request)
        sink.update(memoryview(signed.content or b""))
        fault = fault_of(signed, signer, leaf.key, sink.finish(), certificate=leaf)
    except AssayError as error:
        return Claimed(name, fault=error.finding)
    return Claimed(name, signed, signer, leaf, said.digest, fault)


def _invalid(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.BOOT_SIGNATURE_INVALID, detail=detail))


def _role(
    name: str,
    headers: Headers,
    sections: dict[str, Section],
    generations: Iterable[sbat.Component],
) -> Role:
    """What the program is, by what is in it; its name tells only the helpers of a shim apart."""
    components = {each.name.partition(".")[0] for each in generations}
    file = PurePosixPath(name).name.lower()
    if SECTION in sections:
        return Role.SHIM
    if "shim" in components or ".sbatlevel" in sections:
        return Role.FALLBACK if file.startswith(("fb", "fallback")) else Role.MOK_MANAGER
    if ".linux" in sections:
        return Role.UNIFIED_KERNEL
    if headers.data[0x202:0x206] == b"HdrS" or headers.data[56:60] in (b"ARM\x64", b"RSC\x05"):
        return Role.KERNEL
    if "fwupd-efi" in components or "fwupd" in components:
        return Role.FIRMWARE_UPDATER
    if components & {"grub", "systemd-boot", "refind", "sd-boot"} or ".sdmagic" in sections:
        return Role.BOOT_LOADER
    return Role.PROGRAM


def _placed(finding: Finding, name: str) -> Finding:
    detail = finding.detail
    if finding.component and finding.component != name:
        detail = f"{finding.component}: {detail}"
    return replace(finding, component=name, detail=detail)

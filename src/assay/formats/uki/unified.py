"""A unified kernel image as components: what its sections say, what is within them, and what a boot
measures of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Protocol

from msgspec.structs import replace

from assay import limits, plugins
from assay.crypto.public_key import PublicKey
from assay.formats.pe.headers import Headers, Section
from assay.formats.pe.layout import Layout
from assay.formats.pe.sections import content_span
from assay.formats.uki import kind_of
from assay.formats.uki.checks import placement
from assay.formats.uki.judge import PcrJudge
from assay.formats.uki.measured import Plan, measuring_request
from assay.formats.uki.pcr_signatures import PcrSignature, parse_key, parse_signatures
from assay.formats.uki.profiles import PROFILE, Profile, chosen, profiles_of, repeated
from assay.formats.unchanged import unchanged_request
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ScanRequest
from assay.model.reading import Reading, Site
from assay.model.signature import PreparedSignature
from assay.printable import printable
from assay.sources.blobs import SliceBlob
from assay.tcg.unified_kernel import (
    PHASE_PATHS,
    REPEATABLE,
    SECTIONS,
    SIGNATURES,
    measured_sections,
)

SIGNED_BY = "signed-by"
"""The label of ``.pcrsig`` with the fingerprints of the keys that its signatures name."""

_KEY = ".pcrpkey"
_EXPLORED = frozenset((".linux", ".initrd", ".ucode", ".dtb", ".dtbauto", ".efifw"))
_TEXTS = frozenset((".cmdline", ".osrel", ".uname", PROFILE))
_STUB_VERSION = re.compile(rb"systemd-stub (\d{3,4})\b")
_STUB_TEXT = ".sdmagic"
_TITLE = re.compile(r'^(?:PRETTY_NAME|TITLE|NAME|ID)="?([^"\n]*)"?$', re.MULTILINE)


class PolicyScheme(Protocol):
    """Whoever checks signatures of PCR values with keys; formats know none."""

    def over(
        self,
        signatures: Sequence[PcrSignature],
        request: ScanRequest,
        document: str,
        signature_id: str,
        parts: Sequence[str],
    ) -> PreparedSignature: ...


def add_unified(
    site: Site, whole: str, headers: Headers, layout: Layout, names: list[str], to: Reading
) -> None:
    """Add what makes a program a unified kernel image to its reading, whose first component is the
    program; ``names`` are those of its sections. Raises AssayError."""
    profiles, components = profiles_of(headers.sections), [site.child(name) for name in names]
    if len(profiles) > limits.UKI_PROFILES:
        raise AssayError(
            Finding.of(LIMIT_EXCEEDED, whole, f"more than {limits.UKI_PROFILES} profiles")
        )
    _describe(headers, len(profiles) - 1, to)
    wrong = set()
    for position, finding in placement(headers, layout, components, site.blob.size or 0):
        wrong.add(position)
        to.findings.append(finding)
    to.findings += repeated(profiles, headers.sections, components)
    usable = {
        position: section
        for position, section in enumerate(headers.sections)
        if section.name in SECTIONS and section.virtual_size and position not in wrong
    }
    reader = _Reader(site, whole, components, usable, to)
    for position in usable:
        reader.tell(position)
    if not kind_of(headers.sections).startswith("addon"):
        reader.version = _stub_version(site, headers)
        for profile in profiles[1:] or profiles:
            reader.measure(profile, chosen(profiles, profile, headers.sections))


def _describe(headers: Headers, profiles: int, to: Reading) -> None:
    what = kind_of(headers.sections)
    if profiles:
        what += f", {profiles} profile{'s' if profiles > 1 else ''}"
    program = to.components[0]
    to.components[0] = replace(
        program,
        description=f"{program.description}, {what}",
        labels={**program.labels, "name": what},
    )


def _stub_version(site: Site, headers: Headers) -> int | None:
    """The version of systemd-stub that the program is, by its own word."""
    for section in headers.sections:
        if section.name == _STUB_TEXT:
            start, end = content_span(section)
            text = site.blob.read_at(start, min(end - start, limits.UKI_TEXT))
            if match := _STUB_VERSION.search(text):
                return int(match[1])
    return None


class _Reader:
    """Reads the ``usable`` sections, by their positions."""

    version: int | None = None

    def __init__(
        self,
        site: Site,
        whole: str,
        components: list[str],
        usable: dict[int, Section],
        to: Reading,
    ) -> None:
        self._site, self._whole, self._to = site, whole, to
        self._components, self._usable = components, usable
        self._places = {part.id: place for place, part in enumerate(to.components)}
        self._to_read = 0
        self._signatures: dict[int, tuple[PcrSignature, ...]] = {}
        self._keys: dict[int, PublicKey] = {}

    def tell(self, position: int) -> None:
        """Take up what a section says; what is within it is for other formats."""
        section, component = self._usable[position], self._components[position]
        try:
            if section.name in _TEXTS:
                text = self._content(position, limits.UKI_TEXT).decode("utf-8", "replace")
                self._label(component, _shown(section.name, text))
            elif section.name == SIGNATURES:
                data = self._content(position, limits.PCR_SIGNATURES_SIZE)
                found = self._signatures[position] = parse_signatures(data, component)
                keys = list(dict.fromkeys(each.fingerprint for each in found))
                self._label(component, _counted(len(found), len(keys)), SIGNED_BY, " ".join(keys))
            elif section.name == _KEY:
                key = parse_key(self._content(position, limits.KEY_FILE_SIZE), component)
                self._keys[position] = key
                self._label(component, f"{key.name} {key.fingerprint}")
            elif section.name in _EXPLORED:
                view = SliceBlob(self._site.blob, (content_span(section),))
                self._to.explore.append((component, view))
        except AssayError as error:
            self._to.findings.append(replace(error.finding, component=component))

    def _content(self, position: int, limit: int) -> bytes:
        start, end = content_span(self._usable[position])
        component = self._components[position]
        if end - start > limit:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, component, f"{end - start} bytes, more than {limit}")
            )
        data = self._site.blob.read_at(start, end - start)
        self._to.requests.append((component, unchanged_request(data)))
        return data

    def _label(self, component: str, name: str, more: str = "", value: str = "") -> None:
        place = self._places[component]
        part = self._to.components[place]
        labels = {**part.labels, "name": name} | ({more: value} if more else {})
        self._to.components[place] = replace(part, labels=labels)

    def measure(self, profile: Profile, positions: list[int]) -> None:
        """Ask for the measurement of the sections that count in a profile, and for a judgement of
        the signatures of what comes of it."""
        positions = [position for position in positions if position in self._usable]
        signed = next((each for each in positions if each in self._signatures), None)
        key = next((self._keys[each] for each in positions if each in self._keys), None)
        signatures = self._signatures[signed] if signed is not None else ()
        order = measured_sections(None)
        measured = sorted(
            (each for each in positions if self._usable[each].name in order),
            key=lambda each: order.index(self._usable[each].name),
        )
        names = [self._usable[each].name for each in measured]
        choices = prod(names.count(name) + 1 for name in REPEATABLE)
        if choices > limits.PCR_HARDWARE:
            detail = f"{choices} choices of sections for certain hardware"
            self._to.findings.append(Finding.of(LIMIT_EXCEEDED, self._whole, detail))
            return
        spans = tuple(content_span(self._usable[each]) for each in measured)
        self._to_read += sum(end - start for start, end in spans)
        if self._to_read > limits.PCR_REREADS * (self._site.blob.size or 0):
            detail = f"{profile.prefix} more than {limits.PCR_REREADS} times the image to measure"
            self._to.findings.append(Finding.of(LIMIT_EXCEEDED, self._whole, detail))
            return
        pcr = Component(
            self._site.child(f"{profile.prefix}pcr[11]"),
            "pcr-11",
            Slice(self._whole, spans),
            parent=self._whole,
            size=sum(end - start for start, end in spans),
            labels={"name": "what a boot measures of it"},
        )
        plan = Plan(
            tuple((self._usable[each].name, self._usable[each].virtual_size) for each in measured),
            self.version,
            tuple(dict.fromkeys(("sha256", *(each.bank for each in signatures)))),
            tuple(dict.fromkeys(((), *PHASE_PATHS, *self._site.options.boot_phases))),
        )
        place = self._components[signed] if signed is not None else ""
        request = measuring_request(plan, PcrJudge(pcr.id, place, signatures, key))
        self._to.components.append(pcr)
        self._to.requests.append((pcr.id, request))
        holders = dict.fromkeys(each.fingerprint for each in signatures)
        for number, holder in enumerate(holders):
            self._to.signatures.append(
                _scheme().over(
                    [each for each in signatures if each.fingerprint == holder],
                    request,
                    pcr.id,
                    f"{place}/key[{number}]" if number else place,
                    [self._components[each] for each in measured],
                )
            )


def _shown(name: str, text: str) -> str:
    """What people want to see of a section."""
    if name in (".osrel", PROFILE):
        titles = _TITLE.findall(text)
        best = max(titles, key=len, default="")
        return printable(best, 120)
    return printable(text.rstrip("\0\n "), 200)


def _counted(signatures: int, keys: int) -> str:
    one = "signature" if signatures == 1 else "signatures"
    return f"{signatures} {one} of PCR values" + (f", by {keys} keys" if keys > 1 else "")


def _scheme() -> PolicyScheme:
    found: PolicyScheme = plugins.load("assay.signatures", "pcr-policy")
    return found

"""Components for what is in a file with UEFI variables."""

from __future__ import annotations

from msgspec.structs import replace

from assay.model.codes import uefi as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Reading, Site
from assay.model.spans import Span
from assay.printable import printable
from assay.uefi.guid import SIZE as GUID_SIZE
from assay.uefi.guid import name_of
from assay.uefi.revocation import revocation_of
from assay.uefi.signature_list import Entry, Kind, SignatureList, SignatureType
from assay.uefi.variable import Variable
from assay.x509.certificate import read_certificate


class Parts:
    """Adds components to a reading, all of them slices of the file ``whole``."""

    def __init__(self, site: Site, whole: str, reading: Reading) -> None:
        self._site = site
        self.whole = whole
        self.reading = reading

    def describe(self, description: str, excluded: tuple[Span, ...] = ()) -> None:
        """Say more of the file itself."""
        self.reading.components[0] = replace(
            self.reading.components[0], description=description, excluded=excluded
        )

    def add(
        self,
        name: str,
        kind: str,
        *spans: Span,
        parent: str = "",
        label: str = "",
        description: str = "",
        labels: dict[str, str] | None = None,
    ) -> str:
        """A component of these ranges; its id."""
        made = self._site.child(name)
        named = {"name": label} if label else {}
        self.reading.components.append(
            Component(
                made,
                kind,
                Slice(self.whole, spans),
                parent=parent or self.whole,
                size=sum(end - start for start, end in spans),
                description=description,
                labels=named | (labels or {}),
            )
        )
        return made

    def name_of(self, variable: Variable, names: set[str]) -> str:
        """What the component of a variable is called: one name twice, of two vendors, is told
        apart by the vendor."""
        shown = printable(variable.name, 100).replace("/", "\\x2f")
        name = f"variable[{shown}]"
        if name in names:
            name = f"variable[{shown}-{variable.vendor}]"
        if name in names:
            # two of one name and vendor, as no firmware has them
            name = f"variable[{shown}-{variable.vendor}]#{len(names)}"
        names.add(name)
        return name

    def lists(
        self, lists: tuple[SignatureList, ...], parent: str, prefix: str, *, base: int = 0
    ) -> None:
        """The lists that stand from offset ``base`` of the file on, with their entries."""
        for number, each in enumerate(lists):
            name = f"{prefix}list[{number}]"
            known = each.known
            made = self.add(
                name,
                "efi-signature-list",
                (base + each.start, base + each.end),
                parent=parent,
                label=f"{known.name}, {len(each.entries)}",
                labels={"type": each.type},
            )
            for place, entry in enumerate(each.entries):
                self._entry(f"{name}/entry[{place}]", known, entry, made, base)

    def _entry(self, name: str, known: SignatureType, entry: Entry, parent: str, base: int) -> None:
        span = (base + entry.start + GUID_SIZE, base + entry.end)
        labels = {"owner": name_of(entry.owner)}
        if known.kind is Kind.CERTIFICATE:
            self.certificate(name, entry.data, span, parent, labels)
            return
        label = entry_text(known, entry)
        self.add(name, f"efi-{known.kind.value.replace(' ', '-')}", span, parent=parent,
                 label=label, labels=labels)  # fmt: skip

    def certificate(
        self,
        name: str,
        data: bytes,
        span: Span,
        parent: str,
        labels: dict[str, str] | None = None,
    ) -> None:
        """A certificate, which is named by its subject; its digest is its fingerprint."""
        try:
            read = read_certificate(data)
        except AssayError as error:
            made = self.add(name, "certificate", span, parent=parent, labels=labels)
            self.reading.findings.append(
                Finding.of(codes.UEFI_ENTRY_UNREADABLE, made, error.finding.detail, offset=span[0])
            )
            return
        until = f"{read.not_after:%Y-%m-%d}"
        more = {"issuer": printable(str(read.issuer), 200), "not-after": until}
        made = self.add(
            name,
            "certificate",
            span,
            parent=parent,
            label=f"{printable(str(read), 200)}, until {until}",
            labels=(labels or {}) | more,
        )
        self.reading.requests.append((made, HashRequest("sha256")))


def entry_text(known: SignatureType, entry: Entry) -> str:
    """An entry in words."""
    if known.kind is Kind.CERTIFICATE:
        try:
            return printable(str(read_certificate(entry.data)), 200)
        except AssayError:
            return "a certificate that cannot be read"
    if known.kind is Kind.HASH:
        return f"{known.algorithm}:{entry.data.hex()}"
    if known.kind is Kind.CERTIFICATE_HASH:
        revoked = revocation_of(entry)
        when = f"from {revoked.since:%Y-%m-%dT%H:%M:%SZ}" if revoked.since else "at any time"
        return f"{known.algorithm}:{revoked.digest.hex()}, revoked {when}"
    return printable(f"{known.name}: {len(entry.data)} bytes", 200)

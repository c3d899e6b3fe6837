"""The databases of Secure Boot as values: what allows programs, and what refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct, field

from assay.model.boot import DatabaseSummary
from assay.model.codes.boot import BOOT_VARIABLE_UNREADABLE
from assay.model.codes.uefi import UEFI_ENTRY_UNREADABLE
from assay.model.finding import AssayError, Finding
from assay.uefi.revocation import revocation_of
from assay.uefi.sbat import Level
from assay.uefi.signature_list import Kind, SignatureList
from assay.x509.certificate import Certificate, read_certificate

_REVOKING = ("dbx", "MokListX", "vendor_dbx")


class Listed(Struct, frozen=True):
    """An entry of a database. One of ``certificate`` and ``digest`` is set; ``of_certificate`` says
    that the digest is that of a certificate, which is revoked from ``since`` on (None: always)."""

    database: str
    source: str
    entry: str
    certificate: Certificate | None = None
    algorithm: str = ""
    digest: bytes = b""
    of_certificate: bool = False
    since: datetime | None = None


class Databases(Struct):
    """What a machine has. ``allowed`` and ``revoked`` are firmware's (db, dbx); the ``mok_`` ones
    are shim's own (MokList, MokListX); ``time_stamping`` is dbt. ``level`` is the SBAT level that
    the machine has (SbatLevel), None where that is not known. ``enforced`` is False where the
    variables say that Secure Boot is off, ``validated`` where shim was told not to look.
    ``shim_ignores`` says that shim does not go by db, and ``mok_trusted`` that kernels take keys of
    MokList for those of modules. ``times`` are those of the last signed update of each database."""

    allowed: list[Listed] = field(default_factory=list)
    revoked: list[Listed] = field(default_factory=list)
    mok_allowed: list[Listed] = field(default_factory=list)
    mok_revoked: list[Listed] = field(default_factory=list)
    time_stamping: list[Listed] = field(default_factory=list)
    other: list[Listed] = field(default_factory=list)
    level: Level | None = None
    enforced: bool = True
    validated: bool = True
    shim_ignores: bool = False
    mok_trusted: bool = False
    found: set[str] = field(default_factory=set)
    times: dict[str, datetime] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, name: str, source: str, lists: Sequence[SignatureList]) -> None:
        """Add the entries of lists to the database of this name."""
        self.found.add(name)
        self._entries(name).extend(listed(name, source, lists, self.findings))

    def clear(self, name: str) -> None:
        """Take all entries of a database out."""
        entries = self._entries(name)
        entries[:] = [each for each in entries if each.database != name]

    def _entries(self, name: str) -> list[Listed]:
        return {
            "db": self.allowed,
            "dbx": self.revoked,
            "dbt": self.time_stamping,
            "MokList": self.mok_allowed,
            "MokListX": self.mok_revoked,
        }.get(name, self.other)

    def summaries(self) -> Iterator[DatabaseSummary]:
        """What was read, for people."""
        every = [
            *self.other, *self.allowed, *self.revoked, *self.time_stamping,
            *self.mok_allowed, *self.mok_revoked,
        ]  # fmt: skip
        for name in ("PK", "KEK", "db", "dbx", "dbt", "MokList", "MokListX"):
            entries = [each for each in every if each.database == name]
            if name in self.found:
                yield summary(name, entries)


def summary(name: str, entries: Sequence[Listed]) -> DatabaseSummary:
    """How many entries of each kind there are."""
    certificates = [str(each.certificate) for each in entries if each.certificate is not None]
    hashes = [each for each in entries if each.certificate is None]
    of_certificates = sum(each.of_certificate for each in hashes)
    return DatabaseSummary(
        name,
        tuple(dict.fromkeys(each.source for each in entries)),
        tuple(certificates),
        len(hashes) - of_certificates,
        of_certificates,
    )


def listed(
    name: str, source: str, lists: Sequence[SignatureList], findings: list[Finding]
) -> Iterator[Listed]:
    """The entries that count. A certificate that cannot be read counts for nothing and is a
    finding; where it might revoke something, nothing can be said of what it is held against."""
    for number, each in enumerate(lists):
        known = each.known
        for place, entry in enumerate(each.entries):
            where = f"list[{number}]/entry[{place}]"
            if known.kind is Kind.CERTIFICATE:
                try:
                    certificate = read_certificate(entry.data)
                except AssayError as error:
                    detail = f"{name}, {where}: {error.finding.detail}"
                    # what cannot be read allows nothing; but it may revoke something
                    code = BOOT_VARIABLE_UNREADABLE if name in _REVOKING else UEFI_ENTRY_UNREADABLE
                    findings.append(Finding.of(code, source, detail))
                    continue
                yield Listed(name, source, where, certificate)
            elif known.kind is Kind.HASH:
                yield Listed(name, source, where, None, known.algorithm, entry.data)
            elif known.kind is Kind.CERTIFICATE_HASH:
                revoked = revocation_of(entry)
                yield Listed(
                    name, source, where, None, known.algorithm, revoked.digest, True, revoked.since
                )


def single(name: str, source: str, der: bytes, findings: list[Finding]) -> Iterator[Listed]:
    """A certificate that stands alone."""
    try:
        yield Listed(name, source, "", read_certificate(der))
    except AssayError as error:
        detail = f"{name}: {error.finding.detail}"
        findings.append(Finding.of(UEFI_ENTRY_UNREADABLE, source, detail))

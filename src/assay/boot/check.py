"""Would this machine start the programs of this image? Reads both, and asks the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from assay.boot.authorities import AUTHORITIES
from assay.boot.chain import FIRMWARE, broken, walk
from assay.boot.collect import collect
from assay.boot.databases import Databases
from assay.boot.firmware import read_firmware
from assay.boot.modules import check_modules
from assay.boot.programs import Program
from assay.boot.roots import check_roots
from assay.model.boot import BootCheck, Link, Outcome, Role, outcome_of
from assay.model.codes import boot as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.pipeline import VerifyOptions
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from assay.uefi.sbat import Level, combined
from assay.version import __version__


class CheckOptions(Struct):
    """What one call asks for. ``firmware`` and ``through`` are names of files, ``modules`` a
    directory of kernel modules, ``levels`` SBAT levels that the machine is to have beside its own;
    ``at`` only tells what has run out."""

    firmware: Sequence[str]
    through: Sequence[str] = ()
    levels: Sequence[Level] = ()
    modules: str = ""
    open: OpenOptions = OpenOptions()
    at: datetime | None = None


def check(name: str, options: CheckOptions) -> BootCheck:
    """The answer for one image. Raises UsageError only; all else is in the answer."""
    at = options.at or datetime.now(UTC)
    databases = read_firmware(tuple(options.firmware))
    findings = [*databases.findings, *_about_machine(databases)]
    links: tuple[Link, ...] = ()
    if not any(each.code == codes.BOOT_NO_DATABASE.name for each in findings):
        try:
            links = tuple(_links(name, databases, options, at, findings))
        except AssayError as error:
            findings.append(error.finding)
    told = tuple(findings)
    return BootCheck(
        image=name,
        outcome=outcome_of(told),
        links=links,
        databases=tuple(databases.summaries()),
        findings=told,
        tool=f"assay {__version__}",
        at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        enforced=databases.enforced,
    )


def _links(
    name: str,
    databases: Databases,
    options: CheckOptions,
    at: datetime,
    findings: list[Finding],
) -> Iterator[Link]:
    """The links of the chain; what is to be said of them joins the findings."""
    through = [each for file in options.through for each in _one(file, options)]
    found = collect(name, options.open)
    findings += found.findings
    if not found.programs:
        findings.append(Finding.of(codes.BOOT_NOTHING_FOUND, name))
        return
    level = combined(*options.levels)
    walked = walk(found.programs, through, databases, level, at)
    asked = VerifyOptions(Trust(), open=options.open, at=at)
    links = walked.links
    if options.modules:
        links.append(
            check_modules(options.modules, found.programs, found.blobs, databases, asked, findings)
        )
    if found.components:
        links = list(check_roots(name, links, found.components, asked, findings))
    links = list(broken(links))
    findings += dict.fromkeys(walked.findings)
    findings += _about_shim(databases, links)
    yield from links


def _one(file: str, options: CheckOptions) -> list[Program]:
    found = collect(file, options.open).programs
    if len(found) != 1:
        raise UsageError(f"--through {file}: {len(found) or 'no'} programs in it; give one program")
    return found


def _about_machine(databases: Databases) -> Iterator[Finding]:
    if "db" not in databases.found and "MokList" not in databases.found:
        yield Finding.of(codes.BOOT_NO_DATABASE, FIRMWARE)
        return
    if not databases.enforced:
        yield Finding.of(codes.BOOT_NOT_ENFORCED, FIRMWARE)
    present = {
        each.certificate.fingerprint for each in databases.allowed if each.certificate is not None
    }
    for fingerprint, authority in AUTHORITIES.items():
        successor = authority.successor
        if fingerprint in present and successor and successor not in present:
            yield Finding.of(
                codes.BOOT_AUTHORITY_MISSING,
                FIRMWARE,
                f"{authority.name} is in db, and {AUTHORITIES[successor].name} is not",
                expected=AUTHORITIES[successor].name,
                actual=authority.name,
            )


def _about_shim(databases: Databases, links: Sequence[Link]) -> Iterator[Finding]:
    shims = [link for link in links if link.role is Role.SHIM]
    if shims and not databases.validated:
        yield Finding.of(
            codes.BOOT_NOT_ENFORCED, shims[0].id, "MokSBState says that shim does not look"
        )


__all__ = ["CheckOptions", "Outcome", "check"]

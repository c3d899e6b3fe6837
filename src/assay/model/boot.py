"""What a check of Secure Boot found: would this machine start the programs of this image?"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay.model.finding import Finding, Question, Severity

SCHEMA_VERSION = 1
"""Version of the JSON form; raised when a reader of the old form would break."""


class Outcome(Enum):
    """What becomes of one link, or of the whole."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNCHECKED = "unchecked"
    """It could not be told. Never a yes."""


class Role(Enum):
    """What a program is in a boot, as far as it can be told."""

    SHIM = "shim"
    MOK_MANAGER = "MOK manager"
    FALLBACK = "fallback loader"
    BOOT_LOADER = "boot loader"
    FIRMWARE_UPDATER = "firmware updater"
    UNIFIED_KERNEL = "unified kernel image"
    KERNEL = "kernel"
    PROGRAM = "program"
    MODULES = "kernel modules"
    ROOT = "root file system"


class Ground(Struct, frozen=True):
    """One reason that counts for or against a program: an entry of a database, or what is in the
    program.

    ``database`` is where the entry is (``db``, ``dbx``, ``MokList``, ``vendor certificate`` ...)
    and ``source`` the file with it. ``entry`` is the place in there (``list[1]/entry[0]``),
    ``kind`` is ``certificate``, ``hash`` or ``certificate hash``, ``name`` is the certificate's
    subject or the digest, and ``authority`` what Microsoft's authorities are called (``Microsoft
    UEFI CA 2023``). ``signature`` says which signature of the program it is about, empty for the
    program itself; ``signer`` who made it.
    """

    database: str
    kind: str
    name: str
    source: str = ""
    entry: str = ""
    authority: str = ""
    signature: str = ""
    signer: str = ""


class Link(Struct, frozen=True):
    """One link of the chain: who starts which program, and by which right.

    ``checked_by`` is ``firmware`` or the id of the link that looks (a shim, a kernel). ``digest``
    is the program's Authenticode digest (``sha256:`` and hexadecimal digits). ``sbat`` are the
    program's generations, and ``sbat_level`` the level that they were held against.
    """

    id: str
    role: Role
    checked_by: str
    outcome: Outcome
    digest: str = ""
    allowed_by: tuple[Ground, ...] = ()
    refused_by: tuple[Ground, ...] = ()
    sbat: tuple[str, ...] = ()
    sbat_level: str = ""
    detail: str = ""


class DatabaseSummary(Struct, frozen=True):
    """What was read of one database: how many entries of each kind, and the names of
    certificates."""

    name: str
    sources: tuple[str, ...]
    certificates: tuple[str, ...] = ()
    hashes: int = 0
    certificate_hashes: int = 0


class BootCheck(Struct, frozen=True):
    """The answer for one image. ``at`` is RFC 3339."""

    image: str
    outcome: Outcome
    links: tuple[Link, ...]
    databases: tuple[DatabaseSummary, ...]
    findings: tuple[Finding, ...]
    tool: str
    at: str
    enforced: bool = True
    schema_version: int = SCHEMA_VERSION

    @property
    def exit_status(self) -> int:
        """0 it would be started, 1 refused, 3 could not be checked."""
        return {Outcome.ALLOWED: 0, Outcome.REFUSED: 1, Outcome.UNCHECKED: 3}[self.outcome]


def outcome_of(findings: tuple[Finding, ...]) -> Outcome:
    """What findings come to: an error refuses, unless all that it says is that something could not
    be checked."""
    errors = [each for each in findings if each.severity is Severity.ERROR]
    if any(each.question is not Question.CHECKED for each in errors):
        return Outcome.REFUSED
    return Outcome.UNCHECKED if errors else Outcome.ALLOWED

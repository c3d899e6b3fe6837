"""Who looks at which program, and what becomes of each: the links of the chain.

Firmware looks at what it starts: a shim, or a program that no shim is there for. A shim looks at
what it starts (boot loader, MOK manager, firmware updater) and at what that starts in turn
(kernels), because boot loaders ask it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from assay.boot.databases import Databases, Listed, listed, single
from assay.boot.judge import Judgement, Rules, judge
from assay.boot.programs import Program
from assay.model.boot import Link, Outcome, Role
from assay.model.finding import Finding
from assay.uefi.sbat import Level, combined

FIRMWARE = "firmware"
_BY_SHIM_ITSELF = (Role.BOOT_LOADER, Role.MOK_MANAGER, Role.FALLBACK, Role.FIRMWARE_UPDATER)
"""What a shim starts without a boot loader between them."""
_KERNELS = (Role.KERNEL, Role.UNIFIED_KERNEL)
_DEFAULT = re.compile(r"(?:^|/)EFI/BOOT/BOOT[A-Z0-9]+\.EFI$", re.IGNORECASE)
"""The program that firmware starts by itself (UEFI Specification section 3.5.1.1)."""
_SECOND_STAGE = re.compile(r"(?:^|/)grub[a-z0-9]*\.efi$", re.IGNORECASE)
_ROOT_HASH = re.compile(r"(?:^|\s)(roothash|usrhash)=([0-9a-fA-F]{32,128})(?=\s|$)")


class Walked(Struct):
    """The links, in the order in which they are met, and what is to be said."""

    links: list[Link]
    findings: list[Finding]


def walk(
    programs: Sequence[Program],
    through: Sequence[Program],
    databases: Databases,
    level: Level | None,
    at: datetime,
) -> Walked:
    """Judge every program. ``through`` are programs that are started before those of the image, in
    order; ``level`` is an SBAT level that the machine is to have beside its own."""
    walked = Walked([], [])
    every = [*through, *programs]
    order = {Role.SHIM: 0, **dict.fromkeys(_BY_SHIM_ITSELF, 1)}
    ranked = sorted(programs, key=lambda each: order.get(each.role, 2))
    for place, program in enumerate([*through, *ranked]):
        shim = None
        if program.role is not Role.SHIM:
            shim = _shim_of(program, through[:place], [] if place < len(through) else every)
        rules = rules_of(program, shim, databases, level, walked.findings)
        link = _link(program, shim, rules, judge(program, rules, at), walked.findings)
        walked.links.append(link)
        walked.links += _roots(program, link)
    return walked


def _shim_of(
    program: Program, before: Sequence[Program], beside: Sequence[Program]
) -> Program | None:
    """The shim that looks at a program: the last one that was named, or the one in its directory. A
    kernel may be anywhere, so that any shim may be the one; what else is in a directory without a
    shim, or at the place of the default boot loader, is started by firmware."""
    for candidate in reversed(before):
        if candidate.role is Role.SHIM:
            return candidate
    if _DEFAULT.search(program.id):
        return None
    shims = [each for each in beside if each.role is Role.SHIM]
    near = [each for each in shims if each.folder == program.folder]
    anywhere = shims if program.role in _KERNELS else []
    return next(iter(near or anywhere), None)


def rules_of(
    program: Program,
    shim: Program | None,
    databases: Databases,
    level: Level | None,
    findings: list[Finding],
) -> Rules:
    """By what a program is judged."""
    if shim is None:
        own = combined(_newest(databases.level, *program.levels[:1]), level)
        return Rules(
            checker=FIRMWARE,
            allowed=tuple(databases.allowed),
            revoked=tuple(databases.revoked),
            time_stamping=tuple(databases.time_stamping),
            # a shim looks at itself before anything else, since there is SBAT
            level=own if program.role is Role.SHIM and program.generations else None,
        )
    allowed, revoked = vendor_entries(shim, findings)
    return Rules(
        checker=shim.id,
        allowed=(
            *(() if databases.shim_ignores else databases.allowed),
            *databases.mok_allowed,
            *allowed,
        ),
        revoked=(*databases.revoked, *databases.mok_revoked, *revoked),
        is_shim=True,
        level=combined(_newest(databases.level, *shim.levels[:1]), level),
        sbat_required=_is_started_by(shim, program),
    )


def _is_started_by(shim: Program, program: Program) -> bool:
    """Whether a shim starts a program itself, and no boot loader between them: whatever the program
    is, where it is called as what a shim starts."""
    named = program.folder == shim.folder and _SECOND_STAGE.search(program.id)
    return bool(named) or program.role in (*_BY_SHIM_ITSELF, Role.PROGRAM)


def vendor_entries(shim: Program, findings: list[Finding]) -> tuple[list[Listed], list[Listed]]:
    """Whom a shim trusts by itself, and whom not."""
    vendor = shim.vendor
    if vendor is None:
        return [], []
    if vendor.certificate:
        allowed = list(single("vendor certificate", shim.id, vendor.certificate, findings))
    else:
        allowed = list(listed("vendor_db", shim.id, vendor.authorized, findings))
    return allowed, list(listed("vendor_dbx", shim.id, vendor.deauthorized, findings))


def _newest(*levels: Level | None) -> Level | None:
    """The level that a shim goes by: an older one never takes the place of a newer one."""
    known = [each for each in levels if each is not None]
    return max(known, key=lambda each: int(each.date or 0), default=None)


def _link(
    program: Program,
    shim: Program | None,
    rules: Rules,
    judgement: Judgement,
    findings: list[Finding],
) -> Link:
    findings += judgement.findings
    return Link(
        id=program.id,
        role=program.role,
        checked_by=shim.id if shim is not None else FIRMWARE,
        outcome=judgement.outcome,
        digest=program.digest,
        allowed_by=judgement.allowed_by,
        refused_by=judgement.refused_by,
        sbat=tuple(map(str, program.generations or ())),
        sbat_level=f"{rules.level} ({rules.level.source})" if rules.level else "",
    )


def _roots(program: Program, link: Link) -> Iterator[Link]:
    """The verified file systems that a unified kernel image names in its command line: whoever
    vouches for the image vouches for their root hashes."""
    if program.role is not Role.UNIFIED_KERNEL:
        return
    named = [found for line in program.command_lines for found in _ROOT_HASH.findall(line)]
    for option, value in dict.fromkeys(named):
        again = sum(each == option for each, _ in dict.fromkeys(named)) > 1
        yield Link(
            id=f"{program.id}/{option}" + (f"={value.lower()}" if again else ""),
            role=Role.ROOT,
            checked_by=program.id,
            outcome=link.outcome,
            digest=value.lower(),
            detail=f"{option}= in the command line, which the signature of {program.id} covers",
        )


def broken(links: Sequence[Link]) -> Iterator[Link]:
    """The links, with those below one that is not allowed no better than it."""
    known = {link.id: link for link in links}
    for link in links:
        above = known.get(link.checked_by)
        outcome = above.outcome if above is not None else Outcome.ALLOWED
        if link.outcome is Outcome.ALLOWED and outcome is not Outcome.ALLOWED:
            detail = f"{link.checked_by}, which looks at it, is {outcome.value}"
            known[link.id] = replace(link, outcome=outcome, detail=detail)
        yield known[link.id]

"""Whether a program would be started, by databases that are given: pure, no I/O.

The rules are those of UEFI firmware (UEFI Specification section 32.5.3.3, as EDK II has them) and
of shim:

1. A program whose digest is revoked is never started.
2. Firmware starts none with a signature that leads through a revoked certificate, whatever else is
   on it. shim does not count such a signature, and looks at the others.
3. One signature that leads to an authority that is allowed suffices, and so does a digest that is.
4. Dates of certificates do not count.
5. shim refuses a program of which the SBAT level does not take a component; and what it starts
   itself has to have SBAT data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.boot.authorities import name_of
from assay.boot.databases import Listed
from assay.boot.programs import Claimed, Program
from assay.cms.timestamp import TimeAuthority, check_timestamp, read_token
from assay.model.boot import Ground, Outcome, Role, outcome_of
from assay.model.codes import boot as codes
from assay.model.codes import sbat as sbat_codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Code, Finding, Severity
from assay.uefi.sbat import Level, revoked_by
from assay.x509.certificate import Certificate
from assay.x509.names import Name
from assay.x509.path import find_path
from assay.x509.requirements import Requirements
from assay.x509.signing import signature_fault

_MODULES_ONLY = "1.3.6.1.4.1.2312.16.1.2"
"""The purpose of keys that sign kernel modules and nothing else."""


class Rules(Struct, frozen=True):
    """By what a program is judged, and by whom (``checker``, for people). ``level`` None asks for
    no SBAT data; ``sbat_required`` refuses a program without."""

    checker: str
    allowed: tuple[Listed, ...]
    revoked: tuple[Listed, ...]
    time_stamping: tuple[Listed, ...] = ()
    is_shim: bool = False
    level: Level | None = None
    sbat_required: bool = False


class Judgement(Struct, frozen=True):
    """What becomes of a program, and why."""

    outcome: Outcome
    allowed_by: tuple[Ground, ...]
    refused_by: tuple[Ground, ...]
    findings: tuple[Finding, ...]


def judge(program: Program, rules: Rules, at: datetime) -> Judgement:
    """Judge a program. ``at`` only tells which certificates have run out. Raises nothing."""
    return _Trial(program, rules, at).judgement()


class _Trial:
    def __init__(self, program: Program, rules: Rules, at: datetime) -> None:
        self._program = program
        self._rules = rules
        self._at = at
        self._allowed: list[Ground] = []
        self._refused: list[Ground] = []
        self._findings: list[Finding] = list(program.findings)
        self._expired: dict[Certificate, None] = {}
        self._foreign: list[Finding] = []

    def judgement(self) -> Judgement:
        self._by_digest()
        revoked: list[Finding] = []
        for claimed in self._program.signatures:
            revoked += self._by_signature(claimed)
        counts_against = not (self._rules.is_shim and self._allowed)
        for each in revoked:
            severity = each.severity if counts_against else Severity.WARNING
            self._findings.append(replace(each, severity=severity))
        for each in self._foreign:
            severity = Severity.WARNING if self._allowed else Severity.ERROR
            self._findings.append(replace(each, severity=severity))
        if not self._allowed and not self._refused and not self._foreign:
            self._nothing_allows()
        self._generations()
        if self._allowed:
            self._told_expired()
        found = tuple(self._findings)
        return Judgement(outcome_of(found), tuple(self._allowed), tuple(self._refused), found)

    # the digest of the program

    def _by_digest(self) -> None:
        for entry in self._rules.revoked:
            if not entry.of_certificate and self._is_digest(entry):
                self._refuse(
                    codes.BOOT_REVOKED_HASH,
                    Ground(entry.database, "hash", _digest(entry), entry.source, entry.entry),
                    f"its digest is in {entry.database}",
                    actual=_digest(entry),
                )
        for entry in self._rules.allowed:
            if not entry.of_certificate and self._is_digest(entry):
                self._allowed.append(
                    Ground(entry.database, "hash", _digest(entry), entry.source, entry.entry)
                )

    def _is_digest(self, entry: Listed) -> bool:
        return bool(entry.digest) and self._program.digests.get(entry.algorithm) == entry.digest

    # one signature

    def _by_signature(self, claimed: Claimed) -> list[Finding]:
        """What revokes a signature. One that does not count is told, and allows nothing."""
        if claimed.leaf is None or claimed.fault is not None:
            fault = claimed.fault
            detail = fault.detail if fault is not None else "nothing is known of it"
            self._add(codes.BOOT_SIGNATURE_INVALID, f"{claimed.name}: {detail}")
            return []
        # firmware looks for revoked certificates in any signature, be it of this program or not
        try:
            revoked = list(self._revocations(claimed, self._reached(claimed)))
        except AssayError as error:
            self._findings.append(replace(error.finding, component=self._program.id))
            return []
        digest = claimed.digest
        assert digest is not None
        actual = self._program.digests.get(digest.algorithm)
        if actual is None or actual.hex() != digest.hex:
            self._foreign.append(
                Finding.of(
                    codes.BOOT_SIGNATURE_FOREIGN,
                    self._program.id,
                    f"{claimed.name}: by {claimed.leaf}, of another program",
                    expected=str(digest),
                    actual=f"{digest.algorithm}:{actual.hex()}" if actual else "",
                )
            )
        elif not revoked:
            self._look_for_authority(claimed)
        return revoked

    def _reached(self, claimed: Claimed) -> list[Certificate]:
        """The signer's certificate and all that it leads to, whatever they may be used for: a
        revoked certificate is revoked in any use. Raises AssayError (limit-exceeded): anyone can
        add certificates to a signature, and one behind so many might be revoked."""
        assert claimed.leaf is not None
        known = [
            *claimed.pool,
            *(each.certificate for each in self._rules.allowed if each.certificate),
            *(each.certificate for each in self._rules.revoked if each.certificate),
        ]
        by_name: dict[Name, list[Certificate]] = {}
        for each in dict.fromkeys(known):
            by_name.setdefault(each.subject, []).append(each)
        found = {claimed.leaf: None}
        checks = 0
        pending = [claimed.leaf]
        while pending:
            certificate = pending.pop()
            for each in by_name.get(certificate.issuer, ()):
                if each in found:
                    continue
                if (checks := checks + 1) > limits.PATH_CHECKS:
                    detail = f"{claimed.name} brings too many certificates of {certificate.issuer}"
                    raise AssayError(Finding.of(LIMIT_EXCEEDED, detail=detail))
                if signature_fault(certificate, each, legacy=True) is None:
                    found[each] = None
                    pending.append(each)
        return list(found)

    def _revocations(self, claimed: Claimed, reached: Sequence[Certificate]) -> Iterator[Finding]:
        signed = {each.tbs for each in reached}
        for entry in self._rules.revoked:
            # what is outside of the signed part can be written in other ways, with no key at all
            if entry.certificate is not None and entry.certificate.tbs in signed:
                yield self._revoked(
                    codes.BOOT_REVOKED_CERTIFICATE, claimed, entry, entry.certificate, ""
                )
            elif entry.of_certificate:
                for certificate in reached:
                    made = hashlib.new(entry.algorithm, certificate.tbs).digest()
                    if made == entry.digest and not self._is_older(claimed, entry.since):
                        since = f" from {entry.since:%Y-%m-%dT%H:%M:%SZ} on" if entry.since else ""
                        yield self._revoked(
                            codes.BOOT_REVOKED_CERTIFICATE_HASH, claimed, entry, certificate, since
                        )

    def _revoked(
        self, code: Code, claimed: Claimed, entry: Listed, certificate: Certificate, since: str
    ) -> Finding:
        self._refused.append(_ground(entry, certificate, claimed))
        return Finding.of(
            code,
            self._program.id,
            f"{claimed.name}: {certificate} is in {entry.database}{since}",
            actual=certificate.fingerprint,
        )

    def _is_older(self, claimed: Claimed, since: datetime | None) -> bool:
        """Whether a time stamp of an authority in dbt proves that the signature was there before
        the certificate was revoked."""
        trusted = [
            each.certificate for each in self._rules.time_stamping if each.certificate is not None
        ]
        if since is None or not trusted or claimed.signer is None:
            return False
        for token in claimed.signer.timestamps[: limits.CMS_TIMESTAMPS]:
            try:
                proven = check_timestamp(
                    read_token(token),
                    claimed.signer.signature,
                    [TimeAuthority(tuple(trusted))],
                    now=self._at,
                )
            except AssayError:
                continue
            if proven.latest < since:
                return True
        return False

    def _look_for_authority(self, claimed: Claimed) -> None:
        assert claimed.leaf is not None
        for entry in self._rules.allowed:
            if entry.certificate is None or not self._may_allow(entry.certificate):
                continue
            # a signer who is allowed by name may sign, whatever else the certificate says
            if claimed.leaf == entry.certificate or self._leads_to(claimed, entry.certificate):
                self._allowed.append(_ground(entry, entry.certificate, claimed))
                if self._at > entry.certificate.not_after:
                    self._expired[entry.certificate] = None

    def _leads_to(self, claimed: Claimed, authority: Certificate) -> bool:
        assert claimed.leaf is not None
        asked = Requirements(at=self._at, timeless=True, legacy=True)
        return bool(find_path(claimed.leaf, claimed.pool, [authority], asked).path)

    def _may_allow(self, authority: Certificate) -> bool:
        """Whether a certificate may allow programs: to shim, keys that are for modules may not."""
        try:
            return not self._rules.is_shim or _MODULES_ONLY not in (authority.purposes or ())
        except AssayError:
            return False

    # what follows

    def _nothing_allows(self) -> None:
        by = [
            f"{each.name} is by {each.leaf}, certified by {each.leaf.issuer}"
            for each in self._program.signatures
            if each.leaf is not None and each.fault is None
        ]
        names = ", ".join(dict.fromkeys(each.database for each in self._rules.allowed)) or "db"
        if by:
            detail = f"{self._rules.checker} does not allow it: {'; '.join(by)}"
            self._add(codes.BOOT_NOT_ALLOWED, detail, expected=f"an entry in {names}")
        elif not self._program.signatures and not self._program.findings:
            self._add(codes.BOOT_NOT_SIGNED, f"{self._rules.checker} does not allow it")
        else:
            self._add(
                codes.BOOT_NOT_ALLOWED,
                f"{self._rules.checker} does not allow it: no signature of it counts",
                expected=f"an entry in {names}",
            )

    def _generations(self) -> None:
        level, found = self._rules.level, self._program.generations
        if level is None:
            return
        if found is None:
            severity = Severity.ERROR if self._rules.sbat_required else Severity.WARNING
            detail = ""
            if self._program.role is Role.KERNEL and not self._rules.sbat_required:
                severity = Severity.INFO
                detail = "it has no SBAT data; a kernel that a boot loader starts needs none"
            self._findings.append(
                Finding.of(sbat_codes.SBAT_MISSING, self._program.id, detail, severity=severity)
            )
            return
        for revoked in revoked_by(found, level):
            name = revoked.component.name
            self._refused.append(Ground("SBAT", "generation", str(revoked.component), level.source))
            self._add(
                sbat_codes.SBAT_REVOKED,
                f"{name} has generation {revoked.component.generation} ({level})",
                expected=f"{name},{revoked.least} or later",
                actual=str(revoked.component),
            )

    def _told_expired(self) -> None:
        for certificate in self._expired:
            self._add(
                codes.BOOT_CERTIFICATE_EXPIRED,
                f"{name_of(certificate) or certificate} ran out on"
                f" {certificate.not_after:%Y-%m-%d}",
            )

    def _refuse(self, code: Code, ground: Ground, detail: str, actual: str = "") -> None:
        self._refused.append(ground)
        self._add(code, detail, actual=actual)

    def _add(self, code: Code, detail: str, expected: str = "", actual: str = "") -> None:
        self._findings.append(
            Finding.of(code, self._program.id, detail, expected=expected, actual=actual)
        )


def _digest(entry: Listed) -> str:
    return f"{entry.algorithm}:{entry.digest.hex()}"


def _ground(entry: Listed, certificate: Certificate, claimed: Claimed) -> Ground:
    return Ground(
        database=entry.database,
        kind="certificate hash" if entry.of_certificate else "certificate",
        name=str(certificate),
        source=entry.source,
        entry=entry.entry,
        authority=name_of(certificate),
        signature=claimed.name,
        signer=str(claimed.leaf),
    )

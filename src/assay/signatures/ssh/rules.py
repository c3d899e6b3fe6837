"""When an SSH signature that is cryptographically right does not count, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from assay.model.codes import trust as codes
from assay.model.finding import Code
from assay.model.signature import Key, Status
from assay.signatures.ssh.allowed_signers import Entry
from assay.signatures.ssh.certificate import USER, Certificate, moment
from assay.signatures.ssh.keys import USER_PRESENT, USER_VERIFIED
from assay.signatures.ssh.patterns import in_list, literals
from assay.signatures.ssh.revocation import KEY_SCHEME as REVOKED_SCHEME
from assay.signatures.ssh.sshsig import Parsed
from assay.signatures.trial import printable

DEMAND = "ssh-namespace"
NAMESPACE = "file"
"""What signatures have to be for, unless the user asks for something else."""


class Problem(Struct, frozen=True):
    """Why a signature does not count."""

    code: Code
    reason: str
    expected: str = ""
    actual: str = ""
    status: Status = Status.INVALID


def problem_with(
    parsed: Parsed, key: Key, right: bool | None, keys: Sequence[Key], at: datetime
) -> Problem | None:
    """What keeps ``key`` from vouching by a signature; None when nothing does.

    ``right`` is whether the signature matches the bytes (None when they could not be measured);
    ``keys`` are all that the user gave, lists of revoked ones among them.
    """
    if right is None:
        reason = "what it signs could not be measured"
        return Problem(codes.SIGNATURE_UNCHECKED, reason, status=Status.UNCHECKED)
    if not right:
        return Problem(codes.SIGNATURE_INVALID, "the signature does not match")
    certificate = parsed.certificate
    for other in keys:
        if other.scheme == REVOKED_SCHEME:
            reason = other.material.reason(parsed.key, certificate)
            if reason:
                return Problem(codes.KEY_REVOKED, reason, status=Status.NOT_VALID_NOW)
    return (
        _wrong_purpose(parsed, key)
        or _out_of_time(key.material, at)
        or (_wrong_certificate(parsed, certificate, key.material, at) if certificate else None)
        or _without_user(parsed, key.material)
    )


def _wrong_purpose(parsed: Parsed, key: Key) -> Problem | None:
    wanted = key.demands.get(DEMAND, NAMESPACE)
    namespace = parsed.namespace
    shown = printable(namespace, 100)
    if namespace != wanted:
        return Problem(
            codes.KEY_NOT_PERMITTED,
            f"made for the namespace {shown!r}, not {wanted!r}",
            f"namespace {wanted}",
            f"namespace {shown}",
        )
    entry: Entry = key.material
    if entry.namespaces is not None and not in_list(namespace, entry.namespaces):
        return Problem(
            codes.SIGNER_NOT_PERMITTED,
            f"line {entry.line} of the allowed signers does not permit the namespace {shown!r}",
            f"one of {printable(entry.namespaces, 200)}",
            f"namespace {shown}",
        )
    return None


def _out_of_time(entry: Entry, at: datetime) -> Problem | None:
    now = int(at.timestamp())
    early = entry.valid_after is not None and now < entry.valid_after
    late = entry.valid_before is not None and now > entry.valid_before
    if not (early or late):
        return None
    limit = entry.valid_after if early else entry.valid_before
    word = "after" if early else "before"
    return Problem(
        codes.KEY_EXPIRED,
        f"line {entry.line} of the allowed signers is valid {word} {moment(limit or 0)} only",
        f"{word} {moment(limit or 0)}",
        moment(now),
        Status.NOT_VALID_NOW,
    )


def _wrong_certificate(
    parsed: Parsed, certificate: Certificate, entry: Entry, at: datetime
) -> Problem | None:
    if certificate.kind != USER:
        return Problem(
            codes.KEY_NOT_PERMITTED,
            "the certificate is not one of a user",
            "a user certificate",
            "a host certificate" if certificate.kind == 2 else f"kind {certificate.kind}",
        )
    # force-command and source-address narrow what may be done at a login. A certificate with
    # such a bound was not given to vouch for files, and unknown ones must never be passed over.
    unmet = [name for name in certificate.options if name != "verify-required"]
    if unmet:
        shown = printable(", ".join(unmet), 200)
        return Problem(
            codes.KEY_NOT_PERMITTED,
            f"the certificate is restricted by the critical option {shown}",
            "a certificate without such restrictions",
            shown,
        )
    if not certificate.valid_at(at):
        return Problem(
            codes.KEY_EXPIRED,
            f"the certificate is valid {certificate.validity} only",
            certificate.validity,
            moment(int(at.timestamp())),
            Status.NOT_VALID_NOW,
        )
    if not names_of(parsed, entry, ()):
        shown = printable(", ".join(certificate.principals), 200) or "none"
        return Problem(
            codes.SIGNER_NOT_PERMITTED,
            f"the authority of line {entry.line} may not vouch for the principals of the"
            f" certificate ({shown})",
            f"one of {printable(entry.principals or 'no principals', 200)}",
            shown,
        )
    return None


def _without_user(parsed: Parsed, entry: Entry) -> Problem | None:
    certificate = parsed.certificate
    if parsed.key.application is None:
        if certificate is not None and "verify-required" in certificate.options:
            return Problem(
                codes.KEY_NOT_PERMITTED,
                "the certificate asks for a security key, and the key is none",
            )
        return None
    flags = parsed.signature.untrusted_flags
    untouched_allowed = not entry.touch_required or (
        certificate is not None and "no-touch-required" in certificate.extensions
    )
    if not flags & USER_PRESENT and not untouched_allowed:
        return Problem(codes.USER_PRESENCE_MISSING, "the security key was not touched")
    verify = certificate is not None and "verify-required" in certificate.options
    if verify and not flags & USER_VERIFIED:
        return Problem(
            codes.USER_PRESENCE_MISSING,
            "the certificate asks for a PIN or fingerprint, and the security key was not given one",
        )
    return None


def names_of(parsed: Parsed, entry: Entry, asked: Sequence[str]) -> list[str]:
    """The names that an entry proves of the signer: those of its certificate that the entry
    lets it vouch for, or the entry's own, of which a pattern proves each name asked for."""
    if entry.principals is None:
        return []
    if parsed.certificate is not None:
        names = parsed.certificate.principals
        return [name for name in names if in_list(name, entry.principals)]
    listed = [name for name in asked if name and in_list(name, entry.principals)]
    return literals(entry.principals) + listed

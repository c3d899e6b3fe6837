"""What a certificate's own statements mean at a time: which self-signature counts, when its keys
expire, what they may be used for, whether they are revoked, and whose they are.

All of it is judged at the effective time. Statements made later do not count yet, but for hard
revocations, after which nothing that the key ever signed can be believed (RFC 9580 section
5.2.3.31).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from assay.model.codes import openpgp as own_codes
from assay.model.codes import trust as codes
from assay.model.finding import Code
from assay.model.signature import Status
from assay.signatures.openpgp.bindings import Bindings, BoundSubkey, BoundUserId
from assay.signatures.openpgp.keys import KeyPacket
from assay.signatures.openpgp.signature import SignaturePacket

_MAY_SIGN = 0x02
_SOFT = {1: "superseded", 3: "retired"}
_HARD = {2: "compromised"}
_ADDRESS = re.compile(r"(?:[^<>]*<)?([^<>\s@]+@[^<>\s@]+)(>?)")


class Problem(Struct, frozen=True):
    """Why a signature does not count."""

    code: Code
    reason: str
    expected: str = ""
    actual: str = ""
    status: Status = Status.NOT_VALID_NOW


class Standing(Struct, frozen=True):
    """What holds of a key: when it expires (None for never) and its flags (None for not said)."""

    expires: int | None
    flags: bytes | None


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def problem_with_key(
    bindings: Bindings, key: KeyPacket, signed_at: int, at: int, revoked_by_others: Revoked
) -> Problem | None:
    """What keeps a key of the certificate from vouching by a signature of the time ``signed_at``;
    None when nothing does. Times are seconds since 1970."""
    primary = bindings.primary
    subkey = next((found for found in bindings.subkeys if found.key is key), None)
    revocations = [*bindings.revocations, *revoked_by_others(None)]
    if problem := _revoked(revocations, at, "the primary key" if subkey else "the key"):
        return problem
    standing = primary_standing(bindings, at)
    if isinstance(standing, Problem):
        return standing
    standings = [(primary, standing, "the primary key" if subkey else "the key")]
    if subkey is not None:
        revocations = [*subkey.revocations, *revoked_by_others(key)]
        if problem := _revoked(revocations, at, "the subkey"):
            return problem
        bound = _subkey_standing(bindings, subkey, at)
        if isinstance(bound, Problem):
            return bound
        standings.append((key, bound, "the subkey"))
    if problem := _may_sign(standings[-1][1]):
        return problem
    return _out_of_time(standings, signed_at, at)


Revoked = Callable[[KeyPacket | None], Sequence[SignaturePacket]]
"""Revocations by designated revokers, of a subkey or (None) of the certificate."""


def _revoked(revocations: Iterable[SignaturePacket], at: int, what: str) -> Problem | None:
    for revocation in revocations:
        code, text = revocation.subpackets.reason or (0, "")
        if code in _SOFT and revocation.created > at:
            continue
        word = _SOFT.get(code) or _HARD.get(code) or "no reason given"
        said = f", {text!r}" if text else ""
        return Problem(
            codes.KEY_REVOKED,
            f"{what} was revoked on {moment(revocation.created)} ({word}{said})",
            "a key that is not revoked",
            f"revoked: {word}",
        )
    return None


def primary_standing(bindings: Bindings, at: int) -> Standing | Problem:
    """What the primary key says of itself: in the self-signature of its primary user ID and, for
    what that one does not say, in the one over the key itself, which version 6 must have."""
    primary = bindings.primary
    direct = _latest(bindings.direct, primary, at)
    named = valid_user_ids(bindings, at)
    statements = [direct] if direct is not None else []
    if primary.version != 6 and named:
        statements.insert(0, named[0][1])
    if not statements:
        return _unbound(
            bindings,
            [*bindings.direct, *(s for u in bindings.user_ids for s in u.certifications)],
            at,
            "the primary key has no valid signature over itself"
            if primary.version == 6
            else "no user ID of the certificate has a valid signature by its own key",
        )
    return _standing(primary, statements)


def _subkey_standing(bindings: Bindings, subkey: BoundSubkey, at: int) -> Standing | Problem:
    pairs = {id(binding): back for binding, back in subkey.bindings}
    latest = _latest([binding for binding, _ in subkey.bindings], subkey.key, at)
    if latest is None:
        made = [binding for binding, _ in subkey.bindings]
        return _unbound(bindings, made, at, "the primary key did not sign the subkey as its own")
    standing = _standing(subkey.key, [latest])
    if _may_sign(standing) is None and not any(
        _counts(back, subkey.key, at) for back in pairs[id(latest)]
    ):
        return Problem(
            own_codes.KEY_NOT_BOUND,
            "the subkey did not sign the primary key in return, so that anyone may have taken it"
            " into a certificate",
            "a primary key binding signature (type 0x19) by the subkey",
            "none that is right and valid",
            Status.INVALID,
        )
    return standing


def _standing(key: KeyPacket, statements: Sequence[SignaturePacket]) -> Standing:
    said = [statement.subpackets for statement in statements]
    period = next((one.key_expires for one in said if one.key_expires is not None), None)
    flags = next((one.key_flags for one in said if one.key_flags is not None), None)
    return Standing(key.created + period if period else None, flags)


def _unbound(bindings: Bindings, made: Sequence[SignaturePacket], at: int, reason: str) -> Problem:
    if made and all(signature.created > at for signature in made):
        first = min(signature.created for signature in made)
        reason += f" at the time asked: its first is of {moment(first)}"
    elif bindings.weak:
        weak = bindings.weak[-1]
        reason += f": one is over {weak.hash.name.upper()}, and of {moment(weak.created)}"
    return Problem(own_codes.KEY_NOT_BOUND, reason, status=Status.INVALID)


def _may_sign(standing: Standing) -> Problem | None:
    flags = standing.flags
    if flags is None:
        return Problem(
            codes.KEY_NOT_PERMITTED,
            "the certificate does not say what the key is for",
            "the key flag for signing (0x02)",
            "no key flags",
            Status.INVALID,
        )
    if not (flags and flags[0] & _MAY_SIGN):
        return Problem(
            codes.KEY_NOT_PERMITTED,
            "by its own certificate the key is not for signing",
            "the key flag for signing (0x02)",
            f"key flags 0x{flags.hex() or '00'}",
            Status.INVALID,
        )
    return None


def _out_of_time(
    standings: Sequence[tuple[KeyPacket, Standing, str]], signed_at: int, at: int
) -> Problem | None:
    for key, _, what in standings:
        if signed_at < key.created:
            return Problem(
                own_codes.SIGNATURE_BEFORE_KEY,
                f"the signature is of {moment(signed_at)}, and {what} of {moment(key.created)}",
                f"after {moment(key.created)}",
                moment(signed_at),
                Status.INVALID,
            )
    for _, standing, what in standings:
        expires = standing.expires
        if expires is not None and at >= expires:
            when = "before" if signed_at < expires else "after"
            return Problem(
                codes.KEY_EXPIRED,
                f"{what} expired on {moment(expires)}; the signature was made {when} that",
                f"a key valid on {moment(at)}",
                f"valid until {moment(expires)}",
            )
    return None


def valid_user_ids(bindings: Bindings, at: int) -> list[tuple[BoundUserId, SignaturePacket]]:
    """The user IDs (no pictures) that the certificate goes by at the time, each with the
    self-signature that counts; the primary one first."""
    found = []
    for user_id in bindings.user_ids:
        latest = _latest(user_id.certifications, bindings.primary, at)
        if latest is None or user_id.is_attribute:
            continue
        revoked = (made.created for made in user_id.revocations if made.created <= at)
        if max(revoked, default=-1) < latest.created:
            found.append((user_id, latest))
    found.sort(key=lambda pair: (bool(pair[1].subpackets.primary_user_id), pair[1].created))
    return found[::-1]


def names_of(bindings: Bindings, at: int) -> list[str]:
    """The names that the certificate proves: each valid user ID in full, and the mail address in
    it, where it is of the usual form ``Name <address>``."""
    names: dict[str, None] = {}
    for user_id, _ in valid_user_ids(bindings, at):
        try:
            text = user_id.text.decode("utf-8")
        except UnicodeDecodeError:
            continue
        names[text] = None
        if (found := _ADDRESS.fullmatch(text)) and ("<" in text) == bool(found[2]):
            names[found[1]] = None
    return list(names)


def _latest(made: Iterable[SignaturePacket], key: KeyPacket, at: int) -> SignaturePacket | None:
    counting = [signature for signature in made if _counts(signature, key, at)]
    return max(counting, key=lambda signature: signature.created, default=None)


def _counts(signature: SignaturePacket, key: KeyPacket, at: int) -> bool:
    """Whether a right self-signature counts at a time."""
    expires = signature.expires
    return (
        key.created <= signature.created <= at
        and (expires is None or expires > at)
        and not signature.subpackets.critical_unknown
    )

"""Whether the word of an anchor counts: in its time, and not revoked. Pure; time is a value.

A signature is as old as somebody other than its maker says (a time stamping authority, a log): the
holder of a stolen key writes whatever time into it. Without such a proof it was made now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from assay.model.anchor import Signer
from assay.policy.anchors import Anchor, Material, Revoked
from assay.policy.model import Policy

CERTIFICATE = "certificate"
"""The note of a voucher that has the fingerprint of the signer's certificate."""


class SignedTime(Struct, frozen=True):
    """When a signature was made at the latest, and whether that is proven."""

    time: datetime
    proven: bool

    @classmethod
    def of(cls, signer: Signer | None, at: datetime) -> SignedTime:
        """The time of a signature that is judged at ``at``."""
        if signer is None or not signer.signed_at or not has_proven_time(signer):
            return cls(at, False)
        found = datetime.fromisoformat(signer.signed_at.replace("Z", "+00:00"))
        return cls(found if found.tzinfo else found.replace(tzinfo=UTC), True)


def has_proven_time(signer: Signer) -> bool:
    """Whether somebody other than the signer says when the signature was made."""
    return bool(signer.signed_at) and not signer.time_source.startswith(
        ("signer", "trusted comment")
    )


def fault_of(
    policy: Policy,
    name: str,
    at: datetime,
    signer: Signer | None = None,
    notes: Mapping[str, str] | None = None,
) -> str:
    """Why the word of the anchor ``name`` does not count, in a few words; empty where it does.
    ``signer`` is None for an anchor that signs nothing (a digest); ``notes`` are the voucher's."""
    anchor = policy.anchors.get(name)
    if anchor is None:
        return f"the policy has no anchor {name}"
    signed = SignedTime.of(signer, at)
    if fault := outside_of(anchor, signed):
        return fault
    for each in policy.revoked:
        if _concerns(each, name, signer, notes or {}) and _counts(each, signed):
            return f"revoked{_since(each)}: {each.reason}"
    return ""


def outside_of(window: Anchor | Material, signed: SignedTime) -> str:
    """Whether a signature was made before or after the time in which it would count."""
    day = "%Y-%m-%d %H:%M UTC"
    how = "signed" if signed.proven else "no time of signing is proven, so now counts:"
    if window.valid_from is not None and signed.time < window.valid_from:
        return f"{how} {signed.time:{day}}, before {window.valid_from:{day}}"
    if window.valid_until is not None and signed.time >= window.valid_until:
        return f"{how} {signed.time:{day}}, not before {window.valid_until:{day}}"
    return ""


def revoked_digest(policy: Policy, digests: Iterable[str]) -> Revoked | None:
    """Which entry of the policy revokes one of these digests (``algorithm:hex``)."""
    known = set(digests)
    return next((each for each in policy.revoked if each.digest in known), None)


def _concerns(one: Revoked, name: str, signer: Signer | None, notes: Mapping[str, str]) -> bool:
    if one.anchor is not None:
        return one.anchor == name
    if signer is None:
        return False
    if one.identity is not None:
        return any(one.identity.matches(each) for each in (signer.identity, *signer.names))
    if one.certificate:
        shown = notes.get(CERTIFICATE, "").lower().replace(":", "").removeprefix("sha256")
        return shown == one.certificate.removeprefix("sha256:")
    return bool(one.key) and one.key.lower() == signer.key.lower()


def _counts(one: Revoked, signed: SignedTime) -> bool:
    return one.since is None or not signed.proven or signed.time >= one.since


def _since(one: Revoked) -> str:
    return f" since {one.since:%Y-%m-%d %H:%M UTC}" if one.since is not None else ""

"""Whether the word of an anchor counts: in its time, and not revoked. Pure; time is a value.

A signature is as old as somebody other than its maker says (a time stamping authority, a log): the
holder of a stolen key writes whatever time into it. Without such a proof it was made now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    source = signer.time_source
    return bool(signer.signed_at and source) and not source.startswith(
        ("signer", "trusted comment")
    )


class Standing:
    """What a policy says of the standing of its anchors, ready to be asked of many signatures."""

    def __init__(self, policy: Policy) -> None:
        self._anchors = policy.anchors
        self._by_anchor: dict[str, list[Revoked]] = {}
        self._by_key: dict[str, list[Revoked]] = {}
        self._by_certificate: dict[str, list[Revoked]] = {}
        self._by_name: list[Revoked] = []
        self._by_digest: dict[str, Revoked] = {}
        for one in policy.revoked:
            if one.anchor is not None:
                self._by_anchor.setdefault(one.anchor, []).append(one)
            elif one.identity is not None:
                self._by_name.append(one)
            elif one.digest is not None:
                self._by_digest.setdefault(one.digest, one)
            elif one.certificate:
                self._by_certificate.setdefault(_fingerprint(one.certificate), []).append(one)
            else:
                self._by_key.setdefault(one.key.lower(), []).append(one)
        windows = any(a.valid_from or a.valid_until for a in policy.anchors.values())
        self.says_nothing = not (policy.revoked or windows)
        """Whether every signature counts, and every digest."""

    def knows(self, name: str) -> bool:
        """Whether the policy has an anchor of this name."""
        return name in self._anchors

    def fault_of(
        self, name: str, at: datetime, signer: Signer | None = None, certificate: str = ""
    ) -> str:
        """Why the word of the anchor ``name`` does not count, in a few words; empty where it does.
        ``signer`` is None for an anchor that signs nothing (a digest); ``certificate`` is the
        fingerprint of the signer's, empty where there is none."""
        anchor = self._anchors.get(name)
        if anchor is None:
            return f"the policy has no anchor {name}"
        signed = SignedTime.of(signer, at)
        if fault := outside_of(anchor, signed):
            return fault
        for each in self._concerning(name, signer, certificate):
            if each.since is None or not signed.proven or signed.time >= each.since:
                since = f" since {each.since:%Y-%m-%d %H:%M UTC}" if each.since else ""
                return f"revoked{since}: {each.reason}"
        return ""

    def revoked_digest(self, digests: Iterable[str]) -> Revoked | None:
        """Which entry of the policy revokes one of these digests (``algorithm:hex``)."""
        if not self._by_digest:
            return None
        return next((self._by_digest[each] for each in digests if each in self._by_digest), None)

    def _concerning(self, name: str, signer: Signer | None, certificate: str) -> Iterator[Revoked]:
        yield from self._by_anchor.get(name, ())
        if signer is None:
            return
        yield from self._by_key.get(signer.key.lower(), ())
        if certificate:
            yield from self._by_certificate.get(_fingerprint(certificate), ())
        for one in self._by_name:
            assert one.identity is not None
            if any(one.identity.matches(each) for each in (signer.identity, *signer.names)):
                yield one


def _fingerprint(text: str) -> str:
    return text.lower().replace(":", "").removeprefix("sha256")


def outside_of(window: Anchor | Material, signed: SignedTime) -> str:
    """Whether a signature was made before or after the time in which it would count."""
    day = "%Y-%m-%d %H:%M UTC"
    how = "signed" if signed.proven else "no time of signing is proven, so now counts:"
    if window.valid_from is not None and signed.time < window.valid_from:
        return f"{how} {signed.time:{day}}, before {window.valid_from:{day}}"
    if window.valid_until is not None and signed.time >= window.valid_until:
        return f"{how} {signed.time:{day}}, not before {window.valid_until:{day}}"
    return ""

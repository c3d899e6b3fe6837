"""Who is trusted for Notary signatures, and how strictly: the values that a trust policy and its
trust stores come to (notaryproject/specifications, trust-store-trust-policy.md)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from assay.cms.timestamp import TimeAuthority
from assay.x509.certificate import Certificate
from assay.x509.names import Name, short_name

POLICY_SCHEME = "notary-policy"
"""The `Key.scheme` of a trust policy; the material is a `Policy`."""


class Action(Enum):
    """What becomes of a signature that fails a check."""

    ENFORCE = "enforce"
    LOG = "log"
    SKIP = "skip"


class Stamp(Enum):
    """When a time stamp has to prove that the signature is older than its certificates' end."""

    IF_PRESENT = "if present"
    """A time stamp that is there and right is believed; without one, now counts."""

    ALWAYS = "always"
    AFTER_EXPIRY = "afterCertExpiry"


class Subject(Struct, frozen=True):
    """A signer's name in part: its subject has to have all of these attributes."""

    attributes: tuple[tuple[str, str], ...]

    def matches(self, name: Name) -> bool:
        """Whether a subject has them. One that has an attribute twice, or two in one part, matches
        nothing: which of them counts is not defined."""
        found: dict[str, str] = {}
        for part in name.parts:
            kind = short_name(part[0].oid)
            if len(part) != 1 or part[0].text is None or kind in found:
                return False
            found[kind] = part[0].text
        return all(found.get(kind) == value for kind, value in self.attributes)

    def __str__(self) -> str:
        return ", ".join(f"{kind}={value}" for kind, value in self.attributes)


class Rules(Struct, frozen=True):
    """How strictly the checks are meant that can be relaxed. With ``must_ask`` a certificate that
    says where to ask whether it was revoked has to be asked about."""

    validity: Action = Action.ENFORCE
    expiry: Action = Action.ENFORCE
    revocation: Action = Action.ENFORCE
    stamp: Stamp = Stamp.IF_PRESENT
    must_ask: bool = False


class Policy(Struct, frozen=True):
    """Who is trusted. ``authorities`` are those of each signing scheme, by its name; a scheme
    without any is not trusted. ``time_authorities`` None means those that the user gave for all
    signatures. Without ``subjects`` any name will do. ``believe_time`` believes the time that a
    signing authority states."""

    authorities: Mapping[str, tuple[Certificate, ...]]
    time_authorities: tuple[TimeAuthority, ...] | None = None
    subjects: tuple[Subject, ...] = ()
    rules: Rules = Rules()
    believe_time: bool = True

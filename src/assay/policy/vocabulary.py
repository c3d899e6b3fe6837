"""The words that a policy is made of: names, patterns, ages, moments, and trees of signers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from assay.model.demand import AtLeast, Part, Vouches
from assay.model.identity import NamePattern


class Entry(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One mapping of the document; names of fields have dashes there (``at-least``). Of the fields
    in ``ONE_OF`` exactly one is given; those in ``NEEDS`` only with one of the fields named."""

    ONE_OF: ClassVar[tuple[str, ...]] = ()
    NEEDS: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


def about(text: str, **bounds: Any) -> Meta:
    """What a field is, for people, and what it may hold."""
    return Meta(description=text, **bounds)


Text = Annotated[str, Meta(min_length=1, max_length=4096)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$")]
"""What an anchor, a rule or a trusted root is called. It is used in messages and in other places of
the policy."""

PATTERNS = """A name is matched in full. ``*`` stands for any characters but ``/`` and ``**`` for
any characters, and everything else for itself; ``regex:`` in front makes a regular expression."""
Pattern = NamePattern

AGES = """A length of time is like ``90 minutes``, ``36 hours``, ``7 days``, ``2 weeks``, or like
``90m``, ``36h``, ``7d``, ``2w``."""
Age = timedelta


def pattern(text: str) -> NamePattern:
    """A pattern as a policy writes it. Raises ValueError, saying what is wrong."""
    if text.startswith(("glob:", "regex:")) or "*" not in text:
        return NamePattern.parse(text)
    if "?" not in text:
        return NamePattern.parse(f"glob:{text}")
    wild = {"**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*|\*)", text)
    inner = "".join(wild.get(part) or re.escape(part) for part in parts)
    return NamePattern.parse(f"regex:(?s:{inner})")


AGE_FORM = r"^[1-9][0-9]{0,5} ?(m|h|d|w|minutes?|hours?|days?|weeks?)$"
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([0-9]+) ?([a-z])")


def age(text: str) -> timedelta:
    """A length of time. Raises ValueError, saying what is expected."""
    found = _AGE.match(text)
    if re.fullmatch(AGE_FORM, text) is None or found is None:
        raise ValueError("not a length of time such as 36 hours, 7 days or 2 weeks")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


MOMENTS = """A moment is a date (its beginning in UTC), or a date and time with an offset (RFC
3339). What is valid until a moment, or expires at it, is over then."""
MOMENT_FORM = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$"
)


def moment(text: str) -> datetime:
    """A moment, in UTC: a date (its beginning), or a date and time with an offset (RFC 3339).
    Raises ValueError, saying what is wrong."""
    if re.fullmatch(MOMENT_FORM, text) is None:
        raise ValueError("not a date such as 2026-03-31, or 2026-03-31T17:00:00Z")
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("no such day") from None


class Purpose(Enum):
    """What an anchor's word counts for."""

    IMAGE = "image"
    """That the image is what its publisher made."""

    PROVENANCE = "provenance"
    SBOM = "sbom"
    SCAN = "scan"
    VEX = "vex"
    SUMMARY = "summary"
    STATEMENT = "statement"
    """Any other statement about the image."""

    BREAK_GLASS = "break-glass"
    """That an image may be used in spite of the rules."""


class SignerGroup(Entry, frozen=True):
    """Several signers: all of them, any one of them, or at least so many. Exactly one of ``all``,
    ``any`` and ``at-least`` (with ``of``) is given. With ``at-least`` each one that counts has to
    be another person: a signer counts once, by however many anchors."""

    ONE_OF = ("all", "any", "at-least")
    NEEDS = MappingProxyType({"at-least": ("of",), "of": ("at-least",)})

    all: Annotated[tuple[Signers, ...], about("Each of these signs.", min_length=1)] | None = None
    any: Annotated[tuple[Signers, ...], about("One of these signs.", min_length=1)] | None = None
    at_least: Annotated[int, about("So many different signers of `of`.", ge=1, le=100)] | None = (
        None
    )
    of: Annotated[tuple[Signers, ...], about("Whom at-least counts.", min_length=1)] | None = None

    @property
    def members(self) -> tuple[Signers, ...]:
        """Whom this is about, whichever way they are asked for."""
        return self.all or self.any or self.of or ()


Signers = Name | SignerGroup
"""Who has to sign: the name of an anchor, or a group of such, which may hold groups."""


def demand_of(signers: Signers) -> Part:
    """Who has to sign, as the demand that appraisal knows; its anchors are names of anchors."""
    if isinstance(signers, str):
        return Vouches(signers)
    parts = tuple(demand_of(each) for each in signers.members)
    if signers.at_least is not None:
        return AtLeast(signers.at_least, parts, apart=True)
    return AtLeast(1 if signers.any else len(parts), parts)


def anchors_in(signers: Signers | None) -> list[str]:
    """The names of all anchors in it, each once."""
    if signers is None:
        return []
    if isinstance(signers, str):
        return [signers]
    return list(dict.fromkeys(name for each in signers.members for name in anchors_in(each)))

"""Demands: what a policy asks of an image, where that is more than one anchor of each kind."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Vouches(Struct, frozen=True, tag="vouches"):
    """This anchor vouches for the image as a whole."""

    anchor: str


class NotCarried(Struct, frozen=True, tag="not-carried"):
    """Something that cannot be checked; ``reason`` says what, where it stands, and why. Whether it
    is met is never known."""

    reason: str


class AtLeast(Struct, frozen=True, tag="at-least"):
    """``count`` of ``parts`` are met. Where that is fewer than all, or ``apart`` is set, each part
    that counts needs a signer of its own: a person counts once, by however many anchors."""

    count: int
    parts: tuple[Vouches | NotCarried | AtLeast, ...]
    apart: bool = False

    @property
    def counts_signers(self) -> bool:
        return self.apart or self.count < len(self.parts)


Part = Vouches | NotCarried | AtLeast


class Word(Enum):
    """What the word of an anchor in a demand counts for."""

    ASKED = "asked"
    """What the demand asks for: a policy names the documents, reports among them."""

    IMAGE = "image"
    """The image, by signatures and statements that vouch for it; a report vouches for nothing."""

    STATEMENTS = "statements"
    """Statements alone. It says nothing of the image itself, and binds no byte of it."""

    ASIDE = "aside"
    """The image, for a rule that asks for this word. It binds no byte."""


class Demand(Struct, frozen=True):
    """``what`` has to be met, for each part of the image that stands for it. Its anchors are those
    of the group ``group``; ``where`` is the place in the policy, for people. With ``advisory``
    it only warns. ``word`` is what the anchors' word counts for."""

    group: str
    where: str
    what: Part
    advisory: bool = False
    word: Word = Word.ASKED


NOTHING = AtLeast(0, ())
"""Nothing is asked for: a demand that says what the word of anchors counts for, and leaves to a
policy what to ask of them."""


def all_of(*parts: Part) -> Part:
    """All of these."""
    return parts[0] if len(parts) == 1 else AtLeast(len(parts), parts)


def any_of(*parts: Part) -> Part:
    """One of these."""
    return parts[0] if len(parts) == 1 else AtLeast(1, parts)


def not_carried(part: Part) -> list[str]:
    """The reasons of all that cannot be checked."""
    if isinstance(part, NotCarried):
        return [part.reason]
    if isinstance(part, Vouches):
        return []
    return [reason for each in part.parts for reason in not_carried(each)]


def without_not_carried(part: Part) -> Part:
    """The demand without what cannot be checked, where the user accepts that: all that *can* be
    checked is asked for still. Of alternatives, those that are left have to do, in the same
    number; a demand of which nothing is left stays as it is."""
    if not isinstance(part, AtLeast) or part.count > len(part.parts):
        return part  # more than there are: nothing ever meets that, and leaving out must not
    left = tuple(
        each
        for each in (without_not_carried(one) for one in part.parts)
        if not isinstance(each, NotCarried)
    )
    if left == part.parts:
        return part  # as it is: a group of one counts as a group
    if not left:
        return NotCarried("; ".join(not_carried(part)) or "nothing is asked for")
    if not part.counts_signers:
        return all_of(*left)
    # signers that were counted still are, also where no more parts are left than are asked for
    return part if len(left) < part.count else AtLeast(part.count, left, apart=True)

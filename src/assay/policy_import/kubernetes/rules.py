"""What a policy for a cluster comes to: rules, each for some images, and what each asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from assay.model.anchor import Anchor
from assay.model.codes import policy as codes
from assay.model.demand import AtLeast, Demand, NotCarried, Part, Vouches
from assay.model.finding import Finding
from assay.model.signature import Key
from assay.policy_import.kubernetes.names import ImageNames, Selection
from assay.policy_import.kubernetes.signers import NotUsableError, Signer
from assay.policy_import.model import Meaning
from assay.trust.requirements import Requirement

if TYPE_CHECKING:
    from assay.trust.documents import DocumentRule


class Signed(Struct, frozen=True):
    """A signature by ``signer`` over a document that ``documents`` admits; ``what`` says which, for
    people. ``repository`` is where it is kept, if not with the image."""

    where: str
    line: int
    what: str
    signer: Signer
    documents: DocumentRule
    repository: str = ""

    def describe(self) -> str:
        kept = f", kept in {self.repository}" if self.repository else ""
        return f"{self.what} by {self.signer.describe()}{kept}"


class Lost(Struct, frozen=True):
    """Something that cannot be carried over, and why."""

    where: str
    line: int
    reason: str

    def describe(self) -> str:
        return f"{self.where} (line {self.line}): {self.reason}"


class Anything(Struct, frozen=True):
    """Met by any image."""

    where: str
    line: int


class Nothing(Struct, frozen=True):
    """Met by no image. ``message`` is the policy's own."""

    where: str
    line: int
    message: str = ""


class Several(Struct, frozen=True):
    """``count`` of ``parts``."""

    count: int
    parts: tuple[Asked, ...]


Asked = Signed | Lost | Anything | Nothing | Several


def every(parts: Sequence[Asked]) -> Asked:
    return parts[0] if len(parts) == 1 else Several(len(parts), tuple(parts))


def some(parts: Sequence[Asked]) -> Asked:
    return parts[0] if len(parts) == 1 else Several(1, tuple(parts))


def leaves(asked: Asked) -> Iterator[Signed | Lost | Anything | Nothing]:
    """All that is asked, one by one."""
    if isinstance(asked, Several):
        for part in asked.parts:
            yield from leaves(part)
    else:
        yield asked


class Rule(Struct, frozen=True):
    """What is ``asked`` of the images of a ``selection``; with ``advisory`` it only warns.
    ``scope`` names it; ``notes`` are what stands there and concerns no signature."""

    scope: str
    selection: Selection
    asked: Asked
    advisory: bool = False
    notes: tuple[Meaning, ...] = ()

    def meanings(self) -> Iterator[Meaning]:
        """What it asks for, in words."""
        about = self.selection.describe()
        if self.advisory:
            about += "; one that does not meet it is only warned about"
        yield Meaning(self.scope, about, True, self.scope, aside=True)
        yield from self._asked(self.asked, "")
        yield from self.notes

    def _asked(self, asked: Asked, of: str) -> Iterator[Meaning]:
        """``of`` says, of how many alternatives it is one."""
        match asked:
            case Several():
                if asked.count < len(asked.parts):
                    of += f"({asked.count} of {len(asked.parts)}) "
                for part in asked.parts:
                    yield from self._asked(part, of)
            case Signed():
                yield Meaning(asked.where, of + asked.describe(), True, self.scope, asked.line)
            case Lost():
                yield Meaning(asked.where, of + asked.reason, False, self.scope, asked.line)
            case Anything():
                text = f"{of}anything is let in, signed or not"
                yield Meaning(asked.where, text, True, self.scope, asked.line)
            case Nothing():
                yield Meaning(asked.where, f"{of}nothing is let in", True, self.scope, asked.line)


class Outcome(Struct):
    """What the rules for one image come to, as it grows."""

    requirements: list[Requirement]
    demands: list[Demand]
    findings: list[Finding]
    repositories: list[str]


def apply_rules(rules: Sequence[Rule], names: ImageNames, lent: Sequence[Key]) -> Outcome:
    """What the rules ask of an image; all of them count. ``lent`` is as in `Policy.apply`."""
    outcome = Outcome([], [], [], [])
    for rule in rules:
        _Builder(outcome, rule, lent).add(unsure=rule.selection.matches(names) is None)
    return outcome


class _Builder:
    """Makes a demand, and the requirements in it, of one rule."""

    def __init__(self, outcome: Outcome, rule: Rule, lent: Sequence[Key]) -> None:
        self._outcome, self._rule, self._lent = outcome, rule, lent

    def add(self, *, unsure: bool) -> None:
        asked, advisory = self._rule.asked, self._rule.advisory
        if unsure:
            lost = Lost(self._rule.scope, 0, "nobody knows whether it is about this image")
            asked = every([asked, lost])
        met = _decided(asked)
        if met is False:
            message = "; ".join(
                leaf.message for leaf in leaves(asked) if isinstance(leaf, Nothing) and leaf.message
            )
            self._outcome.findings.append(
                Finding.of(codes.POLICY_REJECTS, detail=f"{self._rule.scope}: {message or 'fail'}")
            )
            return
        if met:
            # signatures still count for the image, though none is asked for
            self._outcome.findings.append(
                Finding.of(codes.POLICY_ACCEPTS_ANYTHING, detail=self._rule.scope)
            )
            signed = [leaf for leaf in leaves(asked) if isinstance(leaf, Signed)]
            asked, advisory = some(signed) if signed else asked, True
        what = self._part(asked)
        if what is not None:
            self._outcome.demands.append(Demand(self._rule.scope, self._rule.scope, what, advisory))

    def _part(self, asked: Asked) -> Part | None:
        """The demand; None for what asks for nothing that could be."""
        match asked:
            case Signed():
                return self._signed(asked)
            case Lost():
                return NotCarried(asked.describe())
            case Several():
                open_ = [each for each in asked.parts if _decided(each) is None]
                left = tuple(part for each in open_ if (part := self._part(each)) is not None)
                count = asked.count - sum(_decided(each) is True for each in asked.parts)
                if count <= 0:
                    return None
                return left[0] if len(left) == count == 1 else AtLeast(count, left)
        return None

    def _signed(self, asked: Signed) -> Part:
        outcome = self._outcome
        where = f"{asked.where} (line {asked.line})"
        anchor = Anchor(
            f"policy:{len(outcome.requirements) + 1}",
            asked.signer.kind,
            f"{asked.describe()}, asked for at {where}",
            self._rule.scope,
        )
        try:
            keys = asked.signer.keys(anchor.id, self._lent)
        except NotUsableError as error:
            return NotCarried(f"{where}: {asked.describe()}: {error}")
        if asked.repository:
            outcome.repositories.append(asked.repository)
        outcome.requirements.append(
            Requirement(anchor, keys, asked.signer.schemes, asked.documents)
        )
        return Vouches(anchor.id)


def _decided(asked: Asked) -> bool | None:
    """Whether it is met by any image (True), by none (False), or as signatures have it (None)."""
    match asked:
        case Anything():
            return True
        case Nothing():
            return False
        case Several():
            answers = [_decided(part) for part in asked.parts]
            if answers.count(True) >= asked.count:
                return True
            return None if answers.count(True) + answers.count(None) >= asked.count else False
    return None

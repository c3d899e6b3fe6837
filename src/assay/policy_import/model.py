"""What an importer of another tool's policy is. Importers are plugged in under the entry point
group ``assay.policies``, one module or package each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from assay.evidence.model import GivenFile
from assay.model.anchor import Anchor
from assay.model.codes.policy import POLICY_NOT_CARRIED
from assay.model.demand import Demand, not_carried, without_not_carried
from assay.model.digest import Digest
from assay.model.finding import Finding, Severity
from assay.model.signature import Key
from assay.trust.requirements import Requirement


class Meaning(Struct, frozen=True):
    """One requirement of a policy, in words. ``where`` is its place in the policy, ``carried``
    whether Assay can check it, ``text`` what it asks for, or why it cannot be checked. ``scope``
    is the part of the policy that it belongs to, ``line`` where it stands in the file (0 where
    that is not known). What stands ``aside`` concerns no signature, and nothing is lost by it."""

    where: str
    text: str
    carried: bool = True
    scope: str = ""
    line: int = 0
    aside: bool = False

    @property
    def lost(self) -> bool:
        """Whether the policy asks for something here that is not checked."""
        return not self.carried and not self.aside


class Applied(Struct, frozen=True):
    """What a policy asks of one image, all of which has to hold. ``scopes`` are the parts of the
    policy that apply; ``findings`` are what is decided without looking at any signature.
    ``demands`` say what is asked of the requirements whose anchors have their group; of other
    groups one anchor has to vouch. ``repositories`` are those in which signatures are kept apart
    from the image. ``anchors`` are those that sign nothing: ``documents`` are files of theirs whose
    word counts, ``digests`` are those of images."""

    scopes: tuple[str, ...]
    requirements: tuple[Requirement, ...] = ()
    findings: tuple[Finding, ...] = ()
    demands: tuple[Demand, ...] = ()
    repositories: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    documents: tuple[GivenFile, ...] = ()
    digests: Mapping[str, Digest] = {}


def what_can_be_checked(applied: Applied) -> Applied:
    """What a policy asks, without what cannot be checked, where the user accepts that; what is left
    out is a warning."""
    demands = tuple(
        replace(demand, what=without_not_carried(demand.what)) for demand in applied.demands
    )
    left_out = [
        reason
        for before, after in zip(applied.demands, demands, strict=True)
        for reason in not_carried(before.what)
        if reason not in not_carried(after.what)
    ]
    findings = [
        replace(each, severity=Severity.WARNING) if each.code == POLICY_NOT_CARRIED.name else each
        for each in applied.findings
    ]
    findings += [
        Finding.of(POLICY_NOT_CARRIED, detail=f"left out: {reason}", severity=Severity.WARNING)
        for reason in dict.fromkeys(left_out)
    ]
    return replace(applied, demands=demands, findings=tuple(findings))


class Policy(Protocol):
    """A policy that was read."""

    @property
    def format(self) -> str:
        """The name of the importer."""
        ...

    def apply(self, image: str, lent: Sequence[Key] = ()) -> Applied:
        """What the policy asks of the image of this name (as on the command line). ``lent`` is
        material of the user's that is no anchor (trusted roots, revocation lists), for what the
        policy leaves to who uses it. Raises UsageError for keys that cannot be read."""
        ...

    def meanings(self) -> list[Meaning]:
        """Every requirement of the policy. Raises nothing."""
        ...


class Around(Struct, frozen=True):
    """What a policy file has around it: the folder that it is in (None for a policy that is in no
    file), the trust stores that the user gave for it, and which of its policies the user
    chose."""

    folder: Path | None = None
    trust_store: Path | None = None
    chosen: str = ""


NOWHERE = Around()
"""For a policy that is in no file."""


class PolicyImporter(Protocol):
    """Reads one kind of policy."""

    @property
    def name(self) -> str: ...

    def recognise(self, data: bytes) -> bool:
        """Whether these bytes are such a policy, by content alone. Cheap; raises nothing."""
        ...

    def read(self, data: bytes, around: Around = NOWHERE) -> Policy:
        """Read a policy, all of it. Raises AssayError (malformed) for anything that is not as its
        grammar has it: a policy that is half understood protects nobody."""
        ...

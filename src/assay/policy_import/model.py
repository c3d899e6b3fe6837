"""What an importer of another tool's policy is. Importers are plugged in under the entry point
group ``assay.policies``, one module or package each."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from assay.model.finding import Finding
from assay.trust.requirements import Requirement


class Meaning(Struct, frozen=True):
    """One requirement of a policy, in words. ``where`` is its place in the policy, ``carried``
    whether Assay can check it, ``text`` what it asks for, or why it cannot be checked."""

    where: str
    text: str
    carried: bool = True


class Applied(Struct, frozen=True):
    """What a policy asks of one image, all of which has to hold. ``scope`` is the part of the
    policy that applies; ``findings`` are what is decided without looking at any signature."""

    scope: str
    requirements: tuple[Requirement, ...]
    findings: tuple[Finding, ...] = ()


class Policy(Protocol):
    """A policy that was read."""

    @property
    def format(self) -> str:
        """The name of the importer."""
        ...

    def apply(self, image: str) -> Applied:
        """What the policy asks of the image of this name (as on the command line). Raises
        UsageError for keys that cannot be read."""
        ...

    def meanings(self) -> list[Meaning]:
        """Every requirement of the policy. Raises nothing."""
        ...


class PolicyImporter(Protocol):
    """Reads one kind of policy."""

    @property
    def name(self) -> str: ...

    def recognise(self, data: bytes) -> bool:
        """Whether these bytes are such a policy, by content alone. Cheap; raises nothing."""
        ...

    def read(self, data: bytes) -> Policy:
        """Read a policy, all of it. Raises AssayError (malformed) for anything that is not as its
        grammar has it: a policy that is half understood protects nobody."""
        ...

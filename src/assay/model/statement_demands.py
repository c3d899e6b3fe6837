"""What may be asked of trusted statements, as values. Everything that is asked for has to hold for
each part of the image that stands for it as a whole."""

from __future__ import annotations

from msgspec import Struct

from assay.model.identity import NamePattern
from assay.model.statement import Rating


class Role(Struct, frozen=True):
    """Who may speak as whom: what calls itself ``id`` (None for any name) counts only if ``signer``
    (a proven name or key, and by ``issuer`` if one is given) or an anchor of ``operator`` vouches
    for the statement. ``level`` is the SLSA build level that the user grants a builder."""

    id: NamePattern | None
    signer: NamePattern | None = None
    issuer: NamePattern | None = None
    operator: str = ""
    level: int = 0


class Roles(Struct, frozen=True):
    """The user's table of roles. None for a role that is left open: every signer that is trusted
    may speak in it."""

    builders: tuple[Role, ...] | None = None
    verifiers: tuple[Role, ...] | None = None
    scanners: tuple[Role, ...] | None = None
    vex_authors: tuple[Role, ...] | None = None


class ProvenanceDemand(Struct, frozen=True):
    """What provenance has to say, all of it in one statement. Patterns for one thing are
    alternatives; of several sources each has to match one. ``parameters`` are by path, and
    ``only_parameters`` refuses those that none is about. ``level`` is by the table of roles."""

    builders: tuple[NamePattern, ...] = ()
    sources: tuple[NamePattern, ...] = ()
    refs: tuple[NamePattern, ...] = ()
    build_types: tuple[NamePattern, ...] = ()
    parameters: tuple[tuple[str, NamePattern], ...] = ()
    only_parameters: bool = False
    level: int = 0


class SummaryDemand(Struct, frozen=True):
    """What a verification summary that says ``PASSED`` has to say beside. ``levels`` all have to be
    reached; ``max_age`` is in seconds, None for any age."""

    verifiers: tuple[NamePattern, ...] = ()
    resources: tuple[NamePattern, ...] = ()
    policies: tuple[NamePattern, ...] = ()
    levels: tuple[str, ...] = ()
    max_age: float | None = None


class ScanDemand(Struct, frozen=True):
    """What scans may have found: nothing worse than ``worst`` (None for anything), in a scan no
    older than ``max_age`` seconds (None for any age). ``products`` are names by which VEX
    statements may mean the image, beside its digest. ``accepted`` are vulnerabilities, by id or
    alias, that the user takes on all the same."""

    worst: Rating | None = None
    max_age: float | None = None
    products: tuple[NamePattern, ...] = ()
    accepted: tuple[str, ...] = ()


class StatementDemands(Struct, frozen=True):
    """All that is asked of statements. ``types`` are kinds (``slsa-provenance``) or patterns for
    predicate types, each of which has to be there."""

    types: tuple[NamePattern, ...] = ()
    provenance: ProvenanceDemand | None = None
    summary: SummaryDemand | None = None
    scan: ScanDemand | None = None
    roles: Roles = Roles()

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.types or self.provenance or self.summary or self.scan)

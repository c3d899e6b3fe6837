"""Statements: signed documents that say something about an image, and what they say.

Facts are what a predicate says, as values. They are read only once somebody who is trusted vouches
for the statement; whoever reads them earlier has to call them untrusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from assay.model.anchor import Signer
from assay.model.finding import Finding


class Resource(Struct, frozen=True):
    """Something that a predicate names: by ``uri`` or ``name``, with its digests as text, each by
    its algorithm's name."""

    uri: str = ""
    name: str = ""
    digests: dict[str, str] = {}


class Source(Struct, frozen=True):
    """What was built. ``uri`` is without the revision, which is in ``ref`` (empty where it is not
    said); ``field`` is where in the predicate it stands."""

    uri: str
    ref: str = ""
    digests: dict[str, str] = {}
    field: str = ""


class Provenance(Struct, frozen=True, tag="provenance"):
    """How an image was built (SLSA provenance). ``parameters`` are those that come from outside
    the builder, by path (``workflow.ref``), with values that are no text as JSON. Times are RFC
    3339 in UTC, empty where they are not said, here and in all facts."""

    builder: str
    build_type: str
    sources: tuple[Source, ...] = ()
    parameters: dict[str, str] = {}
    dependencies: tuple[Resource, ...] = ()
    invocation: str = ""
    started: str = ""
    finished: str = ""


class Summary(Struct, frozen=True, tag="summary"):
    """That somebody verified the image (SLSA verification summary, in-toto simple verification
    result). ``result`` is ``PASSED`` for a yes; ``levels`` are the levels and properties that were
    verified; ``resource`` is what the image was verified as, empty where the kind has no such."""

    verifier: str
    result: str
    levels: tuple[str, ...] = ()
    policies: tuple[Resource, ...] = ()
    resource: str = ""
    verified: str = ""


class Rating(Enum):
    """How bad a vulnerability is, by the words of CVSS."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    """Not said, or not in a way that could be understood. Never taken for harmless."""


class Vulnerability(Struct, frozen=True):
    """One that a scan found; ``package`` is a package URL or a name, empty where it is not said."""

    id: str
    severity: Rating
    aliases: tuple[str, ...] = ()
    package: str = ""


class Scan(Struct, frozen=True, tag="scan"):
    """What a scan for vulnerabilities found, and when it ended."""

    scanner: str
    vulnerabilities: tuple[Vulnerability, ...] = ()
    finished: str = ""
    database: str = ""
    format: str = ""


class Product(Struct, frozen=True):
    """What an exploitability statement is about. ``names`` are identifiers of one thing,
    ``digests`` are by algorithm; ``parts`` narrow it to these packages in it, none to all."""

    names: tuple[str, ...] = ()
    digests: dict[str, str] = {}
    parts: tuple[str, ...] = ()


class Assessment(Struct, frozen=True):
    """Whether a vulnerability affects products: ``status`` is ``not_affected``, ``affected``,
    ``fixed`` or ``under_investigation``. No products are those that the whole statement is
    about."""

    vulnerability: str
    status: str
    aliases: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    justification: str = ""
    time: str = ""


class Exploitability(Struct, frozen=True, tag="vex"):
    """Vulnerability exploitability exchange (VEX). Of assessments without a time ``time`` is it."""

    author: str
    assessments: tuple[Assessment, ...] = ()
    time: str = ""


class Contents(Struct, frozen=True, tag="sbom"):
    """That the predicate is a software bill of materials. What it lists is compared elsewhere;
    ``assessments`` are those that CycloneDX lets it carry."""

    format: str
    version: str = ""
    name: str = ""
    created: str = ""
    assessments: tuple[Assessment, ...] = ()


class Annotations(Struct, frozen=True, tag="signature"):
    """A bare signature in the form of a statement, with what its maker noted about the image."""

    annotations: dict[str, str] = {}


class Link(Struct, frozen=True, tag="link"):
    """One step of a supply chain (in-toto link)."""

    step: str
    command: tuple[str, ...] = ()
    materials: tuple[Resource, ...] = ()


class TestResult(Struct, frozen=True, tag="test-result"):
    """What tests gave: ``PASSED``, ``WARNED`` or ``FAILED``."""

    result: str
    url: str = ""
    passed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Values(Struct, frozen=True, tag="values"):
    """Any other facts, by name."""

    values: dict[str, str] = {}


Facts = (
    Provenance
    | Summary
    | Scan
    | Exploitability
    | Contents
    | Annotations
    | Link
    | TestResult
    | Values
)


class FoundStatement(Struct, frozen=True):
    """A statement that was found, with nothing in it believed.

    ``document`` is the component that holds exactly its bytes. ``kind`` is the name of the family
    that its predicate belongs to (``slsa-provenance``), ``other`` where it is of none, ``title``
    what to call it to people. ``untrusted_subjects`` are what it says it is about. ``read`` parses
    the predicate; it raises AssayError (malformed predicate, limit-exceeded) and nothing else, and
    gives None for a kind that nothing reads.
    ``untrusted_refusal`` is how the statement says no to the image, empty where it does not.
    """

    document: str
    untrusted_type: str
    kind: str
    title: str
    read: Callable[[], Facts | None]
    untrusted_predicate: Mapping[str, Any] = {}
    untrusted_refusal: str = ""
    untrusted_subjects: tuple[Resource, ...] = ()


class StatementReport(Struct, frozen=True):
    """One statement in a verdict.

    ``predicate_type`` and ``title`` are the statement's own words unless it is ``trusted``: then
    ``signers`` vouch for it, by ``anchors``, and ``facts`` are what it says. ``about`` are the
    components of the image that it is about, and that stand for the image as a whole.
    ``untrusted_facts`` is only filled where nobody was asked to be trusted (`assay inspect`).
    Of one that is trusted, ``names`` is what it calls the image, ``refusal`` how it says no to it,
    and ``fault`` why what it says could not be read.
    """

    document: str
    predicate_type: str
    kind: str
    title: str
    trusted: bool
    about: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()
    signers: tuple[Signer, ...] = ()
    facts: Facts | None = None
    untrusted_facts: Facts | None = None
    names: tuple[str, ...] = ()
    refusal: str = ""
    fault: Finding | None = None


class RequirementReport(Struct, frozen=True):
    """What was asked of statements, and whether it is met, for people in ``detail``. ``statements``
    are the documents that meet it."""

    name: str
    met: bool
    detail: str
    statements: tuple[str, ...] = ()

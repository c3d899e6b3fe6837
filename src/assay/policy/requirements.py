"""What a rule may require: one struct for each kind. Whatever is left out is not asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import field

from assay.model.statement import Rating
from assay.policy.anchors import Identity
from assay.policy.vocabulary import Age, Entry, Name, Pattern, Signers, Text, about

StatementSigners = Annotated[
    Signers,
    about("Who has to sign the statement; any one anchor with that purpose where left out."),
]


class CoverageRequirement(Entry, frozen=True):
    """How much of the image has to be bound: reached from an anchor by claims that hold."""

    complete: Annotated[bool, about("Every byte, but those excluded by a scheme.")] = False
    percent: Annotated[float, about("So much of the bytes, at least.", gt=0, le=100)] | None = None
    components: Annotated[
        tuple[Pattern, ...],
        about("Components that have to be there, and bound in full, by their ids."),
    ] = ()
    leaving_out: Annotated[
        tuple[Pattern, ...],
        about("Components whose bytes do not count for complete and percent."),
    ] = ()


class AlgorithmRequirement(Entry, frozen=True):
    """How strong the signatures that count have to be."""

    schemes: Annotated[
        tuple[Text, ...],
        about("Kinds of signatures that count (sigstore, openpgp, ...)."),
    ] = ()
    refused_hashes: Annotated[
        tuple[Text, ...], about("Hash functions that no signature that counts may use.")
    ] = ("md5", "sha1")
    rsa_bits: Annotated[int, about("Shortest RSA key.", ge=1024, le=16384)] | None = None
    elliptic_curve_bits: (
        Annotated[int, about("Smallest field of an elliptic curve.", ge=160, le=521)] | None
    ) = None
    post_quantum_from: (
        Annotated[
            datetime,
            about("From then on a signature that resists quantum computers is needed."),
        ]
        | None
    ) = None


class FreshnessRequirement(Entry, frozen=True):
    """How long ago the image may have been signed. The time has to be proven by others than the
    signer: a time stamping authority, a transparency log."""

    signed_within: Annotated[Age, about("The longest time since then.")]


class VersionRequirement(Entry, frozen=True):
    """Which version the image has to be. One that cannot be read is refused."""

    read_from: Annotated[
        str,
        about(
            "Where the version stands: tag, label:NAME or annotation:NAME.",
            pattern=r"^(tag|(label|annotation):.+)$",
        ),
    ] = "label:org.opencontainers.image.version"
    order: Annotated[
        Literal["semantic", "numbers"],
        about("How versions compare: by semver.org, or number by number between dots."),
    ] = "semantic"
    at_least: Annotated[Text, about("The oldest version.")] | None = None
    never_older: Annotated[
        bool,
        about("Not older than what the ledger has seen allowed of this repository."),
    ] = False


class NameRequirement(Entry, frozen=True):
    """The image was signed for the name that it is used by."""

    stated_by: Annotated[
        tuple[Literal["signature", "provenance", "summary"], ...],
        about("Whose word on the name counts, any of these.", min_length=1),
    ] = ("signature", "provenance")
    same: Annotated[
        Literal["reference", "repository"],
        about("What has to be equal: the name with its tag, or without."),
    ] = "repository"


class ProvenanceRequirement(Entry, frozen=True):
    """How the image was built, all of it said by one signed statement (SLSA provenance). Patterns
    in a list are alternatives; of several sources each has to match one."""

    signers: StatementSigners | None = None
    builder: Annotated[tuple[Pattern, ...], about("The builder's id.")] = ()
    source: Annotated[tuple[Pattern, ...], about("The source repository.")] = ()
    ref: Annotated[tuple[Pattern, ...], about("The branch, tag or revision.")] = ()
    build_type: Annotated[tuple[Pattern, ...], about("The build's type.")] = ()
    parameters: Annotated[
        dict[str, Pattern], about("Parameters of the build, by path (workflow.ref).")
    ] = field(default_factory=dict)
    only_these_parameters: Annotated[bool, about("There may be no other parameters.")] = False
    level: Annotated[int, about("SLSA build level, as `builders` grants it.", ge=0, le=4)] = 0


class SbomRequirement(Entry, frozen=True):
    """A signed software bill of materials is there."""

    signers: StatementSigners | None = None
    formats: Annotated[
        tuple[Literal["spdx", "cyclonedx"], ...], about("Forms of it that count.")
    ] = ()
    percent_of_files: (
        Annotated[float, about("Files of the image that it accounts for.", gt=0, le=100)] | None
    ) = None
    no_older_than: Annotated[Age, about("Its greatest age.")] | None = None


class AllowedVulnerability(Entry, frozen=True):
    """A vulnerability that is accepted for a time."""

    id: Annotated[Text, about("Its id, or an alias (CVE-2026-1234).")]
    until: Annotated[datetime, about("From then on it counts again.")]
    reason: Annotated[Text, about("Why.")]
    ticket: Annotated[str, about("Where that was decided.")] = ""


class VulnerabilityRequirement(Entry, frozen=True):
    """What signed scans may have found. What VEX statements of trusted issuers call harmless does
    not count."""

    signers: StatementSigners | None = None
    worst: (
        Annotated[Rating, about("The worst that is allowed; anything where left out.")] | None
    ) = None
    scanned_within: Annotated[Age, about("Greatest age of the scan.")] | None = None
    allow: Annotated[
        tuple[AllowedVulnerability, ...], about("Vulnerabilities accepted for a time.")
    ] = ()
    vex_from: Annotated[
        tuple[Name, ...],
        about("Anchors whose VEX statements count; none where left out."),
    ] = ()
    products: Annotated[
        tuple[Pattern, ...],
        about("What VEX statements call the image, beside its digest."),
    ] = ()


class SummaryRequirement(Entry, frozen=True):
    """A verification summary (SLSA VSA, in-toto SVR) says that the image passed."""

    signers: StatementSigners | None = None
    verifier: Annotated[tuple[Pattern, ...], about("Who verified it.")] = ()
    resource: Annotated[tuple[Pattern, ...], about("What it was verified as.")] = ()
    policy: Annotated[tuple[Pattern, ...], about("Under which policy.")] = ()
    levels: Annotated[tuple[Text, ...], about("Levels that it reached, each of these.")] = ()
    verified_within: Annotated[Age, about("Its greatest age.")] | None = None


class StatementRequirement(Entry, frozen=True):
    """A signed statement of this type is there, and says not no to the image."""

    type: Annotated[Pattern, about("Its predicate type, or a kind such as test-result.")]
    signers: StatementSigners | None = None


class FindingRequirement(Entry, frozen=True):
    """Findings that refuse an image, though they would only warn. (Errors refuse in any case.)"""

    refuse: Annotated[tuple[Pattern, ...], about("Codes of findings.", min_length=1)]


class Expression(Entry, frozen=True):
    """A condition in CEL, over what was verified. Anything but true refuses."""

    require: Annotated[Text, about("The condition (Common Expression Language).")]
    message: Annotated[str, about("What to tell where it does not hold.")] = ""


class Require(Entry, frozen=True):
    """All that one rule requires. Each has to be met."""

    signers: Annotated[Signers, about("Who has to vouch for the whole image.")] | None = None
    identities: Annotated[
        tuple[Identity, ...],
        about("One of the signers has to be one of these, as the certificate proves."),
    ] = ()
    coverage: CoverageRequirement | None = None
    algorithms: AlgorithmRequirement | None = None
    freshness: FreshnessRequirement | None = None
    version: VersionRequirement | None = None
    name: NameRequirement | None = None
    provenance: ProvenanceRequirement | None = None
    sbom: SbomRequirement | None = None
    vulnerabilities: VulnerabilityRequirement | None = None
    summary: SummaryRequirement | None = None
    statements: tuple[StatementRequirement, ...] = ()
    findings: FindingRequirement | None = None
    expressions: tuple[Expression, ...] = ()


RequirementKind = Literal[
    "signers",
    "identities",
    "coverage",
    "algorithms",
    "freshness",
    "version",
    "name",
    "provenance",
    "sbom",
    "vulnerabilities",
    "summary",
    "statements",
    "findings",
    "expressions",
]
"""The names of what may be required (the fields of `Require`)."""

"""The policy document as values. `assay.policy.reading` makes them from YAML, `assay.policy.schema`
the JSON Schema; both go by the structs here, whose texts are the reference for users.

A worked example, which a test reads (docs/how-to/policy.md goes through it)::

    assay-policy: 1
    name: acme production

    anchors:
      release:
        description: The release managers' key. The old one counts until the end of January.
        keys:
          - {file: keys/release-2025.pub, valid-until: 2026-02-01}
          - {file: keys/release-2026.pub, valid-from: 2026-01-01}
      ci:
        identities:
          - name: https://forge.example/acme/*/.forge/release.yml@refs/tags/v*
            issuer: https://token.forge.example
        purposes: [image, provenance, sbom]
      security:
        authorities: [certificates/security-team.pem]
        purposes: [scan, vex, break-glass]
      on-call:
        keys: [keys/on-call.pub]
        purposes: [break-glass]

    trusted-roots:
      forge: {file: forge-trusted-root.json}

    builders:
      - id: https://forge.example/runner
        signers: [ci]
        level: 3

    revoked:
      - key: sha256:0d6d2e3a9b8c7f60514233241506f7e8d9cabbac9d8e7f605142332415061728
        since: 2026-03-04T17:00:00Z
        reason: The laptop with it was stolen (SEC-311).

    rules:
      - name: our images
        match:
          repository: [registry.example/acme/**]
        require:
          signers: {all: [release, ci]}
          coverage: {complete: true}
          algorithms: {rsa-bits: 3072, post-quantum-from: 2030-01-01}
          freshness: {signed-within: 180 days}
          name: {same: repository}
          provenance:
            source: [https://forge.example/acme/*]
            level: 3

      - name: no known holes in production
        match:
          repository: [registry.example/acme/**]
          namespace: [production]
        require:
          sbom: {percent-of-files: 95}
          vulnerabilities:
            worst: medium
            scanned-within: 7 days
            vex-from: [security]
            allow:
              - id: CVE-2026-1234
                until: 2026-06-01
                reason: The code that has it is not reachable (SEC-290).
        mode: warn
        effective-from: 2026-02-01

    exceptions:
      - match:
          repository: [registry.example/acme/legacy]
        rules: [our images]
        requirements: [provenance]
        reason: Built by hand until the move to the new forge.
        ticket: OPS-1207
        approved-by: maria@acme.example
        expires: 2026-09-30

    break-glass:
      signers: {at-least: 2, of: [on-call, security]}

What decides, in this order:

1. Every rule whose ``match`` fits the image is judged; all have to pass. An image that no rule
   fits that enforces and is in effect is refused: deny is the default.
2. A rule passes when each of its requirements is met. What could not be checked is not met, unless
   the rule says ``when-unchecked: warn``; either way it is recorded as not checked.
3. An exception takes requirements of a rule away from the images it fits, until it expires.
4. Break-glass turns the rest of a refusal into a yes where the caller asks for it and enough
   others sign for the image. What is broken stays refused.

Moments are a date (its beginning in UTC) or a date and time with an offset (RFC 3339). A moment in
``valid-until``, ``until`` and ``expires`` is the first at which it is over.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

from msgspec import field

from assay.policy.anchors import (
    Anchor,
    Builder,
    DigestText,
    Identity,
    Material,
    MaterialOrFile,
    Revoked,
    TrustedRoot,
)
from assay.policy.requirements import (
    AlgorithmRequirement,
    AllowedVulnerability,
    CoverageRequirement,
    Expression,
    FindingRequirement,
    FreshnessRequirement,
    NameRequirement,
    ProvenanceRequirement,
    Require,
    RequirementKind,
    SbomRequirement,
    StatementRequirement,
    SummaryRequirement,
    VersionRequirement,
    VulnerabilityRequirement,
)
from assay.policy.vocabulary import (
    Age,
    Entry,
    Name,
    Pattern,
    Purpose,
    SignerGroup,
    Signers,
    Text,
    about,
    anchors_in,
    demand_of,
)

VERSION = 1
"""The version of the document; raised when what an older reader would make of it is wrong."""


_ANCHOR = "policy:"


def anchor_id(name: str) -> str:
    """What an anchor of the policy is called in a verdict (`assay.model.anchor.Anchor.id`)."""
    return _ANCHOR + name


def anchor_name(identifier: str) -> str:
    """The reverse; empty for an anchor that is not the policy's (one of the command line)."""
    return identifier.removeprefix(_ANCHOR) if identifier.startswith(_ANCHOR) else ""


class Mode(Enum):
    """What becomes of an image that does not meet a rule."""

    ENFORCE = "enforce"
    """It is refused."""

    WARN = "warn"
    """It is not refused; the verdict has a warning."""

    AUDIT = "audit"
    """It is not refused; the verdict records it, and warns of nothing."""


class WhenUnchecked(Enum):
    """What becomes of a requirement that could not be checked."""

    REFUSE = "refuse"
    WARN = "warn"


class Match(Entry, frozen=True):
    """Which images a rule is about. All that is given has to fit; of several patterns in a list any
    one. What is not known of an image (its namespace, say) fits no pattern."""

    reference: Annotated[
        tuple[Pattern, ...],
        about("The whole name, as resolved: registry/repository:tag@digest, or a path."),
    ] = ()
    repository: Annotated[
        tuple[Pattern, ...],
        about("The name without tag and digest: registry/repository."),
    ] = ()
    digest: Annotated[tuple[DigestText, ...], about("The image's digest.")] = ()
    format: Annotated[tuple[Text, ...], about("The format (oci, pe, raw ...).")] = ()
    platform: Annotated[tuple[Pattern, ...], about("A platform that is in it (linux/arm64).")] = ()
    labels: Annotated[dict[str, Pattern], about("Labels of the image, by name.")] = field(
        default_factory=dict
    )
    annotations: Annotated[dict[str, Pattern], about("Annotations of the manifest, by name.")] = (
        field(default_factory=dict)
    )
    namespace: Annotated[
        tuple[Pattern, ...], about("The Kubernetes namespace that it is to run in.")
    ] = ()
    namespace_labels: Annotated[dict[str, Pattern], about("Labels of that namespace, by name.")] = (
        field(default_factory=dict)
    )
    environment: Annotated[
        tuple[Pattern, ...], about("Where it is about to run, as the caller says.")
    ] = ()
    unless: Annotated[Match, about("Images that this is not about after all.")] | None = None


class Rule(Entry, frozen=True):
    """What is required of some images."""

    name: Annotated[Name, about("What it is called in verdicts; unique.")]
    require: Annotated[Require, about("What is required, all of it.")]
    description: Annotated[str, about("Why there is this rule.", max_length=4096)] = ""
    match: Annotated[Match, about("Which images; every one where left out.")] = Match()
    mode: Annotated[Mode, about("What becomes of an image that does not meet it.")] = Mode.ENFORCE
    effective_from: (
        Annotated[datetime, about("Until then what it would refuse is only a warning.")] | None
    ) = None
    when_unchecked: Annotated[
        WhenUnchecked, about("What becomes of a requirement that could not be checked.")
    ] = WhenUnchecked.REFUSE

    def mode_at(self, at: datetime) -> Mode:
        """How it counts at a time: before it is in effect it warns, if it would refuse."""
        early = self.effective_from is not None and at < self.effective_from
        return Mode.WARN if early and self.mode is Mode.ENFORCE else self.mode


class Exemption(Entry, frozen=True):
    """An exception: some images need not meet some requirements, for a time. Once it has expired it
    counts no more, and the verdict says so."""

    match: Annotated[Match, about("Which images.")]
    rules: Annotated[tuple[Name, ...], about("The rules, by name.", min_length=1)]
    reason: Annotated[Text, about("Why.")]
    approved_by: Annotated[Text, about("Who decided it.")]
    expires: Annotated[datetime, about("From then on it counts no more.")]
    ticket: Annotated[Text, about("Where it was decided.")]
    requirements: Annotated[
        tuple[RequirementKind, ...],
        about("What of these rules is not asked for; all of it where left out."),
    ] = ()
    starts: Annotated[datetime, about("It counts from then on.")] | None = None


class BreakGlass(Entry, frozen=True):
    """The emergency exit: who can let in an image that rules refuse, by signing it. It takes two
    signers at least, and the caller has to ask for it, with a reason. The verdict says that it was
    used. What is not intact stays refused."""

    signers: Annotated[Signers, about("Who has to sign; two at least.")]
    rules: Annotated[
        tuple[Name, ...], about("The rules that it can set aside; all where left out.")
    ] = ()


class Policy(Entry, frozen=True):
    """What an organisation trusts, and what it requires of images."""

    assay_policy: Annotated[int, about("The version of this form.", ge=VERSION, le=VERSION)]
    rules: Annotated[tuple[Rule, ...], about("What is required; all that fit have to pass.")] = ()
    name: Annotated[str, about("What the policy is called in verdicts.", max_length=200)] = ""
    description: Annotated[str, about("For people.", max_length=4096)] = ""
    anchors: Annotated[dict[Name, Anchor], about("Whom the policy trusts, by name.")] = field(
        default_factory=dict
    )
    trusted_roots: Annotated[
        dict[Name, TrustedRoot], about("What identities are checked with, by name.")
    ] = field(default_factory=dict)
    time_authorities: Annotated[
        tuple[MaterialOrFile, ...],
        about("Certificates of trusted time stamping authorities."),
    ] = ()
    revocation_lists: Annotated[
        tuple[MaterialOrFile, ...], about("X.509 revocation lists (CRL).")
    ] = ()
    revoked: Annotated[tuple[Revoked, ...], about("What is trusted no more.")] = ()
    builders: Annotated[
        tuple[Builder, ...],
        about("Who may speak as which builder; anyone where left out."),
    ] = ()
    exceptions: Annotated[
        tuple[Exemption, ...], about("What some images need not meet, for a time.")
    ] = ()
    break_glass: Annotated[BreakGlass, about("The emergency exit.")] | None = None


__all__ = [
    "VERSION",
    "Age",
    "AlgorithmRequirement",
    "AllowedVulnerability",
    "Anchor",
    "BreakGlass",
    "Builder",
    "CoverageRequirement",
    "Exemption",
    "Expression",
    "FindingRequirement",
    "FreshnessRequirement",
    "Identity",
    "Match",
    "Material",
    "Mode",
    "NameRequirement",
    "Pattern",
    "Policy",
    "ProvenanceRequirement",
    "Purpose",
    "Require",
    "Revoked",
    "Rule",
    "SbomRequirement",
    "SignerGroup",
    "Signers",
    "StatementRequirement",
    "SummaryRequirement",
    "TrustedRoot",
    "VersionRequirement",
    "VulnerabilityRequirement",
    "WhenUnchecked",
    "anchor_id",
    "anchor_name",
    "anchors_in",
    "demand_of",
]

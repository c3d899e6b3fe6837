"""The verdict: what was found out about one image, and the decision."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay.model.anchor import Anchor, KeyAttempt, Signer
from assay.model.contents import ContentAccount
from assay.model.finding import Finding
from assay.model.grounds import Grounds
from assay.model.policy_result import PolicyReport
from assay.model.spans import Span
from assay.model.statement import RequirementReport, StatementReport

SCHEMA_VERSION = 1
"""Version of the JSON form of a verdict; raised when a reader of the old form would break."""


class Answer(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """It could not be checked, or there was nothing to check it against. Never a yes."""


class Decision(Enum):
    ALLOWED = "allowed"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


class State(Enum):
    """The state of a byte."""

    BOUND = "bound"
    CONSISTENT = "consistent"
    BROKEN = "broken"
    UNCLAIMED = "unclaimed"
    EXCLUDED = "excluded"


class Coverage(Struct, frozen=True):
    """How many of the image's bytes (those stored, each counted once) are in which state."""

    total: int = 0
    bound: int = 0
    consistent: int = 0
    broken: int = 0
    unclaimed: int = 0
    excluded: int = 0

    @property
    def fraction(self) -> float:
        """Bound bytes out of those that a scheme does not leave out by definition."""
        counted = self.total - self.excluded
        return self.bound / counted if counted else 0.0


class ComponentReport(Struct, frozen=True):
    """One component in a verdict. ``state`` is that of its worst byte; ``spans`` lists the byte
    ranges in each state, only where they differ; ``digests`` are those measured."""

    id: str
    kind: str
    parent: str
    size: int | None
    state: State
    media_type: str = ""
    description: str = ""
    external: bool = False
    digests: tuple[str, ...] = ()
    spans: dict[str, tuple[Span, ...]] = {}
    labels: dict[str, str] = {}


class Vouching(Struct, frozen=True):
    """An anchor that vouches for the image as a whole, and by which path, from the anchor down."""

    anchor: str
    kind: str
    description: str
    path: tuple[str, ...]
    signer: Signer | None = None
    notes: dict[str, str] = {}


class SignatureReport(Struct, frozen=True):
    """One signature in a verdict."""

    id: str
    scheme: str
    document: str
    status: str
    signers: tuple[Signer, ...] = ()
    attempts: tuple[KeyAttempt, ...] = ()


class NotChecked(Struct, frozen=True):
    """Something that belongs to the image and was not looked at, with the reason."""

    component: str
    reason: str
    size: int | None = None


class Verdict(Struct, frozen=True):
    """The answer for one image.

    ``image`` is the name as given, ``resolved`` the name with the digest that it was resolved to.
    Times are RFC 3339 in UTC: ``at`` is the effective time that validity was judged at.
    ``contents`` says of each image that was compared with SBOMs what they account for.
    ``requirements`` are what was asked of ``statements``. ``policy`` is what the policy says, and
    ``grounds`` what it was judged on; None where there was none.
    """

    image: str
    resolved: str
    format: str
    decision: Decision
    intact: Answer
    authentic: Answer
    allowed: Answer
    coverage: Coverage
    findings: tuple[Finding, ...]
    vouchers: tuple[Vouching, ...]
    anchors: tuple[Anchor, ...]
    signatures: tuple[SignatureReport, ...]
    components: tuple[ComponentReport, ...]
    not_checked: tuple[NotChecked, ...]
    claims_held: int
    claims_broken: int
    at: str
    rule: str
    tool: str
    self_consistent: bool = False
    contents: tuple[ContentAccount, ...] = ()
    statements: tuple[StatementReport, ...] = ()
    requirements: tuple[RequirementReport, ...] = ()
    policy: PolicyReport | None = None
    grounds: Grounds | None = None
    schema_version: int = SCHEMA_VERSION

    def __bool__(self) -> bool:
        """True only when the image is allowed, so that ``if verify(...)`` means what it reads."""
        return self.decision is Decision.ALLOWED

    @property
    def exit_status(self) -> int:
        """0 verified and allowed, 1 refused, 3 could not be checked."""
        return {Decision.ALLOWED: 0, Decision.REFUSED: 1, Decision.UNCHECKED: 3}[self.decision]

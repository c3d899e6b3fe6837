"""The input of appraisal: everything known about one image, with nothing decided yet."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from assay.model.anchor import Anchor, Voucher
from assay.model.claim import Claim
from assay.model.component import Component
from assay.model.contents import ContentAccount
from assay.model.demand import Demand
from assay.model.finding import Finding
from assay.model.grounds import Occasion, SeenVersion
from assay.model.measurement import Facts
from assay.model.signature import SignatureOutcome
from assay.model.statement import FoundStatement
from assay.model.statement_demands import StatementDemands
from assay.model.verdict import NotChecked


class BuiltInRule(Struct, frozen=True):
    """The rule used where no policy is given (DESIGN section 1).

    ``threshold`` is how many distinct signers must vouch by anchors of each kind; ``every`` asks
    for all anchors; ``self_consistent`` accepts an image that nobody vouches for, if it agrees with
    itself. ``statements`` is what trusted statements have to say beside.
    """

    threshold: int = 1
    every: bool = False
    self_consistent: bool = False
    statements: StatementDemands = StatementDemands()

    def describe(self) -> str:
        return self._signed() + (", with the statements asked for" if self.statements else "")

    def _signed(self) -> str:
        if self.self_consistent:
            return "built-in: the image agrees with itself (--self-consistent)"
        if self.every:
            return "built-in: every anchor given vouches for it"
        if self.threshold > 1:
            return f"built-in: {self.threshold} signers by each kind of anchor given vouch for it"
        return "built-in: one anchor of each kind given vouches for it"


class Case(Struct):
    """One image and all evidence about it, as values.

    ``root`` is the component that a digest of the image means; ``targets`` are the components
    that stand for the image as a whole. A claim's origin may be an anchor's id. ``demands`` are
    asked beside the rule; anchors of their groups count for nothing else.
    ``contents`` is what comparing with SBOMs gave, and is handed on.
    ``policy_decides`` says that a policy is going to be asked, whose anchors have names; its facts
    are laid down then, of which ``used_as`` (the name that the image is used by), ``occasion``,
    ``history`` and what images say of themselves are handed on as they are.
    With ``show_untrusted`` the verdict tells what statements say that nobody vouches for, as such.
    """

    image: str
    resolved: str
    format: str
    root: str
    targets: tuple[str, ...]
    components: dict[str, Component]
    claims: list[Claim]
    anchors: list[Anchor]
    vouchers: list[Voucher]
    outcomes: list[SignatureOutcome]
    findings: list[Finding]
    not_checked: list[NotChecked]
    facts: Facts
    at: datetime
    rule: BuiltInRule
    tool: str
    demands: tuple[Demand, ...] = ()
    contents: tuple[ContentAccount, ...] = ()
    statements: list[FoundStatement] = []
    show_untrusted: bool = False
    policy_decides: bool = False
    used_as: str = ""
    occasion: Occasion = Occasion()
    history: tuple[SeenVersion, ...] = ()
    untrusted_labels: dict[str, dict[str, str]] = {}
    untrusted_annotations: dict[str, dict[str, str]] = {}
    untrusted_platforms: dict[str, str] = {}

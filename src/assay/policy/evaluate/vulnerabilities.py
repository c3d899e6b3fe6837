"""``vulnerabilities``: what signed scans found, less what is accepted for a time and what VEX
statements of trusted issuers call harmless."""

from __future__ import annotations

from msgspec.structs import replace

from assay.appraisal.scan_rule import KINDS, scan_ruling
from assay.model.policy_result import RequirementResult, Result
from assay.model.statement import Scan, StatementReport
from assay.model.statement_demands import Role, Roles, ScanDemand
from assay.policy.evaluate.model import Check, Context, Scene, result, worst_of
from assay.policy.evaluate.statements import from_ruling, hearing, judged
from assay.policy.model import Purpose, VulnerabilityRequirement

KIND = "vulnerabilities"


def compiled(wanted: VulnerabilityRequirement, context: Context) -> Check:
    """The check of scans."""
    hears = hearing(wanted.signers, context, Purpose.SCAN)
    vex = context.serving(Purpose.VEX) & frozenset(wanted.vex_from)
    issuers = tuple(Role(id=None, operator=anchor) for anchor in sorted(vex))
    age = wanted.scanned_within.total_seconds() if wanted.scanned_within else None
    demand = ScanDemand(worst=wanted.worst, max_age=age, products=wanted.products)
    roles = Roles(vex_authors=issuers)

    def check(scene: Scene) -> RequirementResult:
        found = _judged(scene)
        if scene.selective:
            # that the signature of a bad scan is weak must not make way for a better one
            found = worst_of((found, _judged(scene.unselective)))
        return found

    def _judged(scene: Scene) -> RequirementResult:
        lapsed = [each.id for each in wanted.allow if scene.at >= each.until]
        accepted = [each for each in wanted.allow if scene.at < each.until]
        # scans count by who signed them; whose VEX counts is for the table of roles to say
        mine = [
            one
            if not isinstance(one.report.facts, Scan) or hears(scene, one.report)
            else replace(one, report=replace(one.report, trusted=False))
            for one in judged(scene, _trusted)
        ]
        unread = [
            one.report.document
            for one in mine
            if one.fault is not None and one.report.kind in KINDS and hears(scene, one.report)
        ]
        asked = (
            replace(demand, accepted=tuple(each.id for each in accepted)) if accepted else demand
        )
        ruling = scan_ruling(scene.known.whole, mine, asked, roles)
        found = from_ruling(KIND, ruling, scene, context, Purpose.SCAN)
        seen = found.seen
        if accepted:
            seen["accepted"] = ", ".join(f"{one.id} until {one.until:%Y-%m-%d}" for one in accepted)
        if lapsed:
            seen["accepted no more"] = ", ".join(lapsed)
        if unread and found.result is Result.PASSED:
            # a scan that cannot be read must not make way for an older one
            why = f"the scan {unread[0]} cannot be understood"
            return result(KIND, Result.UNCHECKED, why, seen)
        return found

    return check


def _trusted(_scene: Scene, report: StatementReport) -> bool:
    return report.trusted

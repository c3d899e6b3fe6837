"""The decision: which rules are about an image, whether it meets them, and what follows. Pure: the
facts and the time go in, and the same facts at the same time always come to the same decision.

1. Every rule whose ``match`` fits is judged; all that enforce have to pass. Where no rule that
   enforces fits, the image is refused.
2. What could not be checked is not met, unless the rule says otherwise.
3. An exception takes requirements away for a time; an expired one is a finding.
4. Break-glass sets the rest aside, where somebody asks for it and enough others sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from assay.model.codes import policy as codes
from assay.model.finding import Code, Finding, Question, Severity
from assay.model.policy_result import (
    BreakGlassUse,
    ExceptionUse,
    PolicyReport,
    RequirementResult,
    Result,
    RuleResult,
)
from assay.model.verdict import Answer
from assay.policy.evaluate.compiling import CompiledRule, compile_rule
from assay.policy.evaluate.model import Context, Known, Scene, worst_of
from assay.policy.evaluate.signers import compiled as compile_signers
from assay.policy.facts import Facts
from assay.policy.match import Index
from assay.policy.model import Exemption, Mode, Policy, Purpose, WhenUnchecked, anchors_in
from assay.policy.revoking import counting
from assay.policy.standing import Standing

_ENFORCE, _WARN, _AUDIT = Mode.ENFORCE.value, Mode.WARN.value, Mode.AUDIT.value
_AUTHENTIC = ("signers", "identities", "algorithms", "freshness")
"""Requirements that are about who vouches for the image."""


class Decided(Struct, frozen=True):
    """What a policy says, and the findings that come of it."""

    report: PolicyReport
    findings: tuple[Finding, ...]


class Decider:
    """A policy, compiled. ``digest`` is that of the policy as it was read, ``definitions`` those of
    its anchors (`KnownAnchor.definition`). Raises ValueError for a condition that is none, and
    UsageError where nothing is installed that evaluates it."""

    def __init__(
        self, policy: Policy, digest: str = "", definitions: Mapping[str, str] | None = None
    ) -> None:
        self.policy, self.digest = policy, digest
        context = Context(policy, definitions or {})
        self._standing = Standing(policy)
        self._rules = [compile_rule(rule, context) for rule in policy.rules]
        self._about = Index([rule.match for rule in policy.rules])
        self._exceptions = Index([each.match for each in policy.exceptions], every=True)
        glass = policy.break_glass
        self._glass = (
            compile_signers(glass.signers, context, Purpose.BREAK_GLASS) if glass else None
        )
        asked = frozenset(anchors_in(glass.signers)) if glass else frozenset()
        self._openers = asked & context.serving(Purpose.BREAK_GLASS)

    def history_wanted(self) -> list[tuple[str, str]]:
        """What a ledger has to be asked before: where versions stand, and how they compare."""
        asked = [
            (wanted.read_from, wanted.order)
            for rule in self.policy.rules
            if (wanted := rule.require.version) is not None and wanted.never_older
        ]
        return list(dict.fromkeys(asked))

    def decide(self, facts: Facts, at: datetime) -> Decided:
        """What the policy says of an image at a time."""
        standing = counting(facts, self._standing, at)
        facts = standing.facts
        known = Known(facts, at)
        exempt = _Exemptions(
            [self.policy.exceptions[number] for number in self._exceptions.about(known)], at
        )
        rules = [
            self._judged(self._rules[number], known, exempt) for number in self._about.about(known)
        ]
        in_force = any(rule.mode == _ENFORCE for rule in rules)
        refusing = [rule for rule in rules if rule.refuses]
        glass = self._break_glass(known, refusing, in_force=in_force)
        findings = list(_findings(facts, rules, in_force=in_force, glass=glass))
        findings += exempt.findings(facts.grounds.root)
        findings += standing.findings
        report = PolicyReport(
            name=self.policy.name,
            digest=self.digest,
            decided=standing.refusal or _decided(rules, refusing, glass, in_force=in_force),
            rules=tuple(rules),
            exceptions=tuple(exempt.uses()),
            break_glass=glass,
        )
        return Decided(report, tuple(findings))

    def _judged(self, compiled: CompiledRule, known: Known, exempt: _Exemptions) -> RuleResult:
        rule = compiled.rule
        mode = rule.mode_at(known.at)
        note = ""
        if mode is not rule.mode and rule.effective_from is not None:
            note = f"in force from {rule.effective_from:%Y-%m-%dT%H:%M:%SZ}, until then it warns"
        scene = Scene(known, compiled.anchors, compiled.admits)
        results: list[RequirementResult] = []
        for each in compiled.checks:
            kind, found = each.kind, known.results.get(each.same)
            if found is None:
                found = known.results[each.same] = each.check(scene)
            if found.result is not Result.PASSED:
                excused = exempt.excuse(rule.name, kind)
                if not excused and found.result is Result.UNCHECKED:
                    lenient = rule.when_unchecked is WhenUnchecked.WARN
                    excused = "the rule lets it pass when it cannot be checked" if lenient else ""
                found = replace(found, excused=excused)
            results.append(found)
        worst = worst_of(results).result if results else Result.PASSED
        return RuleResult(rule.name, worst, mode.value, tuple(results), note)

    def _break_glass(
        self, known: Known, refusing: Sequence[RuleResult], *, in_force: bool
    ) -> BreakGlassUse | None:
        reason, glass = known.occasion.break_glass, self.policy.break_glass
        if not reason or (in_force and not refusing):
            return None
        if glass is None or self._glass is None:
            return BreakGlassUse(reason, False, "the policy has no way out for emergencies")
        names = tuple(rule.name for rule in refusing)
        closed = [name for name in names if glass.rules and name not in glass.rules]
        if not in_force and glass.rules:
            return BreakGlassUse(reason, False, "no rule is about the image")
        if closed:
            return BreakGlassUse(reason, False, f"{closed[0]} cannot be set aside")
        if known.facts.intact is Answer.NO:
            return BreakGlassUse(reason, False, "an image that is not intact is never let in")
        found = self._glass(Scene(known))
        signing = [
            [each for each in known.reaching.get(target.id, ()) if each.anchor in self._openers]
            for target in known.targets
        ]
        signers = tuple(
            dict.fromkeys(
                each.signer.identity if each.signer else each.anchor
                for found_for in signing
                for each in found_for
            )
        )
        persons = [
            {each.person for each in found_for if each.signer is not None} for found_for in signing
        ]
        if found.result is Result.PASSED and any(len(each) < 2 for each in persons):
            return BreakGlassUse(reason, False, "it takes a second signer", signers)
        granted = found.result is Result.PASSED
        return BreakGlassUse(reason, granted, found.why, signers, names if granted else ())


class _Exemptions:
    """The exceptions that fit an image, and what they are used for."""

    def __init__(self, fitting: Sequence[Exemption], at: datetime) -> None:
        started = [each for each in fitting if each.starts is None or at >= each.starts]
        self._now = [each for each in started if at < each.expires]
        self._over = [each for each in started if at >= each.expires]
        self._used: dict[int, list[str]] = {}
        self._missed: dict[int, list[str]] = {}

    def excuse(self, rule: str, kind: str) -> str:
        """By what a requirement of a rule need not be met; empty where it has to be."""
        for each in self._over:
            if _covers(each, rule, kind):
                self._missed.setdefault(id(each), []).append(f"{rule}: {kind}")
        for each in self._now:
            if _covers(each, rule, kind):
                self._used.setdefault(id(each), []).append(f"{rule}: {kind}")
                return f"exception {each.ticket}, until {_moment(each.expires)}"
        return ""

    def uses(self) -> list[ExceptionUse]:
        return [
            ExceptionUse(
                reason=each.reason,
                ticket=each.ticket,
                approved_by=each.approved_by,
                expires=_moment(each.expires),
                expired=each in self._over,
                excused=tuple(self._used.get(id(each), ())),
            )
            for each in (*self._now, *self._over)
        ]

    def findings(self, component: str) -> list[Finding]:
        found = [
            Finding.of(
                codes.POLICY_EXCEPTION_USED,
                component,
                f"{', '.join(used)}: {each.reason} ({each.ticket}, approved by {each.approved_by})",
                expected=f"until {_moment(each.expires)}",
            )
            for each in self._now
            if (used := self._used.get(id(each)))
        ]
        found += [
            Finding.of(
                codes.POLICY_EXCEPTION_EXPIRED,
                component,
                f"{each.ticket}, approved by {each.approved_by}: {each.reason}",
                expected=f"before {_moment(each.expires)}",
                actual=", ".join(self._missed.get(id(each), ())),
            )
            for each in self._over
        ]
        return found


def _covers(exemption: Exemption, rule: str, kind: str) -> bool:
    return rule in exemption.rules and (
        not exemption.requirements or kind in exemption.requirements
    )


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _findings(
    facts: Facts, rules: Sequence[RuleResult], *, in_force: bool, glass: BreakGlassUse | None
) -> list[Finding]:
    root = facts.grounds.root
    broken = glass is not None and glass.granted
    found: list[Finding] = []
    if not in_force:
        severity = Severity.WARNING if broken else None
        warns = f"; {rules[0].name} is not in force" if rules else ""
        detail = f"{facts.grounds.name}{warns}"
        found.append(Finding.of(codes.POLICY_NO_RULE, root, detail, severity=severity))
    for rule in rules:
        for each in rule.requirements:
            if each.result is not Result.PASSED:
                found.append(_of_requirement(root, rule, each, broken=broken))
    if glass is not None:
        code = codes.POLICY_BREAK_GLASS_USED if broken else codes.POLICY_BREAK_GLASS_REFUSED
        signed = f", signed by {', '.join(glass.signers)}" if glass.signers else ""
        aside = f"; set aside: {', '.join(glass.rules)}" if glass.rules else ""
        detail = f"{glass.reason}: {glass.why}{signed}{aside}"
        found.append(Finding.of(code, root, detail))
    return found


def _of_requirement(
    root: str, rule: RuleResult, found: RequirementResult, *, broken: bool
) -> Finding:
    unchecked = found.result is Result.UNCHECKED
    code: Code = codes.POLICY_RULE_UNCHECKED if unchecked else codes.POLICY_RULE_NOT_MET
    severity = Severity.ERROR
    if rule.mode == _AUDIT:
        severity = Severity.INFO
    elif rule.mode == _WARN or found.excused or broken:
        severity = Severity.WARNING
    notes = [note for note in (rule.note, found.excused) if note]
    noted = f" ({'; '.join(notes)})" if notes else ""
    finding = Finding.of(
        code,
        root,
        f"{rule.name}: {found.kind}: {found.why}{noted}",
        expected=found.seen.get("asked for", ""),
        actual=next(
            (found.seen[name] for name in _ACTUAL if name in found.seen),
            "",
        ),
        severity=severity,
    )
    if not unchecked and found.kind in _AUTHENTIC:
        return replace(finding, question=Question.AUTHENTIC)
    return finding


_ACTUAL = ("vouching", "signed by", "share", "signed with", "signed", "version", "stated", "found")
"""Values that a requirement saw, of which the first that there is tells what there is instead."""


def _decided(
    rules: Sequence[RuleResult],
    refusing: Sequence[RuleResult],
    glass: BreakGlassUse | None,
    *,
    in_force: bool,
) -> str:
    if glass is not None and glass.granted:
        return "let in by break-glass: " + (
            f"{', '.join(glass.rules)} set aside" if glass.rules else "no rule is about the image"
        )
    if not in_force:
        return "no rule in force is about the image"
    if refusing:
        return "; ".join(
            f"{rule.name}: {each.kind} {_SAID[each.result]}"
            for rule in refusing
            for each in rule.requirements
            if each.counts_against
        )
    passing = [rule.name for rule in rules if rule.mode == _ENFORCE]
    return f"meets {', '.join(passing)}"


_SAID = {Result.FAILED: "is not met", Result.UNCHECKED: "could not be checked"}

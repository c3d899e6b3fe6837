"""Which statements are trusted, what they are about, and what they say.

A predicate is read only once a signer that the user trusts vouches for the statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome
from assay.appraisal.fixpoint import Reach, reach_of
from assay.appraisal.rule import SIGNING_KINDS, targets_reached
from assay.appraisal.space import Spaces
from assay.appraisal.whole import Whole, whole_of
from assay.model.anchor import Anchor, Signer, Voucher
from assay.model.codes import statement as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.statement import FoundStatement, StatementReport, Summary

_ABOUT = "\0about"


class Judged(Struct, frozen=True):
    """A statement with what became of it. ``fault`` says why its predicate could not be read,
    ``refusal`` how it says no; ``operators`` are those of the anchors that vouch for it."""

    report: StatementReport
    fault: Finding | None = None
    refusal: str = ""
    operators: tuple[str, ...] = ()


def judge(case: Case, spaces: Spaces, outcomes: Sequence[Outcome]) -> list[Judged]:
    """Judge every statement that was found. Raises nothing."""
    if not case.statements:
        return []
    vouchers = list(_trusted_vouchers(case))
    only_warning = {demand.group for demand in case.demands if demand.advisory}
    signing = [
        anchor
        for anchor in case.anchors
        if anchor.kind in SIGNING_KINDS and anchor.group not in only_warning
    ]
    reaches = [reach_of(anchor.id, vouchers, outcomes, spaces) for anchor in signing]
    subjects: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome.met and outcome.binding:
            subjects.setdefault(outcome.claim.origin, set()).add(outcome.claim.subject)
    whole = whole_of(case)
    known: dict[frozenset[str], tuple[str, ...]] = {}
    judged: list[Judged] = []
    for found in case.statements:
        direct = frozenset(subjects.get(found.document, ()))
        if direct not in known:
            start = [Voucher(_ABOUT, subject, "") for subject in sorted(direct)]
            reach = reach_of(_ABOUT, start, outcomes, spaces)
            known[direct] = tuple(targets_reached(case, spaces, reach)) if direct else ()
        reaching = [
            reach
            for reach in reaches
            if found.document in reach.why or reach.has(spaces.footprint(found.document))
        ]
        judged.append(_judged(case, whole, found, known[direct], reaching, vouchers))
    return judged


def _trusted_vouchers(case: Case) -> Iterator[Voucher]:
    """The vouchers that make a statement trusted. Where identities are given, they narrow what
    authorities and lists of keys vouch for: others whom these know are not trusted."""
    anchors = {anchor.id: anchor for anchor in case.anchors}
    narrowed = {_place(anchor) for anchor in case.anchors if anchor.kind == "identity"}
    identified = {
        (_place(anchor), voucher.component, voucher.signer)
        for voucher in case.vouchers
        if (anchor := anchors.get(voucher.anchor)) is not None and anchor.kind == "identity"
    }
    for voucher in case.vouchers:
        place = _place(anchors[voucher.anchor]) if voucher.anchor in anchors else ("", "")
        named = voucher.signer is not None and bool(voucher.signer.names)
        known = (place, voucher.component, voucher.signer) in identified
        if place not in narrowed or not named or known:
            yield voucher


def _place(anchor: Anchor) -> tuple[str, str]:
    """Among which other anchors this one counts."""
    return anchor.group, anchor.name


def _judged(
    case: Case,
    whole: Whole,
    found: FoundStatement,
    about: tuple[str, ...],
    reaching: Sequence[Reach],
    vouchers: Sequence[Voucher],
) -> Judged:
    known = {value for target in about for value in whole.digests.get(target, ())}
    names = [
        name
        for subject in found.untrusted_subjects
        if reaching and any(value in known for value in subject.digests.values())
        for name in (subject.name, subject.uri)
        if name
    ]
    report = StatementReport(
        document=found.document,
        predicate_type=found.untrusted_type,
        kind=found.kind,
        title=found.title,
        trusted=bool(reaching),
        about=about,
        anchors=tuple(reach.anchor for reach in reaching),
        signers=tuple(
            dict.fromkeys(
                signer for reach in reaching for signer in _signers(found, reach, vouchers)
            )
        ),
    )
    fault: Finding | None = None
    if reaching:
        names = list(dict.fromkeys(names))[: limits.STATEMENT_NAMES]
        report = replace(report, names=tuple(names), refusal=found.untrusted_refusal)
    if reaching or case.show_untrusted:
        try:
            facts = found.read()
        except AssayError as error:
            fault = replace(error.finding, component=found.document)
            report = replace(report, fault=fault if reaching else None)
        else:
            report = replace(report, **{"facts" if reaching else "untrusted_facts": facts})
    given = {anchor.id: anchor.operator for anchor in case.anchors if anchor.operator}
    operators = tuple(dict.fromkeys(given[a] for a in report.anchors if a in given))
    return Judged(report, fault, found.untrusted_refusal, operators)


def _signers(found: FoundStatement, reach: Reach, vouchers: Sequence[Voucher]) -> Iterator[Signer]:
    """Those whose signatures lead to the statement by one anchor."""
    at, seen = found.document, set[str]()
    while at not in seen:
        seen.add(at)
        here = [v for v in vouchers if v.anchor == reach.anchor and v.component == at]
        yield from (voucher.signer for voucher in here if voucher.signer is not None)
        if here or at not in reach.why:
            return
        at = reach.why[at][0]


def refusals(judged: Sequence[Judged]) -> list[Finding]:
    """The statements that say no to the image. Of a verifier that is trusted the last word counts;
    of others it is worth a warning."""
    found: list[Finding] = []
    for one in judged:
        if not one.refusal or (one.report.trusted and _is_superseded(one, judged)):
            continue
        counts = one.report.trusted and bool(one.report.about)
        found.append(
            Finding.of(
                codes.STATEMENT_REFUSES,
                one.report.document,
                expected="PASSED",
                actual=one.refusal,
                severity=Severity.ERROR if counts else Severity.WARNING,
            )
        )
    return found


def _is_superseded(refusing: Judged, judged: Sequence[Judged]) -> bool:
    """Whether the same verifier has said yes later, of the same thing, by the same signer."""
    no = refusing.report.facts
    if not isinstance(no, Summary) or not no.verified:
        return False
    keys = {signer.key for signer in refusing.report.signers}
    return any(
        isinstance(yes := other.report.facts, Summary)
        and not other.refusal
        and (yes.verifier, yes.resource) == (no.verifier, no.resource)
        and yes.verified > no.verified
        and keys & {signer.key for signer in other.report.signers}
        and set(other.report.about) >= set(refusing.report.about)
        for other in judged
    )

"""JUnit XML, which every build server reads: a suite for each image, a case for each question.

A question whose answer is no is a failure, one that could not be answered an error, and a part
that was not looked at a skipped case.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from assay.model.finding import Finding, Question, Severity
from assay.model.policy_result import RequirementResult, Result, RuleResult
from assay.model.verdict import Answer, Decision, Verdict
from assay.report.contents import summary
from assay.report.model import Report
from assay.report.style import place_text, presentable

_QUESTIONS = (Question.INTACT, Question.AUTHENTIC, Question.ALLOWED)


def render(verdicts: Sequence[Verdict]) -> str:
    """The document. Its order and times are those of the verdicts, so that it is reproducible."""
    top = ET.Element("testsuites", name="assay verify")
    for verdict in map(presentable, verdicts):
        _suite(top, verdict)
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=False) + "\n"


def _suite(top: ET.Element, verdict: Verdict) -> None:
    suite = ET.SubElement(top, "testsuite", name=_xml(verdict.image))
    told = ET.SubElement(suite, "properties")
    for name, value in (
        ("resolved", verdict.resolved),
        ("decision", verdict.decision.value),
        ("coverage", f"{verdict.coverage.fraction:.6f}"),
        ("judged at", verdict.at),
        ("rule", verdict.rule),
        *((("policy", verdict.policy.digest),) if verdict.policy is not None else ()),
        *(("accounted", summary(account)) for account in verdict.contents),
        ("tool", verdict.tool),
    ):
        ET.SubElement(told, "property", name=name, value=_xml(value))
    answers = {
        Question.INTACT: verdict.intact,
        Question.AUTHENTIC: verdict.authentic,
        Question.ALLOWED: verdict.allowed,
    }
    for question in _QUESTIONS:
        case = ET.SubElement(suite, "testcase", classname=_xml(verdict.image), name=question.value)
        _judge(case, verdict, question, answers[question])
    for rule in verdict.policy.rules if verdict.policy is not None else ():
        for each in rule.requirements:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=_xml(verdict.image),
                name=_xml(f"{rule.name}: {each.kind}"),
            )
            _requirement(case, rule, each)
    for skipped in verdict.not_checked:
        case = ET.SubElement(
            suite, "testcase", classname=_xml(verdict.image), name=_xml(skipped.component)
        )
        ET.SubElement(case, "skipped", message=_xml(skipped.reason))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"),
                           ("skipped", "skipped")):  # fmt: skip
        suite.set(attribute, str(sum(1 for _ in suite.iter(tag))))


def _requirement(case: ET.Element, rule: RuleResult, each: RequirementResult) -> None:
    """What a requirement that is not met amounts to, by how its rule counts."""
    if each.result is Result.PASSED:
        return
    if not each.counts_against or not rule.refuses:
        how = each.excused or rule.note or f"the rule is in mode {rule.mode}"
        ET.SubElement(case, "skipped", message=_xml(f"{each.why} (does not count: {how})"))
        return
    tag = "failure" if each.result is Result.FAILED else "error"
    element = ET.SubElement(case, tag, message=_xml(each.why), type=each.result.value)
    element.text = _xml("\n".join(f"{name}: {value}" for name, value in each.seen.items()))


def _judge(case: ET.Element, verdict: Verdict, question: Question, answer: Answer) -> None:
    errors = [f for f in verdict.findings if f.severity is Severity.ERROR]
    reasons = [finding for finding in errors if finding.question is question]
    if question is Question.ALLOWED:
        reasons = reasons or errors
        failed = verdict.decision is not Decision.ALLOWED
    else:
        # nothing was given to trust, and the image may be accepted for all that
        failed = answer is not Answer.YES and (
            answer is Answer.NO or verdict.decision is not Decision.ALLOWED
        )
    if failed:
        unknown = answer is Answer.UNKNOWN and verdict.decision is Decision.UNCHECKED
        reasons = reasons or errors
        message = reasons[0].detail if reasons else f"{question.value}: {answer.value}"
        element = ET.SubElement(case, "error" if unknown else "failure", message=_xml(message))
        element.set("type", _xml(reasons[0].code if reasons else question.value))
        element.text = _xml("\n\n".join(map(_told, reasons)))
    elif answer is not Answer.YES:
        ET.SubElement(case, "skipped", message=f"{answer.value}: nothing was given to trust")


def _told(finding: Finding) -> str:
    lines = [f"{finding.severity.value} {finding.code} at {place_text(finding)}", finding.detail]
    lines += [f"expected: {finding.expected}"] if finding.expected else []
    lines += [f"actual: {finding.actual}"] if finding.actual else []
    lines += [f"do: {finding.remedy}"] if finding.remedy else []
    return "\n".join(lines)


def _xml(text: str) -> str:
    """The text without what XML 1.0 (section 2.2) cannot hold: lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


REPORT = Report("junit", "JUnit XML, for build servers", render)

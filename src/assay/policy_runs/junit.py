"""The results of a policy's tests as JUnit XML: a suite for each file, a test for each case."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from assay.policy_runs.run import Ran
from assay.printable import printable


def render(ran: Sequence[Ran]) -> str:
    """The document."""
    top = ET.Element("testsuites", name="assay policy test")
    suites: dict[str, ET.Element] = {}
    for each in ran:
        file = printable(each.place.file, 300)
        if file not in suites:
            suites[file] = ET.SubElement(top, "testsuite", name=file)
        case = ET.SubElement(
            suites[file],
            "testcase",
            classname=file,
            name=printable(each.name, 300),
            file=file,
            line=str(each.place.line),
        )
        if each.wrong:
            tag = "failure" if each.decision is not None else "error"
            element = ET.SubElement(case, tag, message=printable(each.wrong, 2000))
            element.text = "\n".join(
                printable(f"{rule.name}: {one.kind}: {one.result.value}: {one.why}", 2000)
                for rule in (each.report.rules if each.report is not None else ())
                for one in rule.requirements
            )
    for suite in suites.values():
        suite.set("tests", str(len(list(suite.iter("testcase")))))
        suite.set("failures", str(len(list(suite.iter("failure")))))
        suite.set("errors", str(len(list(suite.iter("error")))))
    ET.indent(top)
    return ET.tostring(top, encoding="unicode") + "\n"

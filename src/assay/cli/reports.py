"""``--report FORM=FILE``: the verdicts of one call in further forms, each in its file."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

from assay import plugins
from assay.cli.files import check_target, write_whole
from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.report.model import Report

STANDARD_OUTPUT = "-"


class Wanted(Struct, frozen=True):
    """A report, and where it goes."""

    report: Report
    target: str


def report_option(command: Command) -> Command:
    """The option that `wanted_reports` reads."""
    return grouped(
        "The answer",
        click.option(
            "--report",
            "reports",
            multiple=True,
            metavar="FORM=FILE",
            help="Also write this: " + ", ".join(plugins.names("assay.reports")) + ".",
        ),
    )(command)


def wanted_reports(given: Sequence[str], inputs: Sequence[str]) -> list[Wanted]:
    """What the option asks for. ``inputs`` are names of what is read, which is never written over.
    Raises UsageError."""
    found: list[Wanted] = []
    known = plugins.names("assay.reports")
    for text in given:
        name, equals, target = text.partition("=")
        if name not in known or not equals or not target:
            raise UsageError(f"--report {text}: give FORM=FILE; forms are {', '.join(known)}")
        if target != STANDARD_OUTPUT:
            check_target(Path(target), force=True, inputs=tuple(inputs), option="--report")
        found.append(Wanted(plugins.load("assay.reports", name), target))
    targets = [os.path.realpath(wanted.target) for wanted in found]
    if len(set(targets)) != len(targets):
        raise UsageError("--report: two reports would be written to the same place")
    return found


def deliver(wanted: Sequence[Wanted], verdicts: Sequence[Verdict]) -> None:
    """Write each report. Raises OSError, UsageError."""
    for item in wanted:
        text: str = item.report.render(verdicts)
        if item.target == STANDARD_OUTPUT:
            sys.stdout.write(text)
        else:
            # names that are no UTF-8 stay what they are
            data = text.encode("utf-8", "surrogateescape")
            write_whole(Path(item.target), data, force=True)

"""``--report FORM=FILE``: the verdicts of one call in further forms, each in its file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from assay import plugins
from assay.cli.files import check_target, write_whole
from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.printable import printable
from assay.report.model import Report

STANDARD_OUTPUT = "-"

SIGNED = {
    "svr": "an in-toto simple verification result, signed",
    "vsa": "an SLSA verification summary, signed",
}
"""Reports that are statements for other verifiers (`assay.report.summaries`)."""


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
            help="Also write this: " + ", ".join([*plugins.names("assay.reports"), *SIGNED]) + ".",
        ),
        click.option(
            "--report-key",
            default="",
            metavar="FILE",
            help="Sign the reports svr and vsa with this private key.",
        ),
        click.option(
            "--report-passphrase",
            default=None,
            metavar="PLACE",
            help="Where its passphrase is: env:NAME, fd:NUMBER or file:PATH.",
        ),
        click.option(
            "--verifier-id",
            default="",
            metavar="URI",
            help="Who says so, in the reports svr and vsa.",
        ),
    )(command)


def wanted_reports(given: Mapping[str, Any], inputs: Sequence[str]) -> list[Wanted]:
    """What the options ask for. ``inputs`` are names of what is read, which is never written over.
    Raises UsageError."""
    found: list[Wanted] = []
    known = [*plugins.names("assay.reports"), *SIGNED]
    signed = [text for text in given["reports"] if text.partition("=")[0] in SIGNED]
    sign = _signer(given) if signed else None
    if not signed and (given["report_key"] or given["report_passphrase"] or given["verifier_id"]):
        raise UsageError("--report-key and --verifier-id are for --report vsa=FILE or svr=FILE")
    for text in given["reports"]:
        name, equals, target = text.partition("=")
        if name not in known or not equals or not target:
            raise UsageError(f"--report {text}: give FORM=FILE; forms are {', '.join(known)}")
        if target != STANDARD_OUTPUT:
            check_target(Path(target), force=True, inputs=tuple(inputs), option="--report")
        report = sign(name) if name in SIGNED and sign else plugins.load("assay.reports", name)
        found.append(Wanted(report, target))
    targets = [os.path.realpath(wanted.target) for wanted in found]
    if len(set(targets)) != len(targets):
        raise UsageError("--report: two reports would be written to the same place")
    return found


def _signer(given: Mapping[str, Any]) -> Callable[[str], Report]:
    """Makes reports that are signed with the key given, which is opened once. Raises UsageError."""
    verifier = given["verifier_id"]
    if not given["report_key"] or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", verifier):
        raise UsageError(
            "--report vsa and svr: give --report-key, the private key that signs it, and"
            " --verifier-id, a URI of who says so"
        )
    from assay.cli.passphrase import open_key

    key = open_key({"key": given["report_key"], "passphrase": given["report_passphrase"]})

    def report(name: str) -> Report:
        from assay.produce.sign import wrapped
        from assay.report.summaries import FORMS

        def render(verdicts: Sequence[Verdict]) -> str:
            lines: list[str] = []
            for verdict in verdicts:
                stated = FORMS[name](verdict, verifier)
                if stated is None:
                    why = f"{printable(verdict.image)}: {verdict.decision.value}, so no {name}"
                    click.echo(why, err=True)
                    continue
                lines.append(wrapped(stated, key, "dsse").decode("ascii"))
            return "".join(f"{line}\n" for line in lines)

        return Report(name, SIGNED[name], render)

    return report


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

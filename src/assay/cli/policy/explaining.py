"""``assay policy explain``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.policy.judging import (
    judging_options,
    ledger_option,
    loaded,
    on_record,
    policy_option,
)
from assay.model.finding import UsageError

if TYPE_CHECKING:
    from assay.model.policy_result import PolicyReport
    from assay.model.verdict import Decision
    from assay.policy_documents.load import LoadedPolicy


@click.command("explain", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("recorded", nargs=-1, metavar="RECORDED...")
@policy_option
@judging_options
@ledger_option
@click.option("--known-as", default="", metavar="NAME", help="The name that an image is used by.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
def explain(recorded: tuple[str, ...], **given: Any) -> None:
    """Show which rules decided, and with which values.

    RECORDED is a file of facts (assay verify --record-facts), a report as JSON, or an image at
    hand. With --policy the facts are judged by it again, at their own time or at --at; without, the
    decision that is on record is told.

    \b
    Exit status:
      0  allowed, all of them
      1  refused, some
      2  wrong usage
      3  could not be checked, some

    \b
    Examples:
      assay policy explain facts.json --policy policy.yaml
      assay policy explain verdict.json
      assay policy explain oci:./app --policy policy.yaml
      assay policy explain facts.json --policy policy.yaml --at 2027-01-01T00:00:00Z
      assay policy explain --ledger verdicts.db
    """
    from assay.model.verdict import Decision

    if not recorded and not given["ledger"]:
        raise click.MissingParameter(param_hint="'RECORDED...'", param_type="argument")
    try:
        at = options.time_from(given)
        policy = loaded(given["policies"], given, at) if given["policies"] else None
        told = list(_explained(recorded, policy, given))
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    sys.stdout.write(_json(told) if given["format_"] == "json" else _text(told))
    decisions = {decision for _, decision, _ in told}
    if Decision.REFUSED in decisions:
        raise click.exceptions.Exit(1)
    raise click.exceptions.Exit(3 if Decision.UNCHECKED in decisions else 0)


_MARKS = (b'"assay_facts"', b'"verdicts"', b'"resolved"')

_Told = tuple[str, "Decision", "PolicyReport | None"]


def _explained(
    recorded: Sequence[str], policy: LoadedPolicy | None, given: dict[str, Any]
) -> Iterator[_Told]:
    from assay.policy.judge import decision_of, time_of

    images = [name for name in recorded if not _is_record(Path(name))]
    files = [name for name in recorded if name not in images]
    decider = policy.decider() if policy is not None else None
    at = options.time_from(given)
    for one in on_record(files, given["ledger"]):
        if isinstance(one, str):
            click.echo(one, err=True)
            continue
        name = f"{one.facts.image} ({one.place})"
        if decider is not None:
            decided = decider.decide(one.facts, at or time_of(one.facts))
            yield name, decision_of(one.facts, decided), decided.report
        elif one.verdict is not None and one.verdict.policy is not None:
            yield name, one.verdict.decision, one.verdict.policy
        else:
            raise UsageError(f"{one.place}: no decision is on record there; give --policy")
    for image in images:
        if policy is None:
            raise UsageError(f"{image} is no file with recorded facts; for an image give --policy")
        yield from _verified(image, policy, given)


def _is_record(path: Path) -> bool:
    """Whether a file holds facts or verdicts, and is not an image itself."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    return head.lstrip()[:1] == b"{" and any(mark in head for mark in _MARKS)


def _verified(image: str, policy: LoadedPolicy, given: dict[str, Any]) -> Iterator[_Told]:
    from msgspec.structs import replace

    from assay.pipeline import VerifyOptions, verify
    from assay.trust.anchors import Trust

    opening = replace(options.open_options_from(given), known_as=given["known_as"])
    request = VerifyOptions(
        Trust(),
        open=opening,
        policy=policy,
        decider=policy.decider(),
        at=options.time_from(given),
    )
    for verdict in verify(image, request):
        if verdict.policy is None:
            finding = verdict.findings[0] if verdict.findings else None
            why = f": {finding.code}: {finding.detail}" if finding else ""
            click.echo(f"{verdict.image}: it could not be judged{why}", err=True)
        yield verdict.image, verdict.decision, verdict.policy


def _text(told: Sequence[_Told]) -> str:
    from assay.cli.output import use_color, width
    from assay.printable import printable
    from assay.report.policy import policy_lines
    from assay.report.style import painter, presentable

    paint = painter(use_color())
    lines: list[str] = []
    for name, decision, report in told:
        style = {"allowed": "good", "refused": "bad"}.get(decision.value, "warn")
        lines += ["", f"{paint(decision.value.upper(), style)}  {printable(name, 400)}"]
        if report is not None:
            lines += policy_lines(presentable(report), paint, width())
    return "\n".join(lines[1:]) + "\n"


def _json(told: Sequence[_Told]) -> str:
    import msgspec

    document = [
        {"image": name, "decision": decision, "policy": report} for name, decision, report in told
    ]
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


VERBS = (explain,)

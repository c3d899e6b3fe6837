"""``assay policy diff``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.policy.judging import judging_options, ledger_option, loaded, on_record
from assay.model.finding import UsageError

if TYPE_CHECKING:
    from assay.policy_runs.differences import Difference

_CHANGED = 1


@click.command("diff", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("old", metavar="POLICY")
@click.argument("new", metavar="POLICY")
@click.argument("recorded", nargs=-1, metavar="RECORDED...")
@judging_options
@ledger_option
@click.option("--all", "every", is_flag=True, help="Show what stays the same as well.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
def diff(old: str, new: str, recorded: tuple[str, ...], **given: Any) -> None:
    """Show what would change if one policy took the place of another.

    RECORDED are files of facts (assay verify --record-facts) or reports as JSON; with --ledger all
    verdicts that are on record there are judged. No image is read: what a policy needs to know and
    is not on record could not be checked, and is told as that.

    \b
    Exit status:
      0  nothing changes
      1  some decisions change
      2  wrong usage

    \b
    Examples:
      assay policy diff policy.yaml new.yaml facts.json
      assay policy diff policy.yaml new.yaml --ledger verdicts.db
      assay policy diff policy.yaml policy.yaml --ledger verdicts.db --at 2027-01-01T00:00:00Z
    """
    from assay.policy_runs.differences import differences
    from assay.policy_runs.recorded import Recorded

    if not recorded and not given["ledger"]:
        raise click.MissingParameter(param_hint="'RECORDED...'", param_type="argument")
    left_out: list[str] = []
    try:
        at = options.time_from(given)
        before, after = (loaded((name,), given, at).decider() for name in (old, new))
        found: list[Recorded] = []
        for one in on_record(recorded, given["ledger"]):
            if isinstance(one, Recorded):
                found.append(one)
            else:
                left_out.append(one)
        told = list(differences(found, before, after, at))
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    for text in left_out:
        click.echo(f"left out: {text}", err=True)
    shown = [each for each in told if given["every"] or each.changed]
    sys.stdout.write(_json(shown, told) if given["format_"] == "json" else _text(shown, told))
    raise click.exceptions.Exit(_CHANGED if any(each.changed for each in told) else 0)


def _text(shown: Sequence[Difference], told: Sequence[Difference]) -> str:
    from assay.printable import printable
    from assay.report.style import counted

    lines: list[str] = []
    for each in shown:
        change = each.old.value + (f" -> {each.new.value}" if each.changed else "")
        lines += [
            f"{change}  {printable(each.image, 300)} ({printable(each.place, 200)})",
            f"    old: {printable(each.old_report.decided, 1000)}",
            f"    new: {printable(each.new_report.decided, 1000)}",
        ]
    changed = [each for each in told if each.changed]
    kinds = dict.fromkeys(f"{each.old.value} -> {each.new.value}" for each in changed)
    numbers = [
        f"{sum(f'{e.old.value} -> {e.new.value}' == kind for e in changed)} {kind}"
        for kind in kinds
    ]
    summary = f"{counted(len(told), 'image')}, {len(changed)} changed"
    lines.append(summary + (f": {', '.join(numbers)}" if numbers else ""))
    return "\n".join(lines) + "\n"


def _json(shown: Sequence[Difference], told: Sequence[Difference]) -> str:
    import msgspec

    document = {
        "images": len(told),
        "changed": sum(each.changed for each in told),
        "differences": shown,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


VERBS = (diff,)

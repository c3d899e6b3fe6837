"""``assay policy check``."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import Any

import click

from assay.cli import options
from assay.cli.help import GroupedCommand, grouped
from assay.cli.names import HELP_NAMES
from assay.model.finding import UsageError
from assay.policy.problems import PolicyError, Problem

_WARNINGS = 1

policy_key_option = grouped(
    "What to trust",
    click.option(
        "--policy-key",
        multiple=True,
        metavar="KEY",
        help="Take policies only if they are signed with this key.",
    ),
)


@click.command("check", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("policies", nargs=-1, required=True, metavar="POLICY...")
@policy_key_option
@options.network_options
@options.time_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
def check(policies: tuple[str, ...], **given: Any) -> None:
    """Check that a policy can be used, and say what is odd about it.

    A POLICY is a file, a directory of *.yaml files, or an artifact in a registry (docker://) or a
    layout (oci:), with @sha256:... behind it to pin it. Several are one policy.

    Each line tells the place as editors understand it: file, line and column. Warned of is what has
    expired or is about to, what nothing uses, and what can never match or never be met.

    \b
    Exit status:
      0  it can be used
      1  with --strict: there are warnings
      2  it cannot be used

    \b
    Examples:
      assay policy check policy.yaml
      assay policy check trust.yaml rules/ --strict
      assay policy check policy.yaml --at 2027-01-01T00:00:00Z
    """
    from datetime import UTC, datetime

    from assay.policy.advice import advise
    from assay.policy_documents.fetch import signers_from
    from assay.policy_documents.load import load

    try:
        at = options.time_from(given) or datetime.now(UTC)
        signers = signers_from(given["policy_key"])
        loaded = load(policies, signers, options.open_options_from(given), at)
        loaded.decider()
    except PolicyError as error:
        _write(given["format_"], errors=error.problems)
        raise click.exceptions.Exit(2) from error
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    warnings = advise(loaded.merged, at)
    _write(given["format_"], warnings=warnings, digest=loaded.digest)
    if given["format_"] == "text":
        policy = loaded.policy
        what = policy.name or "the policy"
        count = f"{_number(policy.anchors, 'anchor')}, {_number(policy.rules, 'rule')}"
        click.echo(f"{what} can be used: {count}; {loaded.digest}")
    raise click.exceptions.Exit(_WARNINGS if warnings and given["strict"] else 0)


def _number(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _write(
    form: str,
    *,
    errors: tuple[Problem, ...] = (),
    warnings: list[Problem] | tuple[Problem, ...] = (),
    digest: str = "",
) -> None:
    if form == "text":
        for kind, problems in (("error", errors), ("warning", warnings)):
            for problem in problems:
                click.echo(f"{problem.place}: {kind}: {problem.text}")
        return
    import msgspec

    document = {
        "usable": not errors,
        "digest": digest,
        "problems": [
            {
                "severity": kind,
                "file": problem.place.file,
                "line": problem.place.line,
                "column": problem.place.column,
                "text": problem.text,
            }
            for kind, problems in (("error", errors), ("warning", warnings))
            for problem in problems
        ],
    }
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    sys.stdout.write(text + "\n")


VERBS = (check,)

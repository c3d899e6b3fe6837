"""What the caller says of the occasion, for rules of a policy that ask; and the facts that the
policy was judged on, to be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.model.grounds import Occasion, SeenVersion
from assay.model.verdict import Verdict

if TYPE_CHECKING:
    from assay.pipeline import VerifyOptions

_OPTIONS = ("namespace", "namespace_label", "break_glass", "record_facts")


def occasion_options(command: Command) -> Command:
    """The options that `facts_from` and `record_facts` read."""
    return grouped(
        "What the policy is told",
        click.option(
            "--namespace",
            default="",
            metavar="NAME",
            help="The Kubernetes namespace that it is to run in.",
        ),
        click.option(
            "--namespace-label",
            multiple=True,
            metavar="NAME=VALUE",
            help="A label of that namespace.",
        ),
        click.option(
            "--break-glass",
            default="",
            metavar="REASON",
            help="Ask that rules be set aside in an emergency; two people have to have signed.",
        ),
        click.option(
            "--record-facts",
            default="",
            metavar="FILE",
            help="Write what the policy was judged on, for policy test, explain and diff.",
        ),
    )(command)


def facts_from(request: VerifyOptions, given: dict[str, Any]) -> VerifyOptions:
    """The request, with all that the policy is told. Raises UsageError."""
    if request.decider is None:
        for option in _OPTIONS:
            if given[option]:
                raise UsageError(f"--{option.replace('_', '-')} is for a --policy of Assay's own")
        return request
    labels: dict[str, str] = {}
    for text in given["namespace_label"]:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--namespace-label {text}: expected NAME=VALUE")
        labels[name] = value
    if given["break_glass"] and not given["break_glass"].strip():
        raise UsageError("--break-glass: say why")
    return replace(
        request,
        occasion=Occasion(
            namespace=given["namespace"] or None,
            namespace_labels=labels or None,
            environment=given["environment"] or None,
            break_glass=given["break_glass"].strip(),
        ),
        ask_history=_history(request.decider.history_wanted(), given["ledger"]),
    )


def _history(
    wanted: Sequence[tuple[str, str]], location: str
) -> Callable[[str], tuple[SeenVersion, ...]] | None:
    """What asks the ledger, where a rule wants to know; None where there is no ledger."""
    if not wanted or not location:
        return None

    def ask(name: str) -> tuple[SeenVersion, ...]:
        from assay.cli.ledger.opening import complaints, opened
        from assay.policy_runs.history import seen_versions

        with complaints(), opened(location) as log:
            return seen_versions(log, name, wanted)

    return ask


def record_facts(path: str, verdicts: Sequence[Verdict]) -> None:
    """Write the facts of all images: one JSON document, or one a line where there are several.
    Raises UsageError."""
    if not path:
        return
    import msgspec

    from assay.policy.facts import facts_of, written

    found = [facts_of(verdict) for verdict in verdicts if verdict.grounds is not None]
    for verdict in verdicts:
        if verdict.grounds is None:
            click.echo(f"no facts of {verdict.image}: it could not be opened", err=True)
    data = (
        written(found[0])
        if len(found) == 1
        else b"".join(msgspec.json.encode(facts) + b"\n" for facts in found)
    )
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise UsageError(f"--record-facts {path}: {error.strerror}") from error

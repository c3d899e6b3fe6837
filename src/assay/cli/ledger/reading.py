"""The verbs that look into a ledger: ``list``, ``search``, ``show``, ``trace``.

What they print is what the ledger says; ``assay ledger verify`` checks whether it may be believed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from assay.cli.ledger.opening import argument, complaints, json_of, moment, opened
from assay.cli.names import HELP_NAMES
from assay.model.finding import UsageError

if TYPE_CHECKING:
    from assay.ledger.search import Found

_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer on standard output.",
)
_limit = click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="Show at most this many, the newest ones.",
)


@click.command("list", context_settings=HELP_NAMES)
@argument
@_limit
@_format
def list_(ledger: str, limit: int, format_: str) -> None:
    """List the newest entries, the newest first.

    \b
    Examples:
      assay ledger list verdicts.db
      assay ledger list verdicts.db --limit 1000 --format json
    """
    from assay.ledger.search import Wanted, search

    with complaints(), opened(ledger) as log:
        _print(search(log, Wanted(), limit), format_)


@click.command("search", context_settings=HELP_NAMES)
@argument
@click.option("--image", default="", metavar="TEXT", help="The image's name has this in it.")
@click.option(
    "--decision", type=click.Choice(["allowed", "refused", "unchecked"]), help="What was decided."
)
@click.option("--finding", default="", metavar="CODE", help="This was found.")
@click.option("--signer", default="", metavar="TEXT", help="Who vouched has this in the name.")
@click.option("--ticket", default="", metavar="TEXT", help="The change ticket given.")
@click.option("--environment", default="", metavar="TEXT", help="The environment given.")
@click.option("--since", default="", metavar="TIME", help="Recorded at this time or later.")
@click.option("--until", default="", metavar="TIME", help="Recorded before this time.")
@_limit
@_format
def search_(ledger: str, limit: int, format_: str, **given: Any) -> None:
    """Find entries; all conditions have to hold.

    \b
    Examples:
      assay ledger search verdicts.db --decision refused --since 2026-11-01
      assay ledger search verdicts.db --image registry.example/app --finding digest-mismatch
    """
    from assay.ledger.search import Wanted, search

    with complaints():
        wanted = Wanted(
            image=given["image"],
            decision=given["decision"] or "",
            finding=given["finding"],
            signer=given["signer"],
            ticket=given["ticket"],
            environment=given["environment"],
            since=moment(given["since"], "--since"),
            until=moment(given["until"], "--until"),
        )
        with opened(ledger) as log:
            _print(search(log, wanted, limit), format_)


@click.command("trace", context_settings=HELP_NAMES)
@argument
@click.argument("digest", metavar="DIGEST")
@_format
def trace(ledger: str, digest: str, format_: str) -> None:
    """Show everywhere that a DIGEST was seen, in the order of time.

    It may be that of an image or of any part of one: what vouched for it, what was decided, and by
    which rule.

    \b
    Examples:
      assay ledger trace verdicts.db sha256:9f86d0...
    """
    from assay.ledger.search import found_in
    from assay.model.digest import Digest

    with complaints():
        try:
            wanted = str(Digest.parse(digest))
        except ValueError as error:
            raise UsageError(f"{digest}: {error}") from error
        with opened(ledger) as log:
            rows = [found_in(row) for row in log.trace(wanted)]
        if not rows and format_ == "text":
            click.echo("never seen", err=True)
        _print(rows, format_)


@click.command("show", context_settings=HELP_NAMES)
@argument
@click.argument("index", metavar="INDEX", type=click.IntRange(0))
@_format
def show(ledger: str, index: int, format_: str) -> None:
    """Show one entry, and the whole verdict where that is still kept.

    \b
    Examples:
      assay ledger show verdicts.db 41
    """
    with complaints(), opened(ledger) as log:
        from assay.ledger.search import found_in, verdict_in

        rows = log.rows(index, index + 1)
        if not rows:
            raise UsageError(f"no entry {index}; the ledger has {log.checkpoint()[0].size}")
        found = found_in(rows[0])
        verdict = verdict_in(rows[0])
        if format_ == "json":
            value = {"index": index, "entry": found.entry, "verdict": verdict}
            sys.stdout.write(json_of(value))
            return
        sys.stdout.write("\n".join(_lines(found)) + "\n\n")
        if verdict is None:
            click.echo("the whole verdict is no longer kept")
            return
        from assay.cli.output import use_color, width
        from assay.report.text import render

        sys.stdout.write(render(verdict, color=use_color(), verbose=1, width=width()))


def _print(found: Iterable[Found], format_: str) -> None:
    if format_ == "json":
        sys.stdout.write(json_of([{"index": one.index, "entry": one.entry} for one in found]))
        return
    for one in found:
        sys.stdout.write("\n".join(_lines(one)) + "\n")


def _lines(found: Found) -> list[str]:
    from assay.printable import printable
    from assay.report.style import counted

    entry = found.entry
    lines = [
        f"{found.index:>8}  {entry.time}  {entry.decision:<9}  {printable(entry.image)}",
    ]
    vouched = [
        printable(one.anchor) + (f" ({printable(one.signer)})" if one.signer else "")
        for one in entry.vouched
    ]
    digest = entry.digests[0] if entry.digests else ""
    errors = [text[6:] for text in entry.findings if text.startswith("error ")]
    different = printable("; ".join(dict.fromkeys(errors)), 300)
    for label, text in (
        ("digest", printable(digest)),
        ("vouched", "; ".join(vouched)),
        ("rule", printable(entry.rule)),
        ("policy", printable(entry.context.policy_digest)),
        ("trust", printable(entry.context.trust_digest)),
        ("errors", f"{counted(len(errors), 'error')}: {different}" if errors else ""),
        ("ticket", printable(entry.context.ticket)),
        ("where", printable(entry.context.environment)),
    ):  # fmt: skip
        if text:
            lines.append(f"{'':10}{label:<8} {text}")
    return lines


VERBS = (list_, search_, show, trace)

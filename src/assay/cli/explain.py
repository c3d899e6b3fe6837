"""``assay explain``."""

from __future__ import annotations

import difflib
import textwrap

import click

from assay.cli import output
from assay.cli.names import HELP_NAMES
from assay.report.findings import registry


@click.command("explain", context_settings=HELP_NAMES)
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a finding CODE; without one, list all codes.

    \b
    Examples:
      assay explain
      assay explain digest-mismatch
    """
    known = registry()
    if code is None:
        width = max(map(len, known))
        for name in sorted(known):
            click.echo(f"{name:<{width}}  {known[name].title}")
        return
    if code not in known:
        close = difflib.get_close_matches(code, known, 3)
        hint = f" Did you mean {', '.join(close)}?" if close else " `assay explain` lists them."
        raise click.UsageError(f"no finding has the code {code!r}.{hint}")
    entry = known[code]
    width = min(88, output.width())
    click.echo(f"{entry.name}: {entry.title}\n")
    click.echo(f"{entry.severity.value}, about whether the image is {entry.question.value}\n")
    for heading, text in (
        ("What was checked", entry.checked),
        ("What it usually means", entry.means),
        ("What to do", entry.remedy),
    ):
        click.echo(heading)
        click.echo(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ") + "\n")

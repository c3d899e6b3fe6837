"""``assay schema``."""

from __future__ import annotations

import click

from assay.cli.names import HELP_NAMES


@click.command("schema", context_settings=HELP_NAMES)
@click.argument("name", required=False, metavar="[SCHEMA]")
def command(name: str | None) -> None:
    """Print a JSON SCHEMA, such as that of verdicts; without a name, list all.

    \b
    Examples:
      assay schema
      assay schema verdict-1 > verdict-1.json
    """
    from assay.report import schemas

    if name is None:
        for known in schemas.names():
            click.echo(f"{known}  {schemas.title_of(known)}")
        return
    try:
        text = schemas.text_of(name)
    except KeyError:
        known_names = ", ".join(schemas.names())
        raise click.UsageError(f"no schema is called {name!r}; there are: {known_names}") from None
    click.echo(text, nl=False)

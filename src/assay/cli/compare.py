"""``assay compare``."""

from __future__ import annotations

import sys
from typing import Any

import click

from assay.cli import options, output
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.progress import Bar
from assay.comparison.run import LIMIT, CompareOptions, compare
from assay.model.finding import UsageError


@click.command("compare", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=LIMIT,
    show_default=True,
    metavar="N",
    help="How many byte ranges, values and files to list of each; all are counted.",
)
@options.image_options
@options.output_options
def command(a: str, b: str, limit: int, **given: Any) -> None:
    """Show where two images differ: by component, file and byte range.

    A and B are image names as for `assay verify`, or files with a baseline. Neither is trusted,
    and nothing is said about which of them is right. Exit status: 0 the same, 1 different, 2 wrong
    usage, 3 something could not be read.

    \b
    Examples:
      assay compare disk.img copy-of-disk.img
      assay compare oci:./yesterday oci:./today
      assay compare docker://registry.example/app:1.2 docker://registry.example/app:1.3
      assay compare disk.img disk.img.baseline.json
      ssh host cat /dev/sda | assay compare - disk.img
      assay compare a.tar b.tar --limit 1000 --format json | jq '.files[].changes[].path'
    """
    try:
        options.check_names((a, b))
        request = CompareOptions(
            formats=options.format_options_from(given),
            open=options.open_options_from(given),
            limit=limit,
        )
        with Bar(wanted=not given["quiet"]) as bar:
            request.progress = bar
            found = compare(a, b, request)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        from assay.report import comparison

        if given["format_"] == "json":
            sys.stdout.write(comparison.render_json(found))
        else:
            text = comparison.render(found, color=output.use_color(), width=output.width())
            sys.stdout.write(text)
    raise click.exceptions.Exit(found.exit_status)

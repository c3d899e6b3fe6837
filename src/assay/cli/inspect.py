"""``assay inspect``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from assay.appraisal.case import BuiltInRule
from assay.cli import options, output
from assay.cli.boot_options import phase_option
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.progress import Bar
from assay.contents.options import ContentOptions
from assay.model.files import FileIndex
from assay.model.finding import UsageError
from assay.model.verdict import Answer, Verdict
from assay.pipeline import Examined, VerifyOptions, examine
from assay.trust.anchors import Trust

if TYPE_CHECKING:
    from assay.report.contents import PackageList


@click.command("inspect", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@options.evidence_options
@phase_option
@options.image_options
@click.option(
    "--files", is_flag=True, help="List the files of container images and RAM disks, with digests."
)
@click.option(
    "--packages", is_flag=True, help="List the packages installed in container images, by database."
)
@options.time_option
@options.output_options
def command(images: tuple[str, ...], **given: Any) -> None:
    """Show what is in an image and who signed it; trusts nothing.

    Prints the tree of components with sizes and digests, whether the image agrees with itself, and
    which signatures exist in it and beside it. Nothing shown is vouched for: that takes `assay
    verify` and something to trust. Exit status: 0 readable, 1 not consistent, 3 not readable.

    \b
    Examples:
      assay inspect oci:./layout
      assay inspect oci:./layout --files --platform linux/amd64
      assay inspect oci:./layout --packages
      assay inspect release.tar.gz --format json
    """
    try:
        options.check_names(images)
        request = VerifyOptions(
            trust=Trust(),
            rule=BuiltInRule(self_consistent=True),
            formats=structs.replace(
                options.format_options_from(given), files=given["files"], closely=True
            ),
            open=options.open_options_from(given),
            signatures=list(given["signature"]),
            attestations=list(given["attestation"]),
            at=options.time_from(given),
            look_beside=True,
            contents=ContentOptions(packages=given["packages"]),
            untrusted_facts=True,
        )
        with Bar(wanted=not given["quiet"]) as bar:
            request.progress = bar
            examined = [found for image in images for found in examine(image, request)]
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    verdicts = [found.verdict for found in examined]
    if not given["quiet"]:
        from assay.report.contents import packages_of

        packages = [packages_of(found.roots) if given["packages"] else [] for found in examined]
        indexes = [_files(found) if given["files"] else [] for found in examined]
        if given["format_"] == "json":
            from assay.report import json

            sys.stdout.write(
                json.render(
                    verdicts,
                    indexes if given["files"] else None,
                    packages if given["packages"] else None,
                )
            )
        else:
            _print(verdicts, indexes, packages, given["verbose"])
    statuses = {
        {Answer.YES: 0, Answer.NO: 1, Answer.UNKNOWN: 0 if verdict.components else 3}[
            verdict.intact
        ]
        for verdict in verdicts
    }
    raise click.exceptions.Exit(next((status for status in (1, 3) if status in statuses), 0))


def _files(examined: Examined) -> list[FileIndex]:
    from assay.formats.linux.initrd_reading import file_indexes as files_of_disks
    from assay.formats.oci.flatten import file_indexes

    if examined.gathered is None or examined.facts is None:
        return []
    reading, facts = examined.gathered.reading, examined.facts
    return [*file_indexes(reading, facts), *files_of_disks(reading, facts)]


def _print(
    verdicts: list[Verdict],
    indexes: list[list[FileIndex]],
    packages: list[list[PackageList]],
    verbose: int,
) -> None:
    from assay.report import files, tree
    from assay.report.contents import render_packages

    color, width = output.use_color(), output.width()
    for number, verdict in enumerate(verdicts):
        if number:
            sys.stdout.write("\n")
        sys.stdout.write(tree.render(verdict, color=color, verbose=verbose, width=width))
        for line in files.render(verdict, indexes[number], color=color, width=width):
            sys.stdout.write(line + "\n")
        for line in render_packages(packages[number], color=color):
            sys.stdout.write(line + "\n")

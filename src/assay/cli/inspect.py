"""``assay inspect``."""

from __future__ import annotations

import sys
from typing import Any

import click

from assay.appraisal.case import BuiltInRule
from assay.cli import options, output
from assay.cli.progress import Bar
from assay.model.finding import UsageError
from assay.model.verdict import Answer
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust


@click.command("inspect")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@options.evidence_options
@options.image_options
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
      assay inspect release.tar.gz --format json
    """
    try:
        options.check_names(images)
        request = VerifyOptions(
            trust=Trust(),
            rule=BuiltInRule(self_consistent=True),
            formats=options.format_options_from(given),
            open=options.open_options_from(given),
            signatures=list(given["signature"]),
            attestations=list(given["attestation"]),
            at=options.time_from(given),
            look_beside=True,
        )
        with Bar(wanted=not given["quiet"]) as bar:
            request.progress = bar
            verdicts = [verdict for image in images for verdict in verify(image, request)]
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        if given["format_"] == "json":
            from assay.report import json

            sys.stdout.write(json.render(verdicts))
        else:
            from assay.report.tree import render

            style = {
                "color": output.use_color(),
                "verbose": given["verbose"],
                "width": output.width(),
            }
            sys.stdout.write("\n".join(render(verdict, **style) for verdict in verdicts))
    statuses = {
        {Answer.YES: 0, Answer.NO: 1, Answer.UNKNOWN: 0 if verdict.components else 3}[
            verdict.intact
        ]
        for verdict in verdicts
    }
    raise click.exceptions.Exit(next((status for status in (1, 3) if status in statuses), 0))

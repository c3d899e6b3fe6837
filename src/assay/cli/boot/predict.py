"""``assay boot predict``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from assay.boot.prediction.predict import predict
from assay.boot.prediction.statement import encode
from assay.cli import options, output
from assay.cli.boot.firmware_options import firmware_options, predict_options_from
from assay.cli.files import check_target, write_whole
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.model.finding import AssayError, UsageError
from assay.printable import printable


@click.command("predict", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("image", metavar="IMAGE")
@firmware_options
@click.option(
    "--statement", is_flag=True, help="Write reference values (an in-toto statement), to be signed."
)
@click.option("-o", "--output", "target", default="", metavar="FILE", help="Write to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@options.image_options
@options.output_options
def command(image: str, statement: bool, target: str, force: bool, **given: Any) -> None:
    """Predict what a boot of an image measures, PCR by PCR.

    IMAGE is a boot program (a unified kernel image, a boot loader), a directory with the content
    of an EFI system partition, or a disk image. With the variables of the firmware PCR 7 is
    predicted too. What is not predicted is listed, with the reason. Exit status: 0 predicted, 1 the
    firmware would not start the program, 2 wrong usage, 3 the image could not be read.

    \b
    Examples:
      assay boot predict linux.efi
      assay boot predict linux.efi --firmware OVMF_VARS.fd -v
      assay boot predict disk.img --firmware /sys/firmware/efi/efivars --format json
      assay boot predict linux.efi --firmware OVMF_VARS.fd --statement -o linux.boot.json

    \b
    Sign the reference values, and compare a machine with them:
      assay sign linux.boot.json --key publisher.key
      assay boot compare linux.boot.json --event-log binary_bios_measurements
    """
    from assay.report import measured_boot as report

    try:
        if target:
            check_target(Path(target), force=force, inputs=(image,))
        name, request = predict_options_from(image, given)
        found = predict(name, request)
        if statement and not found.findings:
            data = encode(found)
        elif given["format_"] == "json":
            data = report.render_json(found).encode()
        else:
            text = report.render(
                found,
                color=output.use_color() and not target,
                verbose=given["verbose"],
                width=output.width(),
            )
            data = text.encode()
        if target:
            write_whole(Path(target), data, force=force)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    except AssayError as error:
        click.echo(f"{printable(image)}: {error.finding.code}: {error.finding.detail}", err=True)
        raise click.exceptions.Exit(3) from error
    if not target and not given["quiet"]:
        sys.stdout.write(data.decode())
    raise click.exceptions.Exit(1 if found.findings else 0)

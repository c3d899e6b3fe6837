"""``assay boot compare``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from assay import limits
from assay.boot.prediction.compare import compare_with_log
from assay.boot.prediction.predict import predict_with_parts
from assay.boot.prediction.statement import decode, looks_like_prediction
from assay.cli import options, output
from assay.cli.boot.firmware_options import firmware_options, predict_options_from
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.model.finding import AssayError, UsageError
from assay.model.measured_boot import Prediction
from assay.printable import printable
from assay.tcg.log import EventLog, read_log


@click.command("compare", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("image", metavar="IMAGE")
@click.option(
    "--event-log",
    required=True,
    metavar="FILE",
    help="The event log of the machine (binary_bios_measurements).",
)
@firmware_options
@options.image_options
@options.output_options
def command(image: str, event_log: str, **given: Any) -> None:
    """Explain where a machine measured something else than predicted.

    IMAGE is an image as for `assay boot predict`, or a file with the statement that it wrote. Each
    event that is missing, extra, different or in another place is told, with the part of the image
    that it is about and what that usually means. Neither the log nor a statement is believed here:
    verify the statement first, and compare the log's PCR values with those of the TPM. Exit status:
    0 as predicted, 1 different, 2 wrong usage, 3 no PCR could be compared in full.

    \b
    Examples:
      assay boot compare linux.efi --firmware OVMF_VARS.fd --event-log log.bin
      assay boot compare linux.boot.json --event-log log.bin
      assay boot compare linux.boot.json --event-log log.bin --format json | jq .registers
    """
    from assay.report import measured_boot as report

    name = event_log
    try:
        log = _log(Path(event_log))
        name = image
        prediction, parts = _prediction(image, given)
        if prediction.findings:
            raise AssayError(prediction.findings[0])
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    except AssayError as error:
        click.echo(f"{printable(name)}: {error.finding.code}: {error.finding.detail}", err=True)
        raise click.exceptions.Exit(3) from error
    found = compare_with_log(prediction, log, event_log, parts)
    if not given["quiet"]:
        if given["format_"] == "json":
            sys.stdout.write(report.render_comparison_json(found))
        else:
            sys.stdout.write(
                report.render_comparison(found, color=output.use_color(), width=output.width())
            )
    raise click.exceptions.Exit(found.exit_status)


def _log(path: Path) -> EventLog:
    """Raises UsageError where the file cannot be read, AssayError where it is no log."""
    try:
        with path.open("rb") as file:
            return read_log(file.read(limits.TCG_LOG_SIZE + 1))
    except OSError as error:
        raise UsageError(f"--event-log {path}: {error.strerror or error}") from error


def _prediction(image: str, given: dict[str, Any]) -> tuple[Prediction, dict[str, str]]:
    """What is predicted, and the parts of the image by their digests where there is one."""
    path = Path(image)
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(4096)
            if looks_like_prediction(head):
                document = head + file.read(limits.DOCUMENT_SIZE)
                return decode(document, image), {}
    return predict_with_parts(*predict_options_from(image, given))

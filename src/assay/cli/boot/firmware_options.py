"""Options about the machine that boots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.boot.prediction.events import BANKS
from assay.boot.prediction.firmware import read_firmware
from assay.boot.prediction.predict import PredictOptions, removable
from assay.boot.prediction.shim import SECOND_STAGE, is_fallback
from assay.cli import options
from assay.cli.help import grouped
from assay.cli.options import Command
from assay.model.finding import UsageError


def firmware_options(command: Command) -> Command:
    """What the firmware is set to, and what it starts."""
    return grouped(
        "The machine",
        click.option(
            "--firmware",
            default="",
            metavar="FILE",
            help="The variables of the firmware: a store (OVMF_VARS.fd), a directory"
            " (/sys/firmware/efi/efivars), or a dump of virt-fw-vars.",
        ),
        click.option(
            "--program",
            default="",
            metavar="PATH",
            help="The program that is started, on a disk or in a directory."
            "  [default: EFI/BOOT/BOOTX64.EFI]",
        ),
        click.option(
            "--bank",
            multiple=True,
            default=BANKS,
            type=click.Choice(BANKS),
            metavar="NAME",
            help="The banks of the TPM; all unless named.",
        ),
    )(command)


def predict_options_from(image: str, given: dict[str, Any]) -> tuple[str, PredictOptions]:
    """The name of what has to be opened, and what is asked of it. Raises UsageError."""
    firmware = read_firmware(Path(given["firmware"])) if given["firmware"] else None
    program, second = given["program"], ""
    if Path(image).is_dir():
        wanted = program or removable(firmware)
        path, program = _within(Path(image), wanted), ""
        files = list(path.parent.iterdir())
        beside = [each for each in files if each.name.lower() == SECOND_STAGE]
        if any(is_fallback(str(path), str(each)) for each in files):
            beside = []
        image, second = str(path), str(beside[0]) if len(beside) == 1 else ""
    request = PredictOptions(
        firmware,
        tuple(dict.fromkeys(given["bank"])),
        program,
        second,
        options.format_options_from(given),
        options.open_options_from(given),
    )
    return image, request


def _within(folder: Path, program: str) -> Path:
    """The program in a directory, whose names are compared as FAT does. Raises UsageError."""
    found = folder
    for part in program.replace("\\", "/").strip("/").split("/"):
        try:
            matches = [each for each in found.iterdir() if each.name.lower() == part.lower()]
        except OSError as error:
            raise UsageError(f"{found}: {error.strerror or error}") from error
        if len(matches) != 1:
            what = "nothing" if not matches else f"{len(matches)} files"
            raise UsageError(f"{folder}: {what} at {program}")
        found = matches[0]
    return found

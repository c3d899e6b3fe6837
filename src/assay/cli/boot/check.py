"""``assay boot check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from assay.cli import options, output
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.model.finding import UsageError


@click.command("check", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--firmware",
    multiple=True,
    required=True,
    metavar="FILE",
    help="The machine's variables: a variable store, efivarfs, a dump, or lists, updates and"
    " certificates as db=FILE, dbx=FILE, MokList=FILE ...",
)
@click.option(
    "--through",
    multiple=True,
    metavar="FILE",
    help="A program that is started before those in the image, in order: a shim, a boot loader.",
)
@click.option(
    "--modules",
    default="",
    metavar="DIR",
    help="The modules that the kernel in the image loads (/lib/modules/RELEASE).",
)
@click.option(
    "--sbat-level",
    multiple=True,
    metavar="FILE",
    help="An SBAT level that the machine is to have: a SbatLevel file or variable, or a shim, whose"
    " latest one is taken.",
)
@options.time_option
@options.output_options
def command(images: tuple[str, ...], **given: Any) -> None:
    """Say whether a machine's Secure Boot databases let an image boot, and why.

    IMAGE is a program (a boot loader, a kernel, a unified kernel image), a directory (an EFI system
    partition that is mounted), or a disk image. Each program in it is a link: who looks at it, by
    which entry it is allowed, by which it is refused. Dates of certificates do not refuse, as
    firmware does not look at them. Exit status: 0 all would start, 1 something would not, 2 wrong
    usage, 3 something could not be checked.

    \b
    Examples:
      assay boot check shimx64.efi --firmware OVMF_VARS_4M.ms.fd
      assay boot check /boot/efi --firmware /sys/firmware/efi/efivars
      assay boot check vmlinuz --through shimx64.efi --firmware db=db.esl
      assay boot check disk.img --firmware VARS.fd --firmware dbx=DBXUpdate.bin
      assay boot check /boot/efi --firmware VARS.fd --modules /lib/modules/6.1.0-56-cloud-amd64
    """
    try:
        from assay.boot.check import CheckOptions, check

        options.check_names(images)
        request = CheckOptions(
            firmware=given["firmware"],
            through=given["through"],
            modules=given["modules"],
            levels=_levels(given["sbat_level"]),
            at=options.time_from(given),
        )
        checks = [check(image, request) for image in images]
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        from assay.report import boot

        if given["format_"] == "json":
            sys.stdout.write(boot.render_json(checks))
        else:
            color, width, verbose = output.use_color(), output.width(), given["verbose"]
            texts = [
                boot.render(each, color=color, width=width, verbose=verbose) for each in checks
            ]
            sys.stdout.write("\n".join(texts))
    statuses = {each.exit_status for each in checks}
    raise click.exceptions.Exit(next((status for status in (1, 3) if status in statuses), 0))


def _levels(names: tuple[str, ...]) -> list[Any]:
    """The newest level of each file."""
    if not names:
        return []
    from assay.evidence.model import GivenFile
    from assay.evidence.sbat import read_levels

    return [read_levels(GivenFile("sbat-level", Path(name)))[-1] for name in names]

"""Options about boot loaders, kernels and other programs."""

from __future__ import annotations

import click

from assay.cli.help import grouped
from assay.cli.options import Command


def boot_options(command: Command) -> Command:
    """What is asked of programs."""
    return grouped(
        "Boot loaders and kernels",
        click.option(
            "--sbat-level",
            multiple=True,
            metavar="FILE",
            help="Refuse programs that this revocation level (SBAT) does not take: a SbatLevel"
            " file or variable, or a shim, which has two.",
        ),
    )(command)

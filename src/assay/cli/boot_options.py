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
        click.option(
            "--pcr",
            multiple=True,
            metavar="N=DIGEST",
            help="Trust the event log whose PCR N comes to this value (7=sha256:...).",
        ),
        click.option(
            "--pcr-key",
            multiple=True,
            metavar="FILE",
            help="Ask for signed PCR values (.pcrsig) of a unified kernel image by this key.",
        ),
    )(phase_option(command))


def phase_option(command: Command) -> Command:
    """Which phases of a boot PCR values are signed for."""
    return grouped(
        "Boot loaders and kernels",
        click.option(
            "--pcr-phase",
            multiple=True,
            metavar="PATH",
            help="PCR values may be signed for this path of boot phases as well (PHASE:PHASE...).",
        ),
    )(command)

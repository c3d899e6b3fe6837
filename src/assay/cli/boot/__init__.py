"""``assay boot``: would an image boot, and what would that measure?"""

from __future__ import annotations

from importlib import import_module

import click

from assay.cli.names import HELP_NAMES

_VERBS = {
    "check": "Say whether a machine's Secure Boot databases let an image boot, and why.",
    "predict": "Predict what a boot of an image measures, PCR by PCR.",
    "compare": "Explain where a machine measured something else than predicted.",
}


class _Boot(click.Group):
    """Imports a verb only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command: click.Command = import_module(f"assay.cli.boot.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group("boot", cls=_Boot, context_settings=HELP_NAMES)
def command() -> None:
    """Would an image boot, and what would that measure? Answered from files alone.

    \b
    Examples:
      assay boot check disk.img --firmware OVMF_VARS.fd
      assay boot predict linux.efi --firmware OVMF_VARS.fd
      assay boot compare linux.efi --firmware OVMF_VARS.fd --event-log boot.log
    """

"""The ``assay`` command: finds the verb and leaves the rest to its file."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from assay.version import __version__

VERBS = {
    "verify": "Check that images are exactly what someone you trust published.",
    "inspect": "Show what is in an image and who signed it; trusts nothing.",
    "explain": "Explain a finding code: what it means and what to do.",
    "completion": "Print a shell completion script.",
}


class _Verbs(click.Group):
    """Imports a verb only when it is called, so that ``--help`` stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"assay.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="assay")
def cli() -> None:
    """Prove that an image is exactly what a trusted party published.

    An image is a file, a container image (in a registry, an OCI layout, an archive), or any
    stream of bytes. Start with:

    \b
      assay verify disk.img --checksums SHA256SUMS
      assay verify oci:./layout --digest sha256:...
      assay inspect docker://registry.example/app:1.2
    """


def main() -> None:
    """Run the command line; the exit status follows the contract (0, 1, 2, 3)."""
    try:
        status = cli.main(standalone_mode=False) or 0
        sys.stdout.flush()
        sys.exit(status)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        print("interrupted; nothing was decided", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output went away; whoever reads the status must not take it for a yes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(3)
    except OSError as error:
        print(f"assay: cannot write the answer: {error.strerror or error}", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()

"""The ``assay`` command: finds the verb and leaves the rest to its file."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from assay.cli.completion import ASK
from assay.cli.names import HELP_NAMES
from assay.printable import printable
from assay.version import __version__

INTERRUPTED = 130
"""Exit status after Ctrl-C (128 and the number of SIGINT), as shells have it."""

INTERRUPTION = "interrupted; nothing was decided"
PATIENCE = 5.0
"""Seconds after Ctrl-C until the process is ended in any case."""

VERBS = {
    "verify": "Check that images are exactly what someone you trust published.",
    "inspect": "Show what is in an image and who signed it; trusts nothing.",
    "baseline": "Write reference values of an image, ready to be signed.",
    "sign": "Sign files or container images.",
    "attest": "Sign a statement about a file or a container image.",
    "key": "Make and show keys to sign with.",
    "compare": "Show where two images differ.",
    "bundle": "Write one file with everything that verifying an image offline takes.",
    "trust": "Get trusted roots through TUF, and show those that are known.",
    "policy": "Write, check and test policies; read those of other tools.",
    "boot": "Say whether a machine would boot an image, and what that would measure.",
    "ledger": "Keep and check a record of verdicts that nobody can quietly change.",
    "explain": "Explain a finding code: what it means and what to do.",
    "schema": "Print a JSON Schema of what Assay writes.",
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


@click.group(cls=_Verbs, context_settings=HELP_NAMES)
@click.version_option(__version__, prog_name="assay")
def cli() -> None:
    """Prove that an image is exactly what a trusted party published.

    An image is a file, a container image (in a registry, an OCI layout, an archive), or any
    stream of bytes.

    \b
    Start with:
      assay verify disk.img --checksums SHA256SUMS
      assay verify oci:./layout --digest sha256:...
      assay inspect docker://registry.example/app:1.2
    """


def main(on_interrupt: Any = signal.SIG_DFL) -> None:
    """Run the command line; the exit status follows the contract (0, 1, 2, 3). ``on_interrupt`` is
    what a SIGINT is answered with from now on, where it has ended the process so far."""
    status = 3
    try:
        if on_interrupt is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupted)
        _settle_streams()
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader of our output went away; whoever reads the status must not take it for a yes
        status = 3
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, _leave_at_once)
        print(INTERRUPTION, file=sys.stderr)
    except OSError as error:
        status = 3
        print(f"assay: cannot write the answer: {error.strerror or error}", file=sys.stderr)
    _leave(status)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    """Raise KeyboardInterrupt; end the process where something on the way swallows it, as a
    destructor or a callback of a library can."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _end)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    raise KeyboardInterrupt


def _end(number: int, frame: object) -> NoReturn:
    os.write(2, f"{INTERRUPTION}\n".encode())
    _leave_at_once(number, frame)


def _leave_at_once(_number: int, _frame: object) -> NoReturn:
    os._exit(INTERRUPTED)


def _run() -> int:
    if sys.argv[1:2] == [ASK]:
        from assay.cli.complete import answer

        sys.stdout.write(answer(sys.argv[2:]))
        return 0
    try:
        return cli.main(standalone_mode=False, windows_expand_args=False) or 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        # click's answer to a reader that went away
        raise BrokenPipeError from stop
    except click.ClickException as error:
        _complain(error)
        return 2


def _complain(error: click.ClickException) -> None:
    """Say what is wrong with the command line. What it quotes may be anything."""
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(message, file=sys.stderr)
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        print(context.get_usage(), file=sys.stderr)
        print(f"Try '{context.command_path} --help' for help.\n", file=sys.stderr)
    if not isinstance(error, click.MissingParameter):
        # that one lists choices, and quotes nothing
        message = printable(message)
    print(f"Error: {message}", file=sys.stderr)


def _settle_streams() -> None:
    """Streams that take any text: a closed one is nowhere, and what an encoding has no way to
    write (a name that is no UTF-8, a line of a tree in an old locale) is escaped."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave(status: int) -> NoReturn:
    """End with this status, whatever becomes of output that could not be written."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        # the interpreter would try once more, complain, and end with a status of its own
        with contextlib.suppress(OSError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if status == INTERRUPTED:
        # threads may still wait for a disk or a server; the user does not
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()

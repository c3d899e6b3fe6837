"""Passphrases of private keys: from where the user says, or typed on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.model.secret import Secret
from assay.printable import printable

SHORTEST = 8
"""Characters of a new passphrase; anything shorter can be found by trying."""

_PLACES = "--passphrase env:NAME, fd:NUMBER or file:PATH"


def key_options(command: Command) -> Command:
    """Which private key, and what opens it."""
    return grouped(
        "The private key",
        click.option(
            "--key",
            required=True,
            metavar="FILE",
            help="Sign with this private key (PEM, of cosign, of minisign).",
        ),
        passphrase_option,
    )(command)


def passphrase_option(command: Command) -> Command:
    return click.option(
        "--passphrase",
        default=None,
        metavar="PLACE",
        help="Where the key's passphrase is: env:NAME, fd:NUMBER or file:PATH.",
    )(command)


def ask(name: str) -> Secret:
    """The passphrase of a key, typed without echo. Raises UsageError where nobody can type."""
    return Secret(_typed(f"Passphrase of {printable(name, 200)}: ", f"{name} is encrypted"))


def ask_new() -> Secret:
    """A new passphrase, typed twice. Raises UsageError."""
    first = _typed("New passphrase: ", "a new key gets a passphrase (or --no-passphrase)")
    check_new(Secret(first))
    if _typed("The same once more: ", "") != first:
        raise UsageError("the two passphrases differ; nothing was written")
    return Secret(first)


def check_new(passphrase: Secret) -> None:
    """Refuse one that protects nothing. Raises UsageError."""
    if len(passphrase.reveal().decode("utf-8", "replace")) < SHORTEST:
        raise UsageError(
            f"a passphrase of fewer than {SHORTEST} characters can be found by trying; take a"
            " longer one"
        )


def _typed(prompt: str, why: str) -> bytes:
    import getpass

    # getpass would read standard input where there is no terminal: that is for the file to sign
    if not (sys.stderr.isatty() and Path("/dev/tty").exists()):
        raise UsageError(f"{why}, and there is no terminal to ask on; give {_PLACES}")
    try:
        return getpass.getpass(prompt).encode("utf-8", "surrogateescape")
    except EOFError as error:
        raise click.Abort from error


def open_key(given: dict[str, Any]) -> Any:
    """The private key of ``--key``, with what is worth saying of it on standard error. Raises
    UsageError."""
    from assay.produce.keys.files import asker, find_key

    found = find_key(given["key"])
    for notice in found.notices:
        click.echo(f"warning: {notice}", err=True)
    return found.open(asker(given["passphrase"], ask))

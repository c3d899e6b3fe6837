"""The verbs that make a ledger and take one over: ``init``, ``import``, ``prune``."""

from __future__ import annotations

import click

from assay.cli.ledger.opening import (
    argument,
    complaints,
    moment,
    opened,
    signer_of,
    verifier_of,
)
from assay.cli.names import HELP_NAMES
from assay.cli.passphrase import passphrase_option
from assay.report.style import counted


@click.command("init", context_settings=HELP_NAMES)
@argument
@click.option("--key", required=True, metavar="FILE", help="The private key of checkpoints.")
@passphrase_option
@click.option(
    "--origin",
    required=True,
    metavar="NAME",
    help="The ledger's name, such as example.org/verdicts; it never changes.",
)
def init(ledger: str, key: str, passphrase: str | None, origin: str) -> None:
    """Make a new, empty LEDGER and print its public key.

    Keep that key elsewhere: with it anyone can check the ledger, and find out when it was replaced
    by another one.

    \b
    Examples:
      assay ledger init verdicts.db --key ledger.key --origin example.org/verdicts
    """
    with complaints():
        from assay.ledger.log import Log

        signer = signer_of(origin, key, passphrase)
        log = Log.create(ledger, signer)
        log.store.close()
        click.echo(log.key.render())


@click.command("import", context_settings=HELP_NAMES)
@argument
@click.argument("folder", metavar="DIR")
@click.option(
    "--verifier-key",
    "verifier",
    required=True,
    metavar="KEY",
    help="The public key that the export has to be signed with.",
)
def import_(ledger: str, folder: str, verifier: str) -> None:
    """Make a new LEDGER of what `ledger export` wrote to DIR.

    Every entry is checked against the signed checkpoint first. The whole verdicts are not in an
    export; the entries are.

    \b
    Examples:
      assay ledger import restored.db ./exported --verifier-key verdicts.vkey
    """
    with complaints():
        from pathlib import Path

        from assay.ledger.static import restore

        size = restore(ledger, Path(folder), verifier_of(verifier))
        click.echo(f"{size} entries")


@click.command("prune", context_settings=HELP_NAMES)
@argument
@click.option(
    "--before",
    required=True,
    metavar="TIME",
    help="Drop the whole verdicts of entries recorded before this time.",
)
def prune(ledger: str, before: str) -> None:
    """Drop whole verdicts that need not be kept any longer.

    The entries stay, with what was decided and who vouched, and so does every hash: a pruned ledger
    verifies as before, and proofs from it hold. What is dropped cannot be had back.

    \b
    Examples:
      assay ledger prune verdicts.db --before 2025-11-25
    """
    with complaints(), opened(ledger) as log:
        count = log.prune(moment(before, "--before"))
        click.echo(f"dropped {counted(count, 'whole verdict')}; the entries stay")


VERBS = (init, import_, prune)

"""``assay ledger``: the record of verdicts that nobody can quietly change."""

from __future__ import annotations

import click

from assay.cli.ledger import mirroring, proving, reading, witnessing, writing
from assay.cli.names import HELP_NAMES


@click.group("ledger", context_settings=HELP_NAMES)
def command() -> None:
    """Keep, read and check the record of verdicts.

    A LEDGER is a file (SQLite), or the URL of a PostgreSQL database. `assay verify --ledger` adds
    to it. Anyone who has its public key can check it, and any part of it, without trusting the
    machine that keeps it.

    \b
    Examples:
      assay key generate ledger.key --kind ed25519
      assay ledger init v.db --key ledger.key --origin example.org/verdicts
      assay verify disk.img --key a.pub --ledger v.db --ledger-key ledger.key
      assay ledger list v.db
      assay ledger verify v.db
    """


for part in (writing, reading, proving, witnessing, mirroring):
    for verb in part.VERBS:
        command.add_command(verb)

"""``assay ledger mirror``: copies of entries in a log of somebody else."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.files import write_whole
from assay.cli.ledger.opening import argument, complaints, opened
from assay.cli.names import HELP_NAMES
from assay.cli.options import network_options, open_options_from
from assay.cli.passphrase import passphrase_option
from assay.model.finding import UsageError
from assay.report.style import counted


@click.command("mirror", context_settings=HELP_NAMES)
@argument
@click.argument("folder", metavar="DIR")
@click.option("--rekor", required=True, metavar="URL", help="The Rekor log (version 2).")
@click.option(
    "--key",
    required=True,
    metavar="FILE",
    help="The private key that signs the copies (ECDSA P-256).",
)
@passphrase_option
@click.option(
    "--trusted-root",
    required=True,
    metavar="FILE",
    help="The Sigstore trusted root that the log is in: its answers are judged by it.",
)
@network_options
def mirror(
    ledger: str,
    folder: str,
    rekor: str,
    key: str,
    passphrase: str | None,
    trusted_root: str,
    **network: object,
) -> None:
    """Log the entries of LEDGER at a Rekor log, and keep the proofs in DIR.

    Logged is the digest of each entry, with a signature. DIR gets the entry and a Sigstore bundle
    that proves that it was logged; those that are there already are not logged again. `assay verify
    DIR/41.entry --key mirror.pub --trusted-root FILE` checks one.

    \b
    Examples:
      assay ledger mirror verdicts.db ./mirrored --rekor https://rekor.example \\
          --key mirror.key --trusted-root trusted_root.json
    """
    with complaints(), opened(ledger) as log:
        from assay.cli.passphrase import ask
        from assay.ledger.mirror import SUFFIX, Mirror
        from assay.produce.keys.files import asker, find_key
        from assay.trust.anchors import Trust

        private = find_key(key).open(asker(passphrase, ask))
        trust = Trust().add_trusted_root(trusted_root)
        copies = Mirror(rekor, private, trust, open_options_from(dict(network)))
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: {error}") from error
        done = 0
        for row in log.rows(0, log.checkpoint()[0].size):
            entry = target / f"{row.index}.entry"
            proof = target / f"{entry.name}{SUFFIX}"
            if proof.exists():
                continue
            bundle = copies.copy(row.leaf)
            write_whole(entry, row.leaf, force=True)
            write_whole(proof, bundle, force=False)
            done += 1
        click.echo(f"{folder}: {counted(done, 'entry', 'entries')} logged")


VERBS = (mirror,)

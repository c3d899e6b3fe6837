"""The verbs about witnesses: ``cosign`` asks them, ``witness`` is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay import limits
from assay.cli.ledger.opening import argument, complaints, opened, signer_of, verifier_of
from assay.cli.names import HELP_NAMES
from assay.cli.passphrase import passphrase_option
from assay.model.finding import UsageError
from assay.printable import printable

if TYPE_CHECKING:
    from assay.ledger.log import Cosign, Log
    from assay.transparency.policy import WitnessPolicy


def policy_from(path: str, option: str) -> WitnessPolicy:
    """A file that names witnesses (C2SP tlog-policy). Raises UsageError."""
    from assay.evidence.model import read_bounded
    from assay.transparency.note import NoteError
    from assay.transparency.policy import parse_policy

    data = read_bounded(Path(path), limits.WITNESS_POLICY_SIZE, option)
    try:
        return parse_policy(data)
    except NoteError as error:
        raise UsageError(f"{option} {path}: {error}") from error


def cosigner(path: str) -> Cosign | None:
    """Asks the witnesses that a file names, for each new checkpoint; None without a file. Raises
    UsageError."""
    if not path:
        return None
    policy = policy_from(path, "--ledger-witnesses")

    def ask(log: Log, note: bytes) -> bytes:
        from assay.ledger.cosigning import cosign
        from assay.sources.model import OpenOptions

        return cosign(log, note, policy, OpenOptions()).require()

    return ask


@click.command("cosign", context_settings=HELP_NAMES)
@argument
@click.option(
    "--witness-policy",
    "policy",
    required=True,
    metavar="FILE",
    help="The witnesses, with their URLs, and how many are needed (C2SP tlog-policy).",
)
def cosign(ledger: str, policy: str) -> None:
    """Have witnesses cosign the newest checkpoint of LEDGER, and keep what they signed.

    Each is shown that the ledger extends what it cosigned before. Exit status: 0 when as many
    cosigned as the policy needs, 3 when not.

    \b
    Examples:
      assay ledger cosign verdicts.db --witness-policy witnesses.policy
    """
    with complaints(), opened(ledger) as log:
        from assay.ledger.cosigning import cosign as ask
        from assay.sources.model import OpenOptions

        note = log.checkpoint()[1]
        result = ask(log, note, policy_from(policy, "--witness-policy"), OpenOptions())
        if result.lines:
            log.add_cosignatures(note, result.lines)
        for found in result.findings:
            click.echo(f"warning: {printable(found.detail, 500)}", err=True)
        result.require()
        click.echo(f"cosigned by {', '.join(map(printable, result.names))}")


@click.command("witness", context_settings=HELP_NAMES)
@click.option("--key", required=True, metavar="FILE", help="The witness's private key (Ed25519).")
@passphrase_option
@click.option(
    "--name",
    required=True,
    metavar="NAME",
    help="The witness's name, such as witness.example/w1; it never changes.",
)
@click.option(
    "--log",
    "logs",
    required=True,
    multiple=True,
    metavar="KEY",
    help="The public key of a log to witness (or a file that holds it). May be given again.",
)
@click.option(
    "--state",
    required=True,
    metavar="FILE",
    help="Where to keep what was cosigned. A witness that lost it must not go on under its name.",
)
@click.option(
    "--listen",
    default="127.0.0.1:8087",
    show_default=True,
    metavar="ADDRESS:PORT",
    help="Where to answer; port 0 takes a free one.",
)
def witness(
    key: str, passphrase: str | None, name: str, logs: tuple[str, ...], state: str, listen: str
) -> None:
    """Be a witness of other logs (C2SP tlog-witness).

    Prints the witness's public key and the address, and answers until it is interrupted. A
    checkpoint is cosigned only where its log has taken nothing back.

    \b
    Examples:
      assay ledger witness --key witness.key --name witness.example/w1 \\
          --log verdicts.vkey --state witness.db
    """
    with complaints():
        from assay.ledger.witness import Witness
        from assay.ledger.witness_server import WitnessServer

        signer = signer_of(name, key, passphrase, witness=True)
        found = Witness(signer, [verifier_of(text, "--log") for text in logs], Path(state))
        host, colon, port = listen.rpartition(":")
        if not colon or not port.isdigit():
            raise UsageError(f"--listen {listen}: expected ADDRESS:PORT")
        server = WitnessServer(
            (host.strip("[]"), int(port)), found, lambda line: click.echo(line, err=True)
        )
        click.echo(found.key.render())
        click.echo(f"listening on http://{host}:{server.port}", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
        finally:
            server.server_close()


VERBS = (cosign, witness)

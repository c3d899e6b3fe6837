"""``--ledger``: the verdicts of one call go on record before the exit status says anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.model.verdict import Verdict

if TYPE_CHECKING:
    from assay.ledger.entry import Context
    from assay.ledger.log import Log


def ledger_options(command: Command) -> Command:
    """The options that `recorder_from` reads."""
    return grouped(
        "The record",
        click.option(
            "--ledger", default="", metavar="LEDGER", help="Record the verdicts in this ledger."
        ),
        click.option(
            "--ledger-key",
            default="",
            metavar="FILE",
            help="The private key that signs the ledger's checkpoints.",
        ),
        click.option(
            "--ledger-passphrase",
            default=None,
            metavar="PLACE",
            help="Where its passphrase is: env:NAME, fd:NUMBER or file:PATH.",
        ),
        click.option(
            "--ledger-witnesses",
            default="",
            metavar="FILE",
            help="Have the record cosigned by these witnesses, as many as this policy needs.",
        ),
        click.option(
            "--ledger-timestamp-url",
            default="",
            metavar="URL",
            help="Put a time stamp (RFC 3161) of this authority into each entry.",
        ),
        click.option("--ticket", default="", metavar="TEXT", help="Record this change ticket."),
        click.option(
            "--environment",
            default="",
            metavar="TEXT",
            help="Where it is about to run: rules may ask for it, and it is recorded.",
        ),
        click.option("--record-host", is_flag=True, help="Record this machine's name as well."),
        click.option("--record-user", is_flag=True, help="Record the user's name as well."),
    )(command)


_FOR_A_LEDGER = (
    "ledger_key",
    "ledger_passphrase",
    "ledger_witnesses",
    "ledger_timestamp_url",
    "ticket",
    "environment",
)


class Recorder:
    """A ledger that is open and writable before any image is read."""

    def __init__(self, log: Log, context: Context, timestamp_url: str = "") -> None:
        self._log = log
        self._context = context
        self._timestamp_url = timestamp_url

    def record(self, verdicts: Sequence[Verdict], trust_digest: str) -> None:
        """Append all verdicts, on disk and under a signed checkpoint; ``trust_digest`` is that of
        what was trusted (`Trust.digest`). Ends the command with exit status 3 where that fails: a
        verdict that is not on record is none."""
        from datetime import UTC, datetime

        from assay.cli.ledger.opening import complaints
        from assay.ledger.entry import record

        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with complaints():
            context = replace(self._context, trust_digest=trust_digest)
            entries = [record(verdict, time, context) for verdict in verdicts]
            if self._timestamp_url:
                from assay.ledger.stamp import stamp
                from assay.sources.model import OpenOptions
                from assay.sources.time_stamping import stamper

                asked = stamper(self._timestamp_url, OpenOptions())
                entries = [(stamp(leaf, asked), body) for leaf, body in entries]
            self._log.append(entries)
            self._log.store.close()


def recorder_from(given: dict[str, Any]) -> Recorder | None:
    """The recorder that the options ask for. Raises UsageError."""
    location = given["ledger"]
    if not location:
        for option in (
            "ledger_key",
            "ledger_passphrase",
            "ledger_witnesses",
            "ticket",
            "environment",
        ):
            if given[option] and not (option == "environment" and given.get("policy")):
                raise UsageError(f"--{option.replace('_', '-')} is for a --ledger; give one")
        return None
    if not given["ledger_key"]:
        raise UsageError("--ledger: give --ledger-key, the private key that signs its checkpoints")
    from assay.cli.ledger.opening import complaints, open_log, opened, signer_of
    from assay.cli.ledger.witnessing import cosigner
    from assay.ledger.entry import Context

    with complaints():
        with opened(location) as log:
            origin = log.origin
        signer = signer_of(origin, given["ledger_key"], given["ledger_passphrase"])
        log = open_log(location, signer, cosigner(given["ledger_witnesses"]))
    context = Context(
        host=_host() if given["record_host"] else "",
        user=_user() if given["record_user"] else "",
        ticket=given["ticket"],
        environment=given["environment"],
    )
    return Recorder(log, context, given["ledger_timestamp_url"])


def _host() -> str:
    import platform

    return platform.node()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError(f"--record-user: this user has no name here: {error}") from error

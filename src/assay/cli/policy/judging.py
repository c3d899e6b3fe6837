"""What the verbs share that judge by a policy: its options, and what is on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli import options
from assay.cli.help import Command, grouped
from assay.cli.policy.checking import policy_key_option
from assay.model.finding import AssayError, UsageError

if TYPE_CHECKING:
    from assay.policy_documents.load import LoadedPolicy
    from assay.policy_runs.recorded import Recorded

policy_option = grouped(
    "What to trust",
    click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="POLICY",
        help="The policy (a file, a directory, docker://...); several are one.",
    ),
)
ledger_option = click.option(
    "--ledger", default="", metavar="LEDGER", help="Take the verdicts that are on record there."
)


def judging_options(command: Command) -> Command:
    """The options by which a policy is loaded, and the time."""
    return policy_key_option(options.network_options(options.time_option(command)))


def loaded(names: Sequence[str], given: dict[str, Any], at: datetime | None) -> LoadedPolicy:
    """The policy of these names. Raises UsageError."""
    from assay.policy_documents.fetch import signers_from
    from assay.policy_documents.load import load

    signers = signers_from(given["policy_key"])
    return load(names, signers, options.open_options_from(given), at)


def on_record(files: Sequence[str], ledger: str) -> Iterator[Recorded | str]:
    """What is on record in files and in a ledger; text for what cannot be judged again. Raises
    UsageError, also for files that hold something else."""
    from assay.policy_runs.recorded import recorded_by, recorded_in

    for name in files:
        try:
            yield from recorded_in(Path(name))
        except AssayError as error:
            raise UsageError(
                f"{name}: {error.finding.detail or error.finding.code}; {error.finding.remedy}"
            ) from error
    if ledger:
        from assay.cli.ledger.opening import complaints, opened

        with complaints(), opened(ledger) as log:
            yield from recorded_by(log)

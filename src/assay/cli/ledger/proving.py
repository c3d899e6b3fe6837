"""The verbs that prove: ``checkpoint``, ``prove``, ``verify``, ``export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay import limits
from assay.cli.files import check_target, write_whole
from assay.cli.ledger.opening import argument, complaints, finding_text, opened, verifier_of
from assay.cli.ledger.witnessing import policy_from
from assay.cli.names import HELP_NAMES
from assay.model.finding import UsageError
from assay.printable import printable
from assay.report.style import counted

if TYPE_CHECKING:
    from assay.cms.timestamp import TimeAuthority
    from assay.transparency.policy import WitnessPolicy

_verifier = click.option(
    "--verifier-key",
    "verifier",
    default="",
    metavar="KEY",
    help="The ledger's public key, as you know it from elsewhere (or a file that holds it).",
)
_witnesses = click.option(
    "--witness", "witnesses", multiple=True, metavar="KEY", help="A witness's public key."
)
_quorum = click.option(
    "--quorum",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="How many of the witnesses have to have signed.",
)


_witness_policy = click.option(
    "--witness-policy",
    default="",
    metavar="FILE",
    help="Witnesses, and how many of them have to have signed (C2SP tlog-policy).",
)


@click.command("checkpoint", context_settings=HELP_NAMES)
@argument
def checkpoint(ledger: str) -> None:
    """Print the newest signed checkpoint (C2SP tlog-checkpoint).

    Whoever keeps one finds out later, with `ledger verify --checkpoint`, whether anything that was
    in the ledger then has been changed, taken out, or replaced.

    \b
    Examples:
      assay ledger checkpoint verdicts.db > monday.checkpoint
    """
    with complaints(), opened(ledger) as log:
        sys.stdout.buffer.write(log.checkpoint()[1])


@click.command("prove", context_settings=HELP_NAMES)
@argument
@click.argument("index", metavar="INDEX", type=click.IntRange(0))
@click.option("-o", "--output", required=True, metavar="FILE", help="Write the proof here.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def prove(ledger: str, index: int, output: str, force: bool) -> None:
    """Prove that an entry is in the ledger (C2SP tlog-proof).

    The proof is written to FILE and the entry beside it, to FILE.entry. `ledger verify --proof`
    checks the two without the ledger.

    \b
    Examples:
      assay ledger prove verdicts.db 41 -o 41.tlog-proof
      assay ledger verify --proof 41.tlog-proof --verifier-key verdicts.vkey
    """
    with complaints(), opened(ledger) as log:
        paths = Path(output), Path(f"{output}.entry")
        for path in paths:
            check_target(path, force=force, inputs=(ledger,))
        proof = log.prove(index)
        [row] = log.rows(index, index + 1)
        for path, data in zip(paths, (proof.render(), row.leaf), strict=True):
            write_whole(path, data, force=force)
        click.echo(f"{output}: entry {index} is in the ledger; the entry is in {paths[1]}")


@click.command("verify", context_settings=HELP_NAMES)
@click.argument("ledger", metavar="[LEDGER]", required=False)
@_verifier
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="FILE",
    help="A checkpoint that somebody kept: all of it has to be in the ledger still.",
)
@_witnesses
@_quorum
@_witness_policy
@click.option(
    "--tsa-ca",
    default="",
    metavar="FILE",
    help="The authority of the entries' time stamps; those of anyone else do not count.",
)
@click.option("--proof", default="", metavar="FILE", help="Check this proof, and no ledger.")
@click.option(
    "--entry", default="", metavar="FILE", help="The entry of the proof.  [default: FILE.entry]"
)
def verify(
    ledger: str | None,
    verifier: str,
    checkpoints: tuple[str, ...],
    witnesses: tuple[str, ...],
    quorum: int,
    witness_policy: str,
    tsa_ca: str,
    proof: str,
    entry: str,
) -> None:
    """Check a whole LEDGER, or a proof from one.

    Every entry, every node of the tree, every checkpoint that was ever signed and what this
    machine remembers of the ledger have to agree. Exit status: 0 sound, 1 not, 2 wrong usage, 3
    could not be read.

    \b
    Examples:
      assay ledger verify verdicts.db --verifier-key verdicts.vkey
      assay ledger verify verdicts.db --checkpoint monday.checkpoint
      assay ledger verify --proof 41.tlog-proof --verifier-key verdicts.vkey
    """
    with complaints():
        needed = _needed(witnesses, quorum, witness_policy)
        if proof:
            _verify_proof(proof, entry or f"{proof}.entry", verifier, needed)
            return
        if ledger is None:
            raise UsageError("name a LEDGER, or give --proof")
        from assay.evidence.model import read_bounded
        from assay.ledger.audit import audit

        outside = [
            read_bounded(Path(path), limits.SIGNATURE_SIZE, "--checkpoint") for path in checkpoints
        ]
        with opened(ledger) as log:
            result = audit(
                log,
                key=verifier_of(verifier) if verifier else None,
                outside=outside,
                witnesses=needed,
                clocks=_clocks(tsa_ca),
            )
            key = log.key.render()
        word = "SOUND" if result.sound else "NOT SOUND"
        click.echo(f"{word}  {printable(ledger)}")
        told = counted(result.size, "entry", "entries")
        click.echo(
            f"  {told}, {counted(result.checkpoints, 'checkpoint')}, root {result.root.hex()}"
        )
        click.echo(f"  whole verdicts: {result.bodies} kept, {result.pruned} no longer")
        if result.stamped:
            by = f"the authority in {printable(tsa_ca)}" if tsa_ca else "their own certificates"
            click.echo(f"  time stamps: {result.stamped}, by {by}")
        if result.witnesses:
            click.echo(f"  witnesses: {', '.join(map(printable, result.witnesses))}")
        if not verifier:
            click.echo(f"  by its own key, {key}; give --verifier-key to check that as well")
        for finding in result.findings:
            click.echo(f"\n{finding_text(finding)}")
        raise click.exceptions.Exit(0 if result.sound else 1)


def _clocks(path: str) -> tuple[TimeAuthority, ...]:
    """Authorities for time stamps, from a file of certificates. Raises UsageError."""
    if not path:
        return ()
    from assay.cms.timestamp import TimeAuthority
    from assay.produce.notary_wishes import certificates_in

    return (TimeAuthority(certificates_in(path, "--tsa-ca")),)


def _needed(witnesses: tuple[str, ...], quorum: int, path: str) -> WitnessPolicy | None:
    """Who has to have cosigned, by the options. Raises UsageError."""
    from assay.transparency.note import NoteError
    from assay.transparency.policy import quorum_of

    if path:
        if witnesses or quorum:
            raise UsageError("--witness-policy names the witnesses and how many; give it alone")
        return policy_from(path, "--witness-policy")
    if not witnesses and not quorum:
        return None
    try:
        return quorum_of([verifier_of(text, "--witness") for text in witnesses], quorum)
    except NoteError as error:
        raise UsageError(f"--quorum: {error}") from error


def _verify_proof(proof: str, entry: str, verifier: str, witnesses: WitnessPolicy | None) -> None:
    from assay.evidence.model import read_bounded
    from assay.ledger import proof as proofs
    from assay.transparency.note import NoteError

    if not verifier:
        raise UsageError("--proof: give --verifier-key, the key that the ledger is known by")
    key = verifier_of(verifier)
    data = read_bounded(Path(proof), limits.SIGNATURE_SIZE, "--proof")
    leaf = read_bounded(Path(entry), limits.SIGNATURE_SIZE, "--entry")
    try:
        shown = proofs.verify(proofs.parse(data), leaf, key, witnesses)
    except NoteError as error:
        click.echo(f"NOT PROVEN  {printable(proof)}\n  {printable(str(error))}")
        raise click.exceptions.Exit(1) from error
    click.echo(
        f"PROVEN  {printable(entry)}\n  entry {shown.index} of {printable(shown.log)}, which had"
        f" {shown.checkpoint.size} then"
    )


@click.command("export", context_settings=HELP_NAMES)
@argument
@click.argument("folder", metavar="DIR")
def export(ledger: str, folder: str) -> None:
    """Write the ledger to DIR as static tiles (C2SP tlog-tiles).

    Any web server can serve them, and any reader of such logs can check them. Whole verdicts are
    not written, only the entries. An export into the same folder adds to it.

    \b
    Examples:
      assay ledger export verdicts.db ./public/verdicts
    """
    with complaints(), opened(ledger) as log:
        from assay.ledger.static import export as write

        size = write(log, Path(folder))
        click.echo(f"{folder}: {counted(size, 'entry', 'entries')}")


VERBS = (checkpoint, prove, verify, export)

"""How the verbs of ``assay ledger`` open a ledger and its keys, and say what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from assay import limits
from assay.model.finding import AssayError, Finding, UsageError

if TYPE_CHECKING:
    from assay.ledger.log import Cosign, Log
    from assay.transparency.note import NoteSigner, VerifierKey

argument = click.argument("ledger", metavar="LEDGER")


@contextmanager
def complaints() -> Iterator[None]:
    """Wrong usage ends in exit status 2; a ledger that cannot be used as it is in 3."""
    try:
        yield
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    except AssayError as error:
        click.echo(finding_text(error.finding), err=True)
        raise click.exceptions.Exit(3) from error


def finding_text(finding: Finding) -> str:
    """A finding about a ledger for people; one without a place is about the ledger as a whole."""
    from assay.cli.output import use_color, width
    from assay.report.findings import finding_lines
    from assay.report.style import painter, presentable

    placed = replace(finding, component=finding.component or "the ledger")
    return "\n".join(finding_lines(presentable(placed), painter(use_color()), width=width()))


@contextmanager
def opened(location: str, signer: NoteSigner | None = None) -> Iterator[Log]:
    """The ledger, closed in the end. Raises UsageError, AssayError."""
    log = open_log(location, signer)
    try:
        yield log
    finally:
        log.store.close()


def open_log(location: str, signer: NoteSigner | None = None, cosign: Cosign | None = None) -> Log:
    """The ledger at a path or URL. Raises UsageError, AssayError."""
    try:
        from assay.ledger.log import Log
        from assay.ledger.store import Store
    except ImportError as error:
        raise UsageError(
            f"a ledger needs SQLAlchemy and Alembic: pip install 'assay[ledger]' ({error})"
        ) from error
    return Log(Store(location), signer, cosign)


def signer_of(
    origin: str, path: str, passphrase: str | None, *, witness: bool = False
) -> NoteSigner:
    """The key that signs a ledger's checkpoints, under the ledger's name; or those of others, as
    the ``witness`` of this name. Raises UsageError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from assay.cli.passphrase import ask
    from assay.produce.keys.files import asker, find_key
    from assay.transparency.note import KeyType, NoteSigner

    found = find_key(path)
    for notice in found.notices:
        click.echo(f"warning: {notice}", err=True)
    private = found.open(asker(passphrase, ask)).native
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"{path}: checkpoints are signed with Ed25519;"
            " assay key generate ledger.key --kind ed25519 makes such a key"
        )
    return NoteSigner(origin, KeyType.COSIGNATURE if witness else KeyType.ED25519, private)


def verifier_of(text: str, option: str = "--verifier-key") -> VerifierKey:
    """A verifier key (C2SP signed-note): itself, or a file that holds it. Raises UsageError."""
    from assay.evidence.model import read_bounded
    from assay.transparency.note import NoteError, VerifierKey

    if "+" not in text:
        data = read_bounded(Path(text), limits.KEY_FILE_SIZE, option)
        text = data.decode("utf-8", "replace").strip()
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise UsageError(f"{option}: {error}") from error


def moment(text: str, option: str) -> str:
    """A time of a listing as entries have it (RFC 3339 in UTC); empty stays empty. Raises
    UsageError."""
    if not text:
        return ""
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: not a date or a time (RFC 3339)") from error


def json_of(value: Any) -> str:
    """A value as JSON for standard output."""
    import msgspec

    from assay.report.json import encode

    return encode(msgspec.to_builtins(value))

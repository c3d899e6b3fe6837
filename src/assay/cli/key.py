"""``assay key``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.files import check_target, write_whole
from assay.cli.names import HELP_NAMES
from assay.cli.passphrase import ask, ask_new, check_new, passphrase_option
from assay.model.finding import UsageError
from assay.produce.keys.form import FORMS, form_named
from assay.produce.keys.kinds import KINDS

if TYPE_CHECKING:
    from assay.crypto.public_key import PublicKey
    from assay.produce.signing_key import SigningKey


@click.group("key", context_settings=HELP_NAMES)
def command() -> None:
    """Make keys to sign with, and show what a key file holds.

    \b
    Examples:
      assay key generate release.key
      assay key show release.pub
      assay key export-public release.key -o release.pub
    """


@command.command("generate", context_settings=HELP_NAMES)
@click.argument("file", metavar="FILE")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=None,
    metavar="KIND",
    help=f"What kind of key: {', '.join(KINDS)}.  [default: ecdsa-p256; ed25519 for minisign]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMS)),
    default="pem",
    show_default=True,
    help="Which tools have to read the private key.",
)
@passphrase_option
@click.option(
    "--no-passphrase", is_flag=True, help="Do not encrypt: who reads the file can sign with it."
)
def generate_(
    file: str, kind: str | None, format_: str, passphrase: str | None, no_passphrase: bool
) -> None:
    """Make a key pair.

    The private key is written to FILE, encrypted with a passphrase and readable by you alone; the
    public key beside it (release.key and release.pub). Neither is ever written over another file.

    \b
    Examples:
      assay key generate release.key
      assay key generate release.key --kind ml-dsa-65
      assay key generate cosign.key --format cosign --passphrase env:COSIGN_PASSWORD
      assay key generate minisign.key --format minisign

    \b
    Sign with it, and check that:
      assay sign disk.img --key release.key
      assay verify disk.img --key release.pub
    """
    from assay.produce.keys.files import asker
    from assay.produce.keys.kinds import generate

    private = Path(file)
    public = private.with_suffix(".pub") if private.suffix == ".key" else Path(f"{file}.pub")
    try:
        for path in (private, public):
            if os.path.lexists(path):
                raise UsageError(f"{path} exists; a key is never written over, take another name")
            check_target(path, force=False)
        form = form_named(format_)
        key = generate(kind or form.usual_kind)
        if misfit := form.misfit(key):
            raise UsageError(f"--format {format_}: {misfit}")
        secret = None
        if not no_passphrase:
            secret = asker(passphrase)("") if passphrase is not None else ask_new()
            check_new(secret)
        elif passphrase is not None:
            raise UsageError("--passphrase and --no-passphrase: give one of them")
        elif format_ == "cosign":
            raise UsageError("--no-passphrase: cosign's private keys are always encrypted")
        data = form.write(key, secret)
        write_whole(private, data, force=False, mode=0o600)
        write_whole(public, form.write_public(key), force=False)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    kept = "not encrypted: whoever reads it can sign" if secret is None else "encrypted"
    click.echo(f"{private}: private {key.public.name} key, {kept}")
    click.echo(f"{public}: public key {key.public.fingerprint}")


@command.command("show", context_settings=HELP_NAMES)
@click.argument("file", metavar="FILE")
@passphrase_option
def show_(file: str, passphrase: str | None) -> None:
    """Show what a file with a private or public key holds.

    Nothing of the private half is shown.

    \b
    Examples:
      assay key show release.pub
      assay key show release.key
      assay key show cosign.key --passphrase env:COSIGN_PASSWORD
    """
    from assay.produce.keys.files import asker, find_key, holds_private_key

    try:
        if holds_private_key(file):
            found = find_key(file)
            for notice in found.notices:
                click.echo(f"warning: {notice}", err=True)
            key = found.open(asker(passphrase, ask))
            state = "encrypted" if found.encrypted else "not encrypted"
            click.echo(f"private key  {key.public.name}, {found.form.name}, {state}")
            _show(key.public, key.number)
        else:
            for public, number in _public_keys(file):
                click.echo(f"public key   {public.name}")
                _show(public, number)
    except UsageError as error:
        raise click.UsageError(str(error)) from error


def _show(public: PublicKey, number: bytes | None) -> None:
    from assay.signatures.ed25519_lines import shown_number

    click.echo(f"fingerprint  {public.fingerprint}")
    if number is not None and public.name == "Ed25519":
        click.echo(f"minisign     {shown_number(number)}")


def _public_keys(file: str) -> list[tuple[PublicKey, bytes | None]]:
    from assay.crypto.public_key import KEY_SCHEME
    from assay.signatures.ed25519_lines import Ed25519Key
    from assay.trust.anchors import Trust

    found: list[tuple[PublicKey, bytes | None]] = []
    for key in Trust().add_key(file).keys:
        if key.scheme == KEY_SCHEME:
            found.append((key.material, None))
        elif key.scheme == "minisign" and isinstance(key.material, Ed25519Key):
            found.append((key.material.key, key.material.number))
    if not found:
        raise UsageError(f"{file}: a key of a kind that assay key does not show (OpenPGP, SSH)")
    return found


@command.command("export-public", context_settings=HELP_NAMES)
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", default="", metavar="FILE", help="Write to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["pem", "minisign", "ssh"]),
    default=None,
    help="Which tools have to read it.  [default: as the private key]",
)
@passphrase_option
def export_public(
    file: str, output: str, force: bool, format_: str | None, passphrase: str | None
) -> None:
    """Write the public key that belongs to a private one.

    \b
    Examples:
      assay key export-public release.key -o release.pub
      assay key export-public minisign.key --format pem
      assay key export-public release.key --format ssh -o release.ssh.pub
    """
    from assay.produce.keys.files import asker, find_key

    try:
        if output:
            check_target(Path(output), force=force, inputs=(file,))
        found = find_key(file)
        for notice in found.notices:
            click.echo(f"warning: {notice}", err=True)
        key = found.open(asker(passphrase, ask))
        data = _public_half(key, format_ or found.form.name)
        if output:
            write_whole(Path(output), data, force=force)
        else:
            sys.stdout.write(data.decode("ascii"))
    except UsageError as error:
        raise click.UsageError(str(error)) from error


def _public_half(key: SigningKey, form: str) -> bytes:
    """The public key as a file. Raises UsageError for one that has no place in such a file."""
    if form == "ssh":
        from assay.produce.formats.ssh import public_line

        return public_line(key) + b"\n"
    if misfit := form_named(form).misfit(key):
        raise UsageError(f"--format {form}: {misfit}")
    return form_named(form).write_public(key)

"""``assay sign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli import options
from assay.cli.help import GroupedCommand, grouped
from assay.cli.names import HELP_NAMES
from assay.cli.notary_options import notary_from, notary_options
from assay.cli.passphrase import key_options, open_key
from assay.cli.produced import Work, output_options, pairs
from assay.model.finding import UsageError

if TYPE_CHECKING:
    from assay.produce.subject import Subject


@click.command("sign", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@key_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(
        [
            "sigstore",
            "minisign",
            "dsse",
            "raw",
            "ssh",
            "signify",
            "simple-signing",
            "notary-jws",
            "notary-cose",
        ]
    ),
    default=None,
    metavar="FORM",
    help="The form of the signature.  [default: sigstore; minisign with a key of minisign]",
)
@output_options
@grouped(
    "What the signature says",
    click.option(
        "--annotation",
        multiple=True,
        metavar="NAME=VALUE",
        help="Sign this together with an image's digest.",
    ),
    click.option(
        "--trusted-comment",
        default=None,
        metavar="TEXT",
        help="What a minisign signature says.  [default: the time and the file's name]",
    ),
    click.option(
        "--payload-type",
        default="",
        metavar="TYPE",
        help="The media type in an envelope.  [default: in-toto's for a statement]",
    ),
    click.option(
        "--ssh-namespace",
        default="file",
        show_default=True,
        metavar="NAME",
        help="What an SSH signature is for.",
    ),
    click.option(
        "--signature-algorithm",
        default="",
        metavar="NAME",
        help="Another algorithm than is usual for the key: rsa-pss-sha256 ...",
    ),
)
@notary_options
@options.network_options
def command(images: tuple[str, ...], **given: Any) -> None:
    """Sign files or container images.

    A file gets a detached signature beside it. Of a container image (docker://..., oci:DIR) the
    digest of its manifest or index is signed, and the signature is attached to it there; a tag is
    resolved once. With -o it is written to a file instead.

    \b
    Forms of signatures:
      sigstore        a bundle, as cosign makes them: FILE.sigstore.json, or attached
      minisign        for minisign -V (Ed25519 keys): FILE.minisig
      dsse            an envelope around the file itself: FILE.envelope.json
      raw             the bare value, as openssl writes it: FILE.sig
      ssh             for ssh-keygen -Y verify: FILE.sig
      signify         for signify -V (Ed25519 keys): FILE.sig
      simple-signing  for images alone, as cosign made them before its version 3
      notary-jws      for notation, with --certificate: FILE.jws.sig, or attached
      notary-cose     the same in its other form: FILE.cose.sig, or attached

    Exit status: 0 signed, 2 wrong usage, 3 something could not be read or written.

    \b
    Examples:
      assay sign disk.img --key release.key
      assay sign *.tar.gz --key release.key --passphrase env:RELEASE_PASSPHRASE
      assay sign disk.img --key minisign.key --trusted-comment "disk 1.4"
      assay sign disk.img --key release.key --format raw -o disk.img.signature
      assay sign docker://registry.example/app:1.2 --key release.key
      assay sign oci:./layout --key cosign.key --annotation build=1432
      assay sign disk.img --key release.key --format notary-jws --certificate chain.pem

    \b
    Check it:
      assay verify disk.img --key release.pub
    """
    from assay.produce.formats.model import Wishes
    from assay.signing import find_subject, sign, suffix_of, usual_format

    with Work(given) as work:
        options.check_names(images)
        if given["output"] and len(images) > 1:
            raise UsageError("-o: give one image at a time")
        annotations = pairs(given["annotation"], "--annotation")
        key = open_key(given)
        wishes = Wishes(
            given["signature_algorithm"],
            given["trusted_comment"],
            given["payload_type"],
            namespace=given["ssh_namespace"],
        )
        notary = notary_from(given, work.options)
        found: list[tuple[str, Subject | None, Path | None]] = []
        # all of them first: nothing is signed while one of them is missing, or signed already
        for image in images:
            subject = find_subject(image, work.options)
            form = given["format_"] or usual_format(subject, key)
            target = work.target(subject, image, suffix_of(form))
            # a file is opened again, since so many cannot be open at once; a tag could move
            is_file = subject.digest is None and bool(subject.opened.folder)
            found.append((image, None if is_file else subject, target))
        for image, kept, target in found:
            subject = kept or find_subject(image, work.options)
            form = given["format_"] or usual_format(subject, key)
            progress = work.progress(subject)
            signed = sign(subject, key, form, wishes, annotations, progress, notary)
            work.deliver(signed, target, f"{form} signature", key)

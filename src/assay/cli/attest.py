"""``assay attest``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay import limits
from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.passphrase import key_options, open_key
from assay.cli.produced import Work, output_options
from assay.evidence.model import read_bounded


@click.command("attest", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("image", metavar="IMAGE")
@click.option(
    "--predicate",
    required=True,
    metavar="FILE",
    help="What is said of the image: a JSON object.",
)
@click.option(
    "--type",
    "type_",
    required=True,
    metavar="TYPE",
    help="Which type of statement that is: a name above, or a URI.",
)
@key_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["sigstore", "dsse"]),
    default="sigstore",
    show_default=True,
    help="A Sigstore bundle around the signed statement, or the envelope alone.",
)
@output_options
@options.network_options
def command(image: str, **given: Any) -> None:
    """Sign a statement about a file or a container image.

    The statement is an in-toto Statement v1 about the digest of the file, or of the image's
    manifest or index. The predicate goes into it as it stands. The outcome is written beside the
    file, or attached to the image (docker://..., oci:DIR); with -o it is written to a file instead.

    \b
    Types that have a name:
      slsaprovenance1   how it was built (SLSA provenance v1)
      slsaprovenance02  the same, v0.2
      vsa               what a check of it came to (SLSA verification summary)
      spdxjson          what is in it (SPDX)
      cyclonedx         the same (CycloneDX)
      vuln              which vulnerabilities a scan found (cosign's form)
      openvex           which of them matter (OpenVEX)
      link              one step of a supply chain (in-toto link)
      custom            anything else

    Exit status: 0 signed, 2 wrong usage, 3 something could not be read or written.

    \b
    Examples:
      assay attest disk.img --predicate built.json --type slsaprovenance1 --key my.key
      assay attest disk.img --predicate sbom.json --type cyclonedx --key my.key -o my.att
      assay attest oci:./layout --predicate t.json --type https://a.example/t --key my.key

    \b
    Check it:
      assay verify disk.img --attestation my.att --key my.pub
    """
    from assay.signing import attest, attestation_suffix, find_subject

    with Work(given) as work:
        predicate = read_bounded(Path(given["predicate"]), limits.DOCUMENT_SIZE // 2, "--predicate")
        key = open_key(given)
        subject = find_subject(image, work.options)
        kind, form = given["type_"], given["format_"]
        target = work.target(subject, image, attestation_suffix(kind, form))
        signed = attest(subject, key, kind, predicate, form, work.progress(subject))
        work.deliver(signed, target, "attestation", key)

"""``assay policy init``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from assay.appraisal.case import BuiltInRule
from assay.cli import options
from assay.cli.help import GroupedCommand
from assay.cli.names import HELP_NAMES
from assay.cli.output import worst
from assay.model.finding import UsageError
from assay.model.verdict import Decision, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust


@click.command("init", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-o", "--output", default="", metavar="FILE", help="Write it there, not to stdout.")
@options.anchor_options
@options.evidence_options
@options.image_options
@options.time_option
def init(images: tuple[str, ...], **given: Any) -> None:
    """Write a first policy, from images that are known to be good.

    The images are verified with the keys, authorities and identities given. Who vouched for them,
    how much was covered, and which statements came with them is what the policy asks of the next
    ones. Without anything to trust it asks, on a terminal; otherwise the policy lets in these very
    images alone.

    It is a beginning: read it, widen the names that it matches, and check it with `assay policy
    check`.

    \b
    Examples:
      assay policy init docker://registry.example/app:1.4 --key release.pub -o policy.yaml
      assay policy init disk.img --key release.pub
      assay policy init app.tar --ca company-root.pem --output policy.yaml
    """
    from assay.policy_documents.first import Material, first_policy

    output = given["output"]
    try:
        if output and Path(output).exists():
            raise UsageError(f"--output {output}: it exists, and is not written over")
        options.check_names(images)
        trust = options.trust_from(given)
        roots = list(given["trusted_root"])
        if not trust.anchors and sys.stdin.isatty() and sys.stderr.isatty():
            _ask(trust, roots)
        verdicts = _verified(images, trust, given)
        folder = Path(output).resolve().parent if output else Path.cwd()
        text = first_policy(
            verdicts,
            trust,
            Material(roots, given["tsa_ca"], given["crl"], given["ca_intermediate"]),
            folder,
        )
        _check(text, folder, images, given)
        if not output:
            click.echo(text, nl=False)
        else:
            _write(output, text)
    except UsageError as error:
        raise click.UsageError(str(error)) from error


def _verified(images: tuple[str, ...], trust: Trust, given: dict[str, Any]) -> list[Verdict]:
    """The verdicts on images that are good, or the end."""
    request = VerifyOptions(
        trust=trust,
        rule=BuiltInRule(self_consistent=not trust.anchors),
        formats=options.format_options_from(given),
        open=options.open_options_from(given),
        signatures=list(given["signature"]),
        attestations=list(given["attestation"]),
        at=options.time_from(given),
        look_beside=True,
    )
    verdicts = [verdict for image in images for verdict in verify(image, request)]
    bad = [each for each in verdicts if each.decision is not Decision.ALLOWED]
    if bad:
        from assay.report.text import render

        click.echo("No policy is made from what is not known to be good:\n", err=True)
        click.echo("\n".join(render(each, color=False) for each in bad), err=True, nl=False)
        raise click.exceptions.Exit(worst(bad))
    return verdicts


def _ask(trust: Trust, roots: list[str]) -> None:
    """Ask on the terminal who signs."""
    click.echo(
        "Who signs these images? A file with a public key or an authority's certificate, or a name"
        " that a certificate proves (an address, a URI). Nothing, to let in these images alone.",
        err=True,
    )
    answer = click.prompt("Signer", default="", show_default=False, err=True).strip()
    if not answer:
        return
    if not Path(answer).exists():
        issuer = click.prompt("Who identifies the signer (issuer)", err=True).strip()
        root = click.prompt("Trusted root (a file, or tuf for the usual)", default="tuf", err=True)
        trust.add_identity(answer, issuer)
        roots.append(root)
        if root == "tuf" or root.startswith("tuf:"):
            trust.add_tuf_root(root)
        else:
            trust.add_trusted_root(root)
    elif b"-----BEGIN CERTIFICATE" in Path(answer).read_bytes():
        trust.add_ca(answer)
    else:
        trust.add_key(answer)


def _check(text: str, folder: Path, images: tuple[str, ...], given: dict[str, Any]) -> None:
    """The policy lets in what it was made from: anything else is a defect, and is told."""
    from assay.policy.material import Surroundings
    from assay.policy_documents.fetch import Fetched
    from assay.policy_documents.load import load_documents

    opening = options.open_options_from(given)
    at = options.time_from(given)
    around = Surroundings(folder)
    loaded = load_documents([Fetched("the first policy", text.encode(), around)], opening, at)
    request = VerifyOptions(
        trust=Trust(),
        formats=options.format_options_from(given),
        open=opening,
        signatures=list(given["signature"]),
        attestations=list(given["attestation"]),
        at=at,
        policy=loaded,
        decider=loaded.decider(),
    )
    for image in images:
        for verdict in verify(image, request):
            if verdict.decision is not Decision.ALLOWED:
                click.echo(
                    f"warning: this policy does not let in {verdict.image} yet: {verdict.rule}",
                    err=True,
                )


def _write(output: str, text: str) -> None:
    try:
        with Path(output).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"--output {output}: {error.strerror or error}") from error
    click.echo(f"written: {os.fspath(output)}", err=True)


VERBS = (init,)

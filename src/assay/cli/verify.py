"""``assay verify``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from assay.appraisal.case import BuiltInRule
from assay.model.finding import UsageError
from assay.model.reading import Options
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust


@click.command("verify")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--digest", multiple=True, help="Trust the image with this digest (sha256:...).")
@click.option("--checksums", multiple=True, metavar="FILE", help="Trust a checksum file.")
@click.option("--key", multiple=True, metavar="FILE", help="Trust a key; its kind is recognised.")
@click.option("--signature", multiple=True, metavar="FILE", help="A detached signature file.")
@click.option("--platform", default="", metavar="OS/ARCH", help="Only this platform.")
@click.option("--type", "type_", default="", metavar="FORMAT", help="Force the image's format.")
@click.option("--all", "every", is_flag=True, help="Ask for every anchor, not one of each kind.")
@click.option("--threshold", default=1, help="How many anchors of each kind must vouch.")
@click.option("--self-consistent", is_flag=True, help="Accept an image nobody vouches for.")
@click.option("--at", default="", metavar="TIME", help="Judge validity at this RFC 3339 time.")
@click.option("--offline", is_flag=True, help="Make no network connection.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; only the exit status counts.")
@click.option("-v", "--verbose", count=True, help="Show paths of trust and all components.")
def command(
    images: tuple[str, ...],
    digest: tuple[str, ...],
    checksums: tuple[str, ...],
    key: tuple[str, ...],
    signature: tuple[str, ...],
    platform: str,
    type_: str,
    every: bool,
    threshold: int,
    self_consistent: bool,
    at: str,
    offline: bool,
    format_: str,
    quiet: bool,
    verbose: int,
) -> None:
    """Check that images are exactly what someone you trust published.

    \b
    Exit status: 0 verified and allowed, 1 refused, 2 usage error, 3 could not be checked.

    \b
    Examples:
      assay verify disk.img --checksums SHA256SUMS
      assay verify release.tar.gz --key publisher.pub
      assay verify oci:./layout --digest sha256:0123...
    """
    try:
        trust = Trust()
        for text in digest:
            trust.add_digest(text)
        for path in checksums:
            trust.add_checksums(path)
        for path in key:
            trust.add_key(path)
        options = VerifyOptions(
            trust=trust,
            rule=BuiltInRule(threshold, every, self_consistent),
            formats=Options(forced_type=type_),
            open=OpenOptions(offline=offline, platform=platform),
            signatures=list(signature),
            at=_time(at),
        )
        verdicts = [verdict for image in images for verdict in verify(image, options)]
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if not quiet:
        if format_ == "json":
            from assay.report import json

            sys.stdout.write(json.render(verdicts))
        else:
            from assay.report import text as text_report

            color = sys.stdout.isatty()
            sys.stdout.write(
                "\n".join(
                    text_report.render(verdict, color=color, verbose=verbose)
                    for verdict in verdicts
                )
            )
    statuses = {verdict.exit_status for verdict in verdicts}
    worst = next((status for status in (1, 3, 0) if status in statuses), 3)
    raise click.exceptions.Exit(worst)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at: {error}") from error
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value

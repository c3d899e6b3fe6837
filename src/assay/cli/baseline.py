"""``assay baseline``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from assay.appraisal.case import BuiltInRule
from assay.cli import options
from assay.cli.files import check_target, write_whole
from assay.cli.help import GroupedCommand, grouped
from assay.cli.names import HELP_NAMES
from assay.cli.output import use_color
from assay.cli.progress import Bar
from assay.evidence.baseline_document import CHUNK_SIZE, LARGEST_CHUNK, SMALLEST_CHUNK
from assay.model.digest import ALGORITHMS, Strength
from assay.model.finding import UsageError
from assay.pipeline import VerifyOptions
from assay.printable import printable
from assay.reference_values import Taken, take_baseline
from assay.report.style import counted, human_size
from assay.report.text import render

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class _Size(click.ParamType):  # type: ignore[type-arg]
    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("IB")
        number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "")
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            self.fail(f"{value!r} is not a size such as 1M or 65536", param, ctx)
        size = int(number) * _UNITS[unit]
        if not SMALLEST_CHUNK <= size <= LARGEST_CHUNK:
            self.fail(
                f"{value} is not between {human_size(SMALLEST_CHUNK)} and"
                f" {human_size(LARGEST_CHUNK)}",
                param,
                ctx,
            )
        return size


@click.command("baseline", cls=GroupedCommand, context_settings=HELP_NAMES)
@click.argument("image", metavar="IMAGE")
@click.option("-o", "--output", default="", metavar="FILE", help="Write to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option(
    "--chunk-size",
    type=_Size(),
    default=CHUNK_SIZE,
    metavar="SIZE",
    help="The bytes that get a digest of their own: the resolution of damage reports.  [default:"
    " 1M]",
)
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    default=("sha256",),
    show_default=True,
    type=click.Choice(
        [name for name, known in ALGORITHMS.items() if known.strength is Strength.BINDING]
    ),
    metavar="NAME",
    help="Digests to take; the first one is used for chunks too.",
)
@grouped(
    "Other reference values, in place of a baseline",
    click.option("--verity", is_flag=True, help="Write a dm-verity hash tree, print its root."),
    click.option(
        "--verity-salt", default="", metavar="HEX", help="Its salt (random); - for none at all."
    ),
    click.option("--verity-uuid", default="", metavar="UUID", help="Its name (random)."),
    click.option(
        "--verity-parameter",
        multiple=True,
        metavar="NAME=VALUE",
        help="superblock=no, hash-type, data-block-size, hash-block-size, data-blocks.",
    ),
    click.option("--fs-verity", is_flag=True, help="Print the fs-verity digest."),
    *options.fs_verity_parameters(),
)
@options.anchor_options
@options.evidence_options
@options.image_options
@options.time_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(image: str, output: str, **given: Any) -> None:
    """Write reference values of an IMAGE, ready to be signed.

    The result is an in-toto statement with the digest and size of every component and the digest
    of every chunk. The same image gives the same bytes on any machine. With it, `assay verify
    --baseline` says where an image is damaged, and not only that it is.

    The image has to agree with itself and, where something to trust is given, to be vouched for.
    Exit status: 0 written, 1 the image was refused, 2 wrong usage, 3 something could not be read
    or written.

    \b
    Examples:
      assay baseline disk.img -o disk.img.baseline.json
      assay baseline disk.img --checksums SHA256SUMS -o disk.img.baseline.json
      assay baseline docker://registry.example/app:1.2 --platform linux/amd64 -o app.json
      assay baseline root.img --verity -o root.verity
      assay baseline disk.img --chunk-size 64K --algorithm sha512 | jq .subject

    \b
    Sign it, and check an image against it:
      assay sign disk.img.baseline.json --key publisher.key
      assay verify disk.img --baseline disk.img.baseline.json --key publisher.pub
    """
    try:
        if output:
            check_target(Path(output), force=given["force"], inputs=(image,))
        trust = options.trust_from(given)
        request = VerifyOptions(
            trust=trust,
            rule=BuiltInRule(self_consistent=not (trust.anchors or trust.notation)),
            formats=options.format_options_from(given),
            open=options.open_options_from(given),
            signatures=list(given["signature"]),
            at=options.time_from(given),
        )
        if given["verity"] or given["fs_verity"]:
            from assay.cli import hash_trees

            hash_trees.produce(image, request, output, given)
        with Bar(wanted=not given["quiet"]) as bar:
            request.progress = bar
            taken = take_baseline(
                image, request, list(dict.fromkeys(given["algorithms"])), given["chunk_size"]
            )
        if len(taken) > 1:
            raise UsageError(f"{image} stands for {len(taken)} images; name one of them")
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    _deliver(taken[0], output, given)
    raise click.exceptions.Exit(taken[0].verdict.exit_status)


def _deliver(taken: Taken, output: str, given: dict[str, Any]) -> None:
    verdict, baseline, document = taken.verdict, taken.baseline, taken.document
    if baseline is None or document is None:
        sys.stderr.write(render(verdict, color=use_color(sys.stderr)))
        sys.stderr.write("no baseline was written\n")
        return
    for skipped in verdict.not_checked:
        click.echo(f"left out: {printable(skipped.component)}: {skipped.reason}", err=True)
    if not output:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(Path(output), document, force=given["force"])
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        chunks = sum(
            len(part.chunks.values) // ALGORITHMS[part.chunks.algorithm].size
            for part in baseline.parts
            if part.chunks is not None
        )
        click.echo(
            f"{output}: {counted(len(baseline.parts), 'component')} of {printable(verdict.image)}"
            f" ({human_size(verdict.coverage.total)}), {counted(chunks, 'chunk')} of"
            f" {human_size(given['chunk_size'])}"
        )

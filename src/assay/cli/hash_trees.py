"""``assay baseline --verity`` and ``--fs-verity``."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path
from typing import Any, NoReturn

import click

from assay.cli.files import write_whole
from assay.cli.output import use_color
from assay.cli.progress import Bar
from assay.cli.verity_options import fs_verity_from, parameters_from
from assay.formats.verity.parameters import Parameters
from assay.hash_trees import grow_tree, take_fs_verity
from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions
from assay.printable import printable
from assay.report.text import render

_SALT_SIZE = 32


def produce(image: str, request: VerifyOptions, output: str, given: dict[str, Any]) -> NoReturn:
    """Write or print what was asked for, and end. Raises UsageError."""
    if given["verity"] and given["fs_verity"]:
        raise UsageError("--verity and --fs-verity are two different things; ask for one at a time")
    with Bar(wanted=not given["quiet"]) as bar:
        request.progress = bar
        verdict = (_tree if given["verity"] else _digest)(image, request, output, given)
    raise click.exceptions.Exit(verdict.exit_status)


def _tree(image: str, request: VerifyOptions, output: str, given: dict[str, Any]) -> Verdict:
    if not output:
        raise UsageError("--verity writes a hash tree; say with -o to which file")
    stated = parameters_from(given)
    with_superblock = stated.pop("superblock", True)
    stated.setdefault("algorithm", given["algorithms"][0])
    stated.setdefault("salt", os.urandom(_SALT_SIZE))
    name = _uuid(given["verity_uuid"]) if with_superblock else None
    grown = grow_tree(image, request, Parameters(**stated), name)
    if grown.root is None or grown.file is None:
        return _refused(grown.verdict)
    write_whole(Path(output), grown.file, force=given["force"])
    click.echo(grown.root.hex())
    if not given["quiet"]:
        click.echo(
            f"{output}: the hash tree over {printable(image)}, salt {stated['salt'].hex() or '-'};"
            " its root hash is printed on standard output",
            err=True,
        )
    return grown.verdict


def _uuid(text: str) -> bytes:
    if not text:
        return uuid.uuid4().bytes
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        raise UsageError(f"--verity-uuid {text[:60]}: no UUID") from None


def _digest(image: str, request: VerifyOptions, output: str, given: dict[str, Any]) -> Verdict:
    if output:
        raise UsageError("--fs-verity prints a digest, and writes no file")
    wanted = fs_verity_from(given, given["algorithms"][0])
    verdict, digest = take_fs_verity(image, request, wanted)
    if digest is None:
        return _refused(verdict)
    click.echo(f"{digest} {image}")
    return verdict


def _refused(verdict: Verdict) -> Verdict:
    sys.stderr.write(render(verdict, color=use_color(sys.stderr)))
    return verdict

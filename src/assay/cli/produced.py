"""What the verbs that sign share: where the outcome goes, and what is said about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from assay.cli.files import check_target, write_whole
from assay.cli.help import Command
from assay.cli.options import open_options_from
from assay.cli.output import use_color
from assay.cli.progress import Bar
from assay.model.finding import AssayError, UsageError
from assay.printable import printable

if TYPE_CHECKING:
    from assay.produce.signing_key import SigningKey
    from assay.produce.subject import Subject
    from assay.signing import Signed

_COULD_NOT = 3
"""Exit status where something could not be read or written."""


def output_options(command: Command) -> Command:
    """Where the outcome goes."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
        click.option("--force", is_flag=True, help="Replace the file if it exists."),
        click.option(
            "-o",
            "--output",
            default="",
            metavar="FILE",
            help="Write to this file, and attach nothing (- is standard output).",
        ),
        click.option(
            "--signature-repository",
            "attach_to",
            default="",
            metavar="NAME",
            help="Attach to images in this repository (HOST/REPOSITORY) instead of their own.",
        ),
    ):
        command = option(command)
    return command


class Work:
    """Signing, with a progress bar. Use as a context manager: errors become what the command line
    says of them, and its exit status."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._output, self._force = given["output"], given["force"]
        self._quiet = given["quiet"]
        self._repository = given["attach_to"]
        self._given = given
        self._bar = Bar(wanted=not self._quiet)

    def __enter__(self) -> Work:
        self._bar.__enter__()
        return self

    @property
    def options(self) -> Any:
        """How images may be reached. Raises UsageError."""
        return open_options_from(self._given | {"platform": ""})

    def progress(self, subject: Subject) -> Callable[[int], None]:
        """What counts the bytes of the subject as they are read."""
        self._bar.expect(subject.label, subject.opened.root.size or 0)
        return self._bar.advance

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.__exit__(kind, error, trace)
        if isinstance(error, UsageError):
            raise click.UsageError(str(error)) from error
        if isinstance(error, AssayError):
            from assay.report.findings import finding_lines
            from assay.report.style import painter

            lines = finding_lines(error.finding, painter(use_color(sys.stderr)))
            click.echo("\n".join(lines), err=True)
            raise click.exceptions.Exit(_COULD_NOT) from error

    def target(self, subject: Subject, image: str, suffix: str) -> Path | None:
        """The file to write, if one is to be: refuse one that is there before any work is done.
        Raises UsageError."""
        if self._repository and (self._output or subject.digest is None):
            raise UsageError("--signature-repository is for what is attached to an image")
        if self._output == "-" or (not self._output and subject.digest is not None):
            return None
        if self._output and not suffix:
            raise UsageError("-o: signatures of this form are stored with the image, in no file")
        if not self._output and not subject.opened.folder:
            raise UsageError(f"{image} is no file that something can be put beside; give -o FILE")
        beside = Path(subject.opened.folder) / (subject.label + suffix)
        path = Path(self._output) if self._output else beside
        check_target(path, force=self._force, inputs=(image,))
        return path

    def deliver(self, signed: Signed, target: Path | None, what: str, key: SigningKey) -> None:
        """Write the outcome, or attach it. Raises AssayError, OSError, UsageError."""
        self._bar.clear()
        if target is not None:
            write_whole(target, signed.data, force=self._force)
            where = f"{target}: {what}"
        elif self._output:
            sys.stdout.buffer.write(signed.data)
            sys.stdout.buffer.flush()
            return
        else:
            digest = signed.attach(self.options, self._repository)
            place = f" in {self._repository}" if self._repository else ""
            where = f"{signed.subject.opened.resolved}: {what} attached{place} as {digest},"
        if not self._quiet:
            public = key.public
            click.echo(f"{printable(where)} by the {public.name} key {public.fingerprint}")


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a dict. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals or name in found:
            why = "given twice" if name in found else "expected NAME=VALUE"
            raise UsageError(f"{option} {text}: {why}")
        found[name] = value
    return found

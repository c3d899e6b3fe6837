"""The help texts of the command line, taken apart: what the reference pages and the manual pages
are both made from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from assay.cli.help import sections
from assay.cli.main import VERBS, cli

EXIT_STATUS = {
    0: "verified and allowed",
    1: "refused: a finding or a rule says no",
    2: "the command line or a configuration is wrong",
    3: "could not be checked: unreachable, unreadable, nothing to check against",
    130: "interrupted; nothing was decided",
}


@dataclass
class Block:
    """A paragraph, or lines that stay as they are below a heading (which may be empty).
    ``commands`` says that the lines are command lines."""

    text: str = ""
    lines: list[str] = field(default_factory=list)
    commands: bool = False


def blocks(command: click.Command) -> Iterator[Block]:
    """The description of a verb."""
    for raw in inspect.cleandoc(command.help or "").split("\n\n"):
        paragraph = raw.strip("\n")
        if "\b" not in paragraph:
            yield Block(" ".join(paragraph.split()))
            continue
        lines = paragraph.replace("\b", "").strip("\n").splitlines()
        heading = lines.pop(0) if not lines[0].startswith(" ") else ""
        indent = min(len(line) - len(line.lstrip()) for line in lines)
        lines = [line[indent:] for line in lines]
        yield Block(heading, lines, any("assay " in line for line in lines))


def verbs() -> Iterator[tuple[list[str], click.Command]]:
    """Every verb with its path, those of groups included."""

    def below(path: list[str], command: click.Command) -> Iterator[tuple[list[str], click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            with click.Context(command, **command.context_settings) as context:
                for name in command.list_commands(context):
                    inner = command.get_command(context, name)
                    if inner is not None:
                        yield from below([*path, name], inner)

    with click.Context(cli, **cli.context_settings) as context:
        for verb in VERBS:
            command = cli.get_command(context, verb)
            if command is not None:
                yield from below([verb], command)


def _context(command: click.Command, path: list[str]) -> click.Context:
    parent = click.Context(cli, info_name="assay", **cli.context_settings)
    return click.Context(command, parent, " ".join(path)) if path else parent


def usage(command: click.Command, path: list[str]) -> str:
    """``assay verify [OPTIONS] IMAGE...``"""
    return " ".join(_context(command, path).get_usage().removeprefix("Usage: ").split())


def options(command: click.Command, path: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Options with their meanings, by heading."""
    return sections(command, _context(command, path))

"""Help texts in which options stand in groups, each under a heading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

OTHER = "Options"
"""The heading of options that belong to no group."""

_HEADINGS: dict[str, str] = {}
"""Option name (``--digest``) -> heading."""


def grouped(heading: str, *options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, under a heading in the help."""

    def decorate(command: Command) -> Command:
        before = len(getattr(command, "__click_params__", ()))
        for option in reversed(options):
            command = option(command)
        for parameter in getattr(command, "__click_params__", ())[before:]:
            _HEADINGS[parameter.opts[-1]] = heading
        return command

    return decorate


class GroupedCommand(click.Command):
    """A verb of which some options have headings (`grouped`); those of its own come first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, records in sections(self, ctx).items():
            with formatter.section(heading):
                formatter.write_dl(records)


def sections(command: click.Command, context: click.Context) -> dict[str, list[tuple[str, str]]]:
    """The options of a verb with their meanings, by heading."""
    own: list[tuple[str, str]] = []
    found: dict[str, list[tuple[str, str]]] = {OTHER: own}
    last: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not isinstance(parameter, click.Option):
            continue
        heading = _HEADINGS.get(parameter.opts[-1])
        if parameter.name == "help":
            last.append(record)
        elif heading is None:
            own.append(record)
        else:
            found.setdefault(heading, []).append(record)
    if own or len(found) == 1:
        own += last
        return {heading: records for heading, records in found.items() if records}
    *_, end = found.values()
    end += last
    return {heading: records for heading, records in found.items() if records}

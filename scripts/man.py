"""Writes the manual pages: ``python scripts/man.py [FOLDER]`` (``build/man/man1`` by default).

``man -l build/man/man1/assay-verify.1`` shows one; copy them to a folder ``man1`` below one of
those that ``manpath`` lists to have them found.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from helptext import EXIT_STATUS, blocks, options, usage, verbs

from assay.cli.main import VERBS, cli
from assay.version import __version__

ENVIRONMENT = {
    "NO_COLOR": "where it is set, nothing is coloured",
    "ASSAY_DEFAULT_REGISTRY": "the registry of image names that have none",
    "REGISTRY_AUTH_FILE, DOCKER_CONFIG": "where credentials for registries are",
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY": "how servers are reached",
}


def escaped(text: str) -> str:
    """Text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line[:1] == "." else line for line in text.split("\n"))


def page(path: list[str], command: click.Command) -> str:
    """One manual page."""
    name = "-".join(["assay", *path])
    lines = [
        f'.TH {name.upper()} 1 "" "Assay {__version__}" "Assay"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(_purpose(path, command))}",
        ".SH SYNOPSIS",
        f".B {escaped(usage(command, path))}",
        ".SH DESCRIPTION",
    ]
    examples: list[str] = []
    statuses: list[str] = []
    for block in blocks(command):
        into = examples if block.commands else lines
        if block.text == "Exit status:":
            into = statuses
        elif block.text and block.text != "Examples:":
            into += [".PP", escaped(block.text)]
        if block.lines:
            into += [".PP", ".nf", ".RS", *map(escaped, block.lines), ".RE", ".fi"]
    lines.append(".SH OPTIONS")
    for heading, records in options(command, path).items():
        if heading != "Options":
            lines.append(f".SS {escaped(heading)}")
        for option, meaning in records:
            lines += [".TP", f".B {escaped(option)}", escaped(meaning)]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for verb, meaning in _commands(path, command):
            lines += [
                ".TP",
                f".BR {escaped('-'.join(['assay', *path, verb]))} (1)",
                escaped(meaning),
            ]
    if examples:
        lines += [".SH EXAMPLES", *examples]
    if not path:
        for status, meaning in EXIT_STATUS.items():
            statuses += [".TP", f".B {status}", escaped(meaning)]
    if statuses:
        lines += [".SH EXIT STATUS", *statuses]
    lines.append(".SH ENVIRONMENT")
    for variables, meaning in ENVIRONMENT.items():
        lines += [".TP", f".B {escaped(variables)}", escaped(meaning)]
    others = ["assay", *(f"assay-{verb}" for verb in VERBS)]
    also = [f".BR {escaped(other)} (1)" for other in others if other != name]
    lines += [".SH SEE ALSO", *(f"{line}," for line in also[:-1]), also[-1]]
    tidy = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line != ".PP" or not before.startswith(".SH")
    ]
    return "\n".join(tidy) + "\n"


def _purpose(path: list[str], command: click.Command) -> str:
    if not path:
        return "prove that an image is exactly what a trusted party published"
    text = VERBS.get(path[0]) if len(path) == 1 else command.get_short_help_str(100)
    text = (text or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _commands(path: list[str], group: click.Group) -> list[tuple[str, str]]:
    if not path:
        return list(VERBS.items())
    with click.Context(group, **group.context_settings) as context:
        found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [(name, inner.get_short_help_str(100)) for name, inner in found if inner is not None]


def write(folder: Path) -> list[Path]:
    """All pages; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for path, command in [([], cli), *verbs()]:
        file = folder / ("-".join(["assay", *path]) + ".1")
        file.write_text(page(path, command), "utf-8")
        written.append(file)
    return written


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/man/man1")
    print(f"{len(write(target))} manual pages in {target}")

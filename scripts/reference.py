"""Writes the reference pages that come from code: one a command, one a finding code, the API.

``python scripts/reference.py`` fills ``docs/reference``; the site generator does the rest. The
pages are not kept in version control, so they cannot go out of date.
"""

from __future__ import annotations

import inspect
import shutil
from collections import defaultdict
from pathlib import Path

import click

from assay import limits, plugins
from assay.cli.main import VERBS, cli
from assay.model.codes import codes_in
from assay.model.finding import Code

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def write(name: str, text: str) -> None:
    path = REFERENCE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", "utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _help_text(command: click.Command) -> str:
    """The help of a command as Markdown: its examples become a code block."""
    paragraphs: list[str] = []
    for raw in inspect.cleandoc(command.help or "").split("\n\n"):
        paragraph = raw.strip("\n")
        if "\b" in paragraph:
            lines = paragraph.replace("\b", "").strip("\n").splitlines()
            if lines and not lines[0].startswith(" "):
                paragraphs.append(lines.pop(0))
            paragraphs.append(
                "```console\n" + "\n".join(f"$ {line.strip()}" for line in lines) + "\n```"
            )
        else:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def _options(command: click.Command, path: str) -> str:
    rows = ["| option | meaning |", "| --- | --- |"]
    with click.Context(command, info_name=path) as context:
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                rows.append(f"| `{_cell(record[0])}` | {_cell(record[1])} |")
        usage = command.get_usage(context)
    return f"```console\n{usage}\n```\n\n" + "\n".join(rows)


def commands() -> list[str]:
    """A page for each verb, those of groups included."""
    written: list[str] = []

    def page(command: click.Command, path: list[str]) -> None:
        name = "-".join(path)
        body = f"# assay {' '.join(path)}\n\n{_help_text(command)}\n\n"
        body += _options(command, "assay " + " ".join(path))
        write(f"commands/{name}.md", body)
        written.append(name)
        if isinstance(command, click.Group):
            with click.Context(command) as context:
                for inner in command.list_commands(context):
                    found = command.get_command(context, inner)
                    if found is not None:
                        page(found, [*path, inner])

    with click.Context(cli) as context:
        for verb in VERBS:
            command = cli.get_command(context, verb)
            if command is not None:
                page(command, [verb])
    rows = ["| command | what it does |", "| --- | --- |"]
    rows += [f"| [`assay {verb}`]({verb}.md) | {text} |" for verb, text in VERBS.items()]
    write(
        "commands/index.md",
        "# Commands\n\n" + _help_text(cli) + "\n\n" + "\n".join(rows) + "\n\n## Exit status\n\n"
        "| status | meaning |\n| --- | --- |\n"
        "| 0 | verified and allowed |\n| 1 | refused: a finding or a rule says no |\n"
        "| 2 | the command line or a configuration is wrong |\n"
        "| 3 | could not be checked: unreachable, unreadable, nothing to check against |\n"
        "| 130 | interrupted; nothing was decided |\n",
    )
    return written


def findings() -> list[str]:
    """A page for each finding code, and their list."""
    families: dict[str, list[Code]] = defaultdict(list)
    for family, module in plugins.each("assay.codes"):
        families[family] += codes_in(module)
    index = ["# Findings", "", "`assay explain CODE` prints any of these pages.", ""]
    written: list[str] = []
    for family, codes in sorted(families.items()):
        index += [f"## {family}", "", "| code | title | severity |", "| --- | --- | --- |"]
        for code in sorted(codes, key=lambda code: code.name):
            index.append(
                f"| [`{code.name}`]({code.name}.md) | {_cell(code.title)} | {code.severity.value} |"
            )
            write(
                f"findings/{code.name}.md",
                f"# {code.name}\n\n**{code.title}**\n\n"
                f"Severity: {code.severity.value}. It is about whether the image is"
                f" {code.question.value}.\n\n## What was checked\n\n{code.checked}\n\n"
                f"## What it usually means\n\n{code.means}\n\n## What to do\n\n{code.remedy}\n",
            )
            written.append(code.name)
        index.append("")
    write("findings/index.md", "\n".join(index))
    return written


def bounds() -> None:
    """The limits on what hostile input may make Assay do."""
    rows = ["| limit | value |", "| --- | --- |"]
    for name, value in vars(limits).items():
        if name.isupper() and name not in ("KIB", "MIB", "GIB"):
            rows.append(f"| `{name}` | {_amount(value)} |")
    write(
        "limits.md",
        "# Limits\n\nEvery bound on what input may make Assay do. Input beyond a limit gets the"
        " finding [`limit-exceeded`](findings/limit-exceeded.md) or one of its kind; it is never"
        " read in part and passed.\n\n" + "\n".join(rows),
    )


def _amount(value: object) -> str:
    if isinstance(value, int):
        for unit, size in (("GiB", limits.GIB), ("MiB", limits.MIB), ("KiB", limits.KIB)):
            if value >= size and value % size == 0:
                return f"{value // size:,} {unit}"
        return f"{value:,}"
    return str(value)


def interface() -> None:
    """The public Python API, from its docstrings."""
    import assay

    text = ["# Python API", "", inspect.cleandoc(assay.__doc__ or ""), ""]
    for name in getattr(assay, "__all__", ()):
        value = getattr(assay, name)
        if inspect.isclass(value):
            text += [f"## class {name}", "", inspect.cleandoc(value.__doc__ or ""), ""]
            for member, function in inspect.getmembers(value, inspect.isfunction):
                if member.startswith("_") or not function.__doc__:
                    continue
                text += [
                    f"### {name}.{member}",
                    "",
                    f"```python\n{member}{inspect.signature(function)}\n```",
                    "",
                    inspect.cleandoc(function.__doc__),
                    "",
                ]
        elif callable(value):
            text += [
                f"## {name}",
                "",
                f"```python\n{name}{inspect.signature(value)}\n```",
                "",
                inspect.cleandoc(value.__doc__ or ""),
                "",
            ]
    write("api.md", "\n".join(text))


def main() -> None:
    shutil.rmtree(REFERENCE, ignore_errors=True)
    commands()
    codes = findings()
    bounds()
    interface()
    print(f"reference written: {len(codes)} finding codes")


if __name__ == "__main__":
    main()

"""Writes the reference pages that come from code: one a command, one a finding code, the API.

``python scripts/reference.py`` fills ``docs/reference``; the site generator does the rest. The
pages are not kept in version control, so they cannot go out of date.
"""

from __future__ import annotations

import inspect
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from helptext import EXIT_STATUS, blocks, options, usage, verbs

from assay import limits, plugins
from assay.cli.main import VERBS, cli
from assay.model.codes import codes_in
from assay.model.finding import Code
from assay.policy import vocabulary
from assay.report import schemas

DOCS = Path(__file__).parent.parent / "docs"
REFERENCE, DECISIONS = DOCS / "reference", DOCS / "adr"


def write(name: str, text: str) -> None:
    path = REFERENCE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", "utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _help_text(command: click.Command) -> str:
    """The help of a command as Markdown: its examples become a code block."""
    paragraphs: list[str] = []
    for block in blocks(command):
        if block.text:
            paragraphs.append(block.text)
        if block.lines:
            kind, prompt = ("console", "$ ") if block.commands else ("text", "")
            lines = "\n".join(prompt + line for line in block.lines)
            paragraphs.append(f"```{kind}\n{lines}\n```")
    return "\n\n".join(paragraphs)


def _options(command: click.Command, path: list[str]) -> str:
    parts = []
    for heading, records in options(command, path).items():
        parts.append(f"## {heading}")
        rows = ["| option | meaning |", "| --- | --- |"]
        rows += [f"| `{_cell(option)}` | {_cell(meaning)} |" for option, meaning in records]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def commands() -> None:
    """A page for each verb, those of groups included."""
    for path, command in verbs():
        title, synopsis = f"# assay {' '.join(path)}", f"```text\n{usage(command, path)}\n```"
        body = [title, synopsis, _help_text(command), _options(command, path)]
        write(f"commands/{'-'.join(path)}.md", "\n\n".join(body))
    rows = ["| command | what it does |", "| --- | --- |"]
    rows += [f"| [`assay {verb}`]({verb}.md) | {text} |" for verb, text in VERBS.items()]
    statuses = ["| status | meaning |", "| --- | --- |"]
    statuses += [f"| {status} | {meaning} |" for status, meaning in EXIT_STATUS.items()]
    write(
        "commands/index.md",
        "\n\n".join(
            ["# Commands", _help_text(cli), "\n".join(rows), "## Exit status", "\n".join(statuses)]
        ),
    )


def json_schemas() -> None:
    """The JSON Schemas, each as a file beside a page that lists them."""
    rows = ["| schema | of |", "| --- | --- |"]
    for name in schemas.names():
        write(f"schemas/{name}.json", schemas.text_of(name))
        rows.append(f"| [`{name}`]({name}.json) | {_cell(schemas.title_of(name))} |")
    write(
        "schemas/index.md",
        "# JSON Schemas\n\n`assay schema NAME` prints any of these. A minor release may add"
        " properties and enumerated values; none is removed and none changes its meaning without"
        " a new number in the name.\n\n" + "\n".join(rows),
    )


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


_POLICY = """What may stand in a policy document. [Write a policy](../how-to/policy.md) goes through
an example; `assay schema policy` prints the JSON Schema."""


def policy() -> None:
    """Every key of a policy, from the structs that its reader goes by."""
    from assay.policy.schema import policy_schema

    schema = policy_schema()
    parts = [
        "# Policy",
        _POLICY,
        f"**Patterns.** {_plain(vocabulary.PATTERNS)}",
        f"**Ages.** {_plain(vocabulary.AGES)}",
        f"**Moments.** {_plain(vocabulary.MOMENTS)}",
    ]
    pending, seen = ["Policy"], {"Policy"}
    while pending:
        name = pending.pop(0)
        one = schema if name == "Policy" else schema["$defs"][name]
        parts += [f"## {name}", one["description"]]
        rows = ["| key | value | meaning |", "| --- | --- | --- |"]
        for key, value in one["properties"].items():
            inner = [ref.rpartition("/")[2] for ref in _references(value)]
            pending += [each for each in dict.fromkeys(inner) if each not in seen]
            seen.update(inner)
            needed = " (needed)" if key in one.get("required", ()) else ""
            meaning = value.get("description", "")
            if not meaning and inner:
                meaning = schema["$defs"][inner[0]]["description"]
            rows.append(f"| `{key}`{needed} | {_kind(value)} | {_cell(meaning)} |")
        parts.append("\n".join(rows))
        if "oneOf" in one:
            parts.append(
                "Exactly one of: " + ", ".join(f"`{r['required'][0]}`" for r in one["oneOf"])
            )
    write("policy.md", "\n\n".join(parts))


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def _references(value: object) -> list[str]:
    if isinstance(value, list):
        return [ref for each in value for ref in _references(each)]
    if not isinstance(value, dict):
        return []
    return [value["$ref"]] if "$ref" in value else _references(list(value.values()))


def _kind(value: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_kind(each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    match value.get("type"):
        case "array":
            return f"list of: {_kind(value['items'])}"
        case "object":
            return f"by name: {_kind(value['additionalProperties'])}"
        case "string" if value.get("pattern") in _FORMS:
            return _FORMS[value["pattern"]]
        case "string":
            return "text"
        case "boolean":
            return "`true` or `false`"
    return "number"


_FORMS = {vocabulary.AGE_FORM: "age", vocabulary.MOMENT_FORM: "moment", r"^[\s\S]+$": "pattern"}


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


def decisions() -> None:
    """The list of architecture decision records."""
    rows = ["| | decision |", "| --- | --- |"]
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ADR ")
        number, _, name = title.partition(": ")
        rows.append(f"| {number} | [{_cell(name)}](../adr/{path.name}) |")
    introduction = (DECISIONS / "README.md").read_text("utf-8").rstrip()
    write("decisions.md", introduction + "\n\n" + "\n".join(rows))


def interface() -> None:
    """The public Python API, from its docstrings."""
    import assay

    introduction = inspect.cleandoc(assay.__doc__ or "")
    text = ["# Python API", "", _as_markdown(introduction), ""]
    for name in sorted(assay.__all__, key=lambda name: (not name.islower(), name)):
        value = getattr(assay, name)
        if inspect.isclass(value):
            text += [f"## class {name}", "", _as_markdown(inspect.getdoc(value) or ""), ""]
            members = inspect.getmembers(value, inspect.isfunction)
            public = [(n, f) for n, f in members if not n.startswith("_") and f.__doc__]
            if not public and (fields := getattr(value, "__annotations__", {})):
                text += ["| field | type |", "| --- | --- |"]
                text += [f"| `{field}` | `{_cell(str(kind))}` |" for field, kind in fields.items()]
                text.append("")
                for member, found in inspect.getmembers(value, lambda m: isinstance(m, property)):
                    text += [f"`{member}`: {inspect.getdoc(found) or ''}", ""]
                if "__bool__" in vars(value):
                    text += [f"In a condition: {inspect.getdoc(value.__bool__) or ''}", ""]
            for member, function in public:
                text += _function(f"{name}.{member}", member, function, "###")
        elif callable(value):
            text += _function(name, name, value, "##")
    write("api.md", "\n".join(text))


def _function(title: str, name: str, function: Callable[..., object], level: str) -> list[str]:
    found = inspect.signature(function)
    parameters: list[str] = []
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parameters:
            parameters.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parameters.append(f"{parameter.name}: {parameter.annotation}{default}")
    result = f" -> {found.return_annotation}"
    signature = f"def {name}({', '.join(parameters)}){result}"
    if len(signature) > 72:
        signature = f"def {name}(\n    " + ",\n    ".join(parameters) + f",\n){result}"
    code = f"```python\n{signature}\n```"
    return [f"{level} {title}", "", code, "", _as_markdown(inspect.getdoc(function) or ""), ""]


def _as_markdown(text: str) -> str:
    """A docstring: indented code becomes a block of its own."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("    "):
            paragraph = f"```python\n{inspect.cleandoc(paragraph)}\n```"
        paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def main() -> None:
    shutil.rmtree(REFERENCE, ignore_errors=True)
    commands()
    codes = findings()
    json_schemas()
    policy()
    bounds()
    decisions()
    interface()
    print(f"reference written: {len(codes)} finding codes")


if __name__ == "__main__":
    main()

"""What may come next on an unfinished command line, for the shells' completion scripts.

Parameters are completed by what their help calls them (``FILE``, ``IMAGE`` ...), so that a new
option needs nothing of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import click

from assay import plugins

Candidate = tuple[str, str]
"""A word and what it means; the word `FILES` stands for all files, after the prefix that is then
in the place of the meaning."""

FILES = "\0"

_TRANSPORTS = {
    "oci": ("oci:", "an OCI image layout in a directory"),
    "oci-archive": ("oci-archive:", "an OCI image layout in a tar archive"),
    "docker-archive": ("docker-archive:", "what docker save writes"),
    "dir": ("dir:", "a directory as skopeo copy writes it"),
    "esp": ("esp:", "a directory with the files of an EFI system partition"),
    "docker": ("docker://", "an image in a registry"),
    "http": ("http://", "a file on a web server of this machine"),
    "https": ("https://", "a file on a web server"),
}
_SECRETS = {
    "secret:": "a file that holds a shared secret",
    "secret:env:": "an environment variable that holds one",
    "secret:fd:": "a file descriptor that it can be read from",
}
_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/s390x")


def candidates(cli: click.Command, words: Sequence[str], incomplete: str) -> Iterator[Candidate]:
    """The words that may stand where ``incomplete`` stands, after the complete ``words``."""
    command, rest = _command(cli, words)
    options = {name: option for option in _options(command) for name in option.opts}
    positional: list[str] = []
    awaiting: click.Option | None = None
    only_arguments = False
    for word in rest:
        if awaiting is not None:
            awaiting = None
        elif word == "--":
            only_arguments = True
        elif word.startswith("-") and word != "-" and not only_arguments:
            awaiting = _awaiting(options.get(word))
        else:
            positional.append(word)
    if awaiting is not None:
        yield from _values(awaiting, incomplete, "")
        return
    name, equals, value = incomplete.partition("=")
    if equals and (option := _awaiting(options.get(name))) is not None and not only_arguments:
        yield from _values(option, value, name + equals)
    elif incomplete.startswith("-") and not only_arguments:
        for option in _options(command):
            for word in option.opts:
                if word.startswith(incomplete):
                    yield word, option.help or ""
    elif isinstance(command, click.Group):
        with click.Context(command, **command.context_settings) as context:
            for verb in command.list_commands(context):
                if verb.startswith(incomplete):
                    yield verb, _meaning(command, context, verb)
    else:
        argument = _argument(command, len(positional))
        if argument is not None:
            yield from _values(argument, incomplete, "")


def _command(cli: click.Command, words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The verb that the words lead to, and the words after it."""
    command, rest = cli, list(words)
    while isinstance(command, click.Group):
        found = next((n for n, word in enumerate(rest) if not word.startswith("-")), None)
        if found is None:
            break
        with click.Context(command, **command.context_settings) as context:
            inner = command.get_command(context, rest[found])
        if inner is None:
            break
        command, rest = inner, rest[found + 1 :]
    return command, rest


def _meaning(group: click.Group, context: click.Context, verb: str) -> str:
    from assay.cli.main import VERBS, cli

    if group is cli:
        return VERBS[verb]
    command = group.get_command(context, verb)
    return command.get_short_help_str(80) if command is not None else ""


def _options(command: click.Command) -> list[click.Option]:
    with click.Context(command, **command.context_settings) as context:
        return [
            parameter
            for parameter in command.get_params(context)
            if isinstance(parameter, click.Option) and not parameter.hidden
        ]


def _awaiting(option: click.Option | None) -> click.Option | None:
    """The option, where a value follows it."""
    return option if option is not None and not option.is_flag and not option.count else None


def _argument(command: click.Command, position: int) -> click.Argument | None:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    for argument in arguments:
        if argument.nargs < 0 or position < argument.nargs:
            return argument
        position -= argument.nargs
    return None


def _values(parameter: click.Parameter, incomplete: str, lead: str) -> Iterator[Candidate]:
    """The values of a parameter that begin with ``incomplete``, each with ``lead`` before it."""
    if isinstance(parameter.type, click.Choice):
        words: Iterator[Candidate] = ((str(choice), "") for choice in parameter.type.choices)
    else:
        name = re.split(r"[^A-Z/]+", (parameter.metavar or parameter.human_readable_name).upper())
        kind = next((part for part in name if part), "")
        if parameter.name == "key":
            kind = "KEY"
        words = _KINDS.get(kind, _nothing)(incomplete)
    for word, meaning in words:
        if word == FILES:
            yield FILES, lead + meaning
        elif word.startswith(incomplete):
            yield lead + word, meaning


def _nothing(_: str) -> Iterator[Candidate]:
    return iter(())


def _files(_: str) -> Iterator[Candidate]:
    yield FILES, ""


def _images(incomplete: str) -> Iterator[Candidate]:
    known = plugins.names("assay.sources")
    for name, (word, meaning) in _TRANSPORTS.items():
        if name not in known:
            continue
        if incomplete.startswith(word):
            if not word.endswith("//"):
                yield FILES, word
            return
        yield word, meaning
    yield FILES, ""


def _keys(incomplete: str) -> Iterator[Candidate]:
    if incomplete.startswith("secret:"):
        if incomplete.startswith(("secret:env:", "secret:fd:")):
            return
        yield FILES, "secret:"
    else:
        yield FILES, ""
    yield from _SECRETS.items()


def _reports(incomplete: str) -> Iterator[Candidate]:
    from assay.cli.reports import SIGNED

    name, equals, _ = incomplete.partition("=")
    if equals:
        yield FILES, f"{name}="
        return
    for form in plugins.names("assay.reports"):
        yield f"{form}=", plugins.load("assay.reports", form).description
    for form, meaning in SIGNED.items():
        yield f"{form}=", meaning


def _formats(_: str) -> Iterator[Candidate]:
    return ((name, "") for name in plugins.names("assay.formats"))


def _platforms(_: str) -> Iterator[Candidate]:
    return ((name, "") for name in _PLATFORMS)


def _codes(_: str) -> Iterator[Candidate]:
    from assay.report.findings import registry

    return ((code.name, code.title) for code in registry().values())


def _schemas(_: str) -> Iterator[Candidate]:
    from assay.report import schemas

    return ((name, schemas.title_of(name)) for name in schemas.names())


_KINDS: dict[str, Callable[[str], Iterator[Candidate]]] = {
    "FILE": _files,
    "DIR": _files,
    "PATH": _files,
    "IMAGE": _images,
    "KEY": _keys,
    "CODE": _codes,
    "FORMAT": _formats,
    "FORM": _reports,
    "OS/ARCH": _platforms,
    "SCHEMA": _schemas,
}


def answer(words: Sequence[str]) -> str:
    """What the scripts of `cli.completion` read: a line for each candidate, ``value WORD MEANING``
    or ``files PREFIX`` parted by tabs. The last of ``words`` is the unfinished one."""
    from assay.cli.main import cli

    *complete, incomplete = words or [""]
    lines: dict[str, None] = {}
    for word, meaning in candidates(cli, complete, incomplete):
        lines[f"files\t{meaning}" if word == FILES else f"value\t{word}\t{meaning}"] = None
    return "".join(f"{line}\n" for line in lines)

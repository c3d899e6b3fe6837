"""Completion: what is offered, and that three shells on a terminal really complete with it."""

from __future__ import annotations

import os
import pty
import select
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.cli.complete import FILES, candidates
from assay.cli.completion import SCRIPTS
from assay.cli.main import VERBS, cli
from tests.cli.support import ENVIRONMENT, assay
from tests.signatures.support import tool


def _offered(line: str) -> dict[str, str]:
    *words, incomplete = line.split(" ")
    return dict(candidates(cli, words, incomplete))


def test_verbs() -> None:
    assert set(_offered("")) == set(VERBS)
    assert set(_offered("ver")) == {"verify"}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("explain digest-mis", "digest-mismatch"),
        ("schema ver", "verdict-1"),
        ("completion z", "zsh"),
        ("verify --self", "--self-consistent"),
        ("verify disk.img --format js", "json"),
        ("verify --format=js", "--format=json"),
        ("verify --type ra", "raw"),
        ("verify --platform linux/a", "linux/amd64"),
        ("verify oc", "oci:"),
        ("inspect disk.img dock", "docker://"),
        ("verify --key sec", "secret:"),
        ("verify -- -x oc", "oci:"),
        ("verify disk.img --report sa", "sarif="),
    ],
)
def test_words(line: str, word: str) -> None:
    assert word in _offered(line)


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("verify ", ""),
        ("verify -q disk", ""),
        ("verify oci:lay", "oci:"),
        ("verify disk.img --key pub", ""),
        ("verify --key secret:se", "secret:"),
        ("verify --key=pub", "--key="),
        ("verify --checksums ", ""),
        ("verify --signature ", ""),
        ("verify --tls-ca ", ""),
        ("verify --report html=rep", "html="),
        ("verify --report=html=rep", "--report=html="),
    ],
)
def test_files(line: str, prefix: str) -> None:
    assert _offered(line).get(FILES) == prefix


def test_every_option_that_takes_a_file_completes_files() -> None:
    for verb in VERBS:
        for option in _offered(f"{verb} --"):
            metavar = _metavar(verb, option)
            if "FILE" in metavar:
                before = "text=" if metavar == "FORM=FILE" else ""
                assert FILES in _offered(f"{verb} {option} {before}"), (verb, option)


def _metavar(verb: str, name: str) -> str:
    command = cli.get_command(cli.make_context("assay", ["--"], resilient_parsing=True), verb)
    assert command is not None
    return next((p.metavar or "" for p in command.params if name in p.opts), "")


@pytest.mark.parametrize(
    "line",
    [
        "no-such-verb ",
        "verify --digest ",
        "verify --key=",
        "-x -y",
        "verify --no=x",
        "explain a b ",
    ],
)
def test_nothing_is_no_error(line: str) -> None:
    _offered(line)
    assert assay("__complete", *line.split(" ")).returncode == 0


class Terminal:
    """A shell on a terminal of its own, in which a user types."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        environment = ENVIRONMENT | {
            "TERM": "dumb", "HOME": str(folder), "PS1": "$ ", "COLUMNS": "160",
            "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder),
            "PATH": f"{folder}:{os.environ['PATH']}",
        }  # fmt: skip
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execve(arguments[0], arguments, environment)
        self.seen = ""

    def type(self, text: str) -> None:
        self.seen = ""
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + 60
        while text not in self.seen:
            ready, _, _ = select.select([self._fd], [], [], max(0, until - time.monotonic()))
            assert ready, f"{text!r} does not appear in {self.seen!r}"
            try:
                heard = os.read(self._fd, 4096).decode("utf-8", "replace")
                self.seen += heard.replace("\a", "")
            except OSError:
                raise AssertionError(f"the shell ended: {self.seen!r}") from None

    def close(self) -> None:
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        os.close(self._fd)


_START = {
    "bash": (["--norc", "--noprofile", "-i"], "source ./completion\n"),
    "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -u; source ./completion\n"),
    "fish": (["--no-config", "-i"], "source ./completion\n"),
}


@pytest.fixture(params=list(SCRIPTS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    name: str = request.param
    path = tool(name)
    command = tmp_path / "assay"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m assay "$@"\n')
    command.chmod(0o755)
    (tmp_path / "completion").write_text(assay("completion", name).stdout)
    (tmp_path / "layout of mine").mkdir()
    (tmp_path / "publisher.pub").touch()
    arguments, start = _START[name]
    terminal = Terminal([path, *arguments], tmp_path)
    try:
        terminal.type(start + "echo re''ady\n")
        terminal.wait_for("ready")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("assay expl", "explain"),
        ("assay explain digest-mis", "digest-mismatch"),
        ("assay verify --self", "--self-consistent"),
        ("assay verify x --format js", "json"),
        ("assay verify --key publ", "publisher.pub"),
        ("assay verify --key=publ", "--key=publisher.pub"),
        ("assay verify docker:", "docker://"),
        ("assay verify oci:lay", "oci:layout\\ of\\ mine/"),
    ],
)
def test_a_shell_completes(shell: Terminal, typed: str, completed: str) -> None:
    shell.type(typed + "\t")
    shell.wait_for(completed)

"""What the documentation says can be done can be done."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from assay.cli.main import VERBS, cli
from assay.report.findings import registry
from tests.signatures.support import tool

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("how-to/*.md")]
)


def _script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(ROOT / "scripts"), *sys.path])
    return importlib.import_module(name)


def _command_lines(page: Path) -> Iterator[str]:
    """The command lines with ``assay`` in a page's code blocks, each up to the next pipe."""
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
        joined = block.replace("\\\n", " ")
        for line in joined.splitlines():
            for part in re.split(r"\||&&|;|(?<![<>])>(?!=)", line.removeprefix("$ ")):
                words = part.strip()
                if re.match(r"(\S*/)?assay (?!\()", words):
                    yield words


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command, **command.context_settings), words[0])
        assert inner is not None, f"there is no verb {words[0]}"
        command, words = inner, words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_shown_exist(page: Path) -> None:
    for line in _command_lines(page):
        command, words = _command(shlex.split(line.replace("…", "0"), comments=True)[1:])
        known = {name for parameter in command.params for name in parameter.opts} | {
            "--help",
            "--version",
        }
        options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert options <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_findings_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = re.findall(r"reference/findings/([a-z0-9-]+)\.md", text)
    named += re.findall(r"assay explain ([a-z][a-z0-9-]+)", text)
    named += re.findall(r"^\s+(?:error|warning)  ([a-z0-9-]+)  at ", text, re.M)
    assert set(named) - {"index"} <= set(registry())


def test_a_manual_page_for_every_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = _script("man", monkeypatch).write(tmp_path)
    assert {"assay.1", *(f"assay-{verb}.1" for verb in VERBS)} <= {path.name for path in written}
    done = subprocess.run(
        [tool("mandoc"), "-T", "lint", "-W", "error", *written], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    shown = subprocess.run(
        ["mandoc", "-T", "ascii", tmp_path / "assay-verify.1"], capture_output=True, text=True
    ).stdout
    text = re.sub(r".\x08", "", shown)
    for part in ("NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{part}\n" in text
    assert "--checksums FILE" in text
    assert "assay verify disk.img --checksums SHA256SUMS" in text


def test_the_reference_is_made_from_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = _script("reference", monkeypatch)
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    reference.main()
    for code in registry():
        assert (tmp_path / "findings" / f"{code}.md").is_file()
    for verb in VERBS:
        assert f"# assay {verb}" in (tmp_path / "commands" / f"{verb}.md").read_text("utf-8")
    api = (tmp_path / "api.md").read_text("utf-8")
    for name in (
        "## verify",
        "## inspect",
        "## class Trust",
        "### Trust.add_key",
        "## class Verdict",
    ):
        assert name in api


def _python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk.img").write_bytes(b"")
    (tmp_path / "SHA256SUMS").write_text(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  disk.img\n"
    )
    [block] = _python_blocks(ROOT / "README.md")
    exec(compile(block, "README.md", "exec"), {})
    assert "allowed" in capsys.readouterr().out


def test_links_within_the_readme_lead_somewhere() -> None:
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        ROOT / "CHANGELOG.md",
    ):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
            if "://" not in target:
                assert (ROOT / target).exists(), (page.name, target)

"""Every parser has a fuzz target, and the runner notices what breaks."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import plugins

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
FUZZ = ROOT / "fuzz"

PARSES = ("parse", "read", "decode", "load", "recognise", "prepare", "inline", "unbundle")
"""How functions begin that turn bytes or text into something."""

NOT_FUZZED = {
    "assay.api": "hands what users give to readers that have targets",
    "assay.model.reading": "the interface of formats",
    "assay.model.signature": "the interface of signature schemes",
    "assay.evidence.model": "the interface of evidence readers",
    "assay.formats.explore": "goes through the formats; fuzz_verify gets there",
    "assay.formats.raw": "reads nothing; fuzz_verify gets there",
    "assay.policy_import.load": "hands files of the user to readers that have targets",
    "assay.plugins": "reads what the installed packages say",
    "assay.produce.keys.files": "hands files of the user to readers that have targets",
    "assay.trust.secrets": "reads secrets of the user",
    "assay.sources.blobs": "hands bytes on as they are",
    "assay.sources.https": "its parsers have targets of their own",
}


def _module(path: Path) -> str:
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """The modules of Assay that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = {_module(path): path for path in SOURCE.rglob("*.py")}


def _reached() -> set[str]:
    """What the targets import, and what that imports of its own package."""
    pending = [name for path in FUZZ.glob("fuzz_*.py") for name in _imports(path)]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in found or name not in MODULES or name in ("assay", "assay.pipeline"):
            continue
        found.add(name)
        package = ".".join(name.split(".")[:2])
        pending += [other for other in _imports(MODULES[name]) if other.startswith(package + ".")]
    return found


def _parsers() -> Iterator[str]:
    """Modules with a function that is handed bytes or text to understand."""
    for name, path in MODULES.items():
        if name.startswith(("assay.cli", "assay.report", "assay.appraisal")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            if node.name.split("_")[0] not in PARSES:
                continue
            taken = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
            if any(
                kind.split(" | ")[0] in ("bytes", "memoryview", "str", "Site") for kind in taken
            ):
                yield name
                break


def test_every_parser_has_a_fuzz_target() -> None:
    reached = _reached()
    missing = sorted(set(_parsers()) - reached - set(NOT_FUZZED))
    assert not missing, "write fuzz/fuzz_NAME.py for them"


def test_every_format_and_scheme_has_a_fuzz_target() -> None:
    reached = _reached()
    assert (FUZZ / "fuzz_evidence.py").exists()  # goes through every evidence reader
    for group in ("assay.formats", "assay.signatures"):
        for name in plugins.names(group):
            module = plugins._entries()[group][name].partition(":")[0]
            if module.startswith("assay.") and module not in NOT_FUZZED:
                assert module in reached, (group, name)


def test_every_exception_is_still_needed() -> None:
    assert set(NOT_FUZZED) <= set(_parsers())


@pytest.mark.parametrize("name", sorted(path.stem[5:] for path in FUZZ.glob("fuzz_*.py")))
def test_no_sample_breaks_a_target(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(FUZZ), *sys.path])
    target, samples = importlib.import_module("run").load(name)
    for sample in [b"", *samples]:
        target(sample)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "run.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )


def test_every_target_can_be_run() -> None:
    listed = _run(FUZZ, "--list").stdout.split()
    assert listed == sorted(path.stem[5:] for path in FUZZ.glob("fuzz_*.py"))
    for path in FUZZ.glob("fuzz_*.py"):
        names = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        assert "one_input" in names, path


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        ("data.decode('ascii', 'replace')", False),
        ("assert b'sha256' not in data", True),
        ("bytes(3)[len(data)] if data.endswith(b'}') else 0", True),
        ("import os; os.abort() if len(data) > 3 else 0", True),
    ],
)
def test_what_breaks_is_told_and_kept(tmp_path: Path, body: str, broken: bool) -> None:
    for name in ("run.py", "samples.py"):
        shutil.copy(FUZZ / name, tmp_path)
    (tmp_path / "fuzz_mine.py").write_text(f"def one_input(data):\n    {body}\n")
    done = _run(tmp_path, "--all", "--plain", "--seconds", "0.1")
    assert done.returncode == (1 if broken else 0), done.stderr
    if "abort" in body:
        assert "mine: ended by signal 6" in done.stderr
    elif broken:
        [kept] = (tmp_path / "crashes").iterdir()
        again = _run(tmp_path, "--only", "mine", "--input", str(kept))
        assert again.returncode == 1

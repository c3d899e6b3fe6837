"""The table of attacks names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.findall(r"`([a-z0-9_/]+\.py)::(test_\w+)`", (TESTS / "README.md").read_text("utf-8"))


def test_every_test_in_the_table_exists() -> None:
    assert len(NAMED) > 50
    missing = []
    for path, name in NAMED:
        tree = ast.parse((TESTS / path).read_text("utf-8"))
        if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
            missing.append(f"{path}::{name}")
    assert not missing

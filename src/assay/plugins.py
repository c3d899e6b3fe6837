"""Finds what is plugged in: formats, signature schemes, keys, evidence readers, sources.

Built-in parts and those of other distributions register in the same way, as entry points. The
files are read here and not with `importlib.metadata`, whose import alone takes longer than a
whole verification of a small file (ADR 0003).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

GROUPS = (
    "assay.codes",
    "assay.evidence",
    "assay.formats",
    "assay.keys",
    "assay.policies",
    "assay.predicates",
    "assay.reports",
    "assay.signatures",
    "assay.sources",
)


@cache
def _entries() -> dict[str, dict[str, str]]:
    """Group -> name -> ``module:object``. The first distribution on the path wins a name."""
    found: dict[str, dict[str, str]] = {group: {} for group in GROUPS}
    seen: set[str] = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - an iterator of paths takes longer
        except OSError:
            continue
        for name in sorted(names):
            if name in seen or not name.endswith((".dist-info", ".egg-info")):
                continue
            seen.add(name)
            try:
                text = Path(folder, name, "entry_points.txt").read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            if "[assay." in text:
                _parse(text, found)
    return found


def _parse(text: str, found: dict[str, dict[str, str]]) -> None:
    group: dict[str, str] | None = None
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            group = found.get(line.strip("[]"))
        elif group is not None and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            group.setdefault(name.strip(), value.strip())


def names(group: str) -> list[str]:
    """The names plugged in under a group, in the order in which they registered."""
    return list(_entries()[group])


def targets(group: str) -> list[str]:
    """Where the plug-ins of a group are: ``module:object``, or a module."""
    return list(_entries()[group].values())


@cache
def load(group: str, name: str) -> Any:
    """Import and return one plug-in. Raises KeyError when there is none of that name."""
    module, _, attribute = _entries()[group][name].partition(":")
    loaded: Any = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def each(group: str) -> Iterator[tuple[str, Any]]:
    """Every plug-in of a group, imported as it is reached."""
    for name in names(group):
        yield name, load(group, name)

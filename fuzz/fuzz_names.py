"""Fuzz target: digests and patterns for names."""

from __future__ import annotations

import contextlib

from assay.model.digest import Digest
from assay.model.identity import NamePattern
from assay.printable import printable


def one_input(data: bytes) -> None:
    """Anything but a ValueError is a defect."""
    text = data.decode("utf-8", "surrogateescape")
    with contextlib.suppress(ValueError):
        assert str(Digest.parse(text)) == text
    if not text.startswith("regex:"):
        with contextlib.suppress(ValueError):
            pattern = NamePattern.parse(text)
            assert text.startswith("glob:") or pattern.matches(text)
    assert printable(text).isprintable()
    assert printable(data).isprintable()

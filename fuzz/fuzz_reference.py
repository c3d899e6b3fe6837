"""Fuzz target: any text is a reference that survives being written and read, or a ValueError."""

from __future__ import annotations

import contextlib

from assay.model.finding import UsageError
from assay.sources.registry.reference import parse_reference
from assay.sources.registry.source import parse_name


def one_input(data: bytes) -> None:
    """Parse the bytes as an image's name, with and without a default registry."""
    text = data.decode("utf-8", "replace")
    for rest in (text, f"//{text}"):
        with contextlib.suppress(UsageError):
            parse_name(rest)
    for default in ("", "registry.example:5000"):
        try:
            reference = parse_reference(text, default)
        except ValueError:
            continue
        assert parse_reference(str(reference)) == reference

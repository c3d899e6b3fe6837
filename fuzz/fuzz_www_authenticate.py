"""Fuzz target: any header value gives challenges, or links, or a ValueError."""

from __future__ import annotations

from contextlib import suppress

from assay.sources.http.headers import next_page, parse_challenges


def one_input(data: bytes) -> None:
    """Parse the bytes as ``WWW-Authenticate`` and as ``Link``."""
    text = data.decode("latin-1")
    with suppress(ValueError):
        parse_challenges(text)
    with suppress(ValueError):
        next_page([text])

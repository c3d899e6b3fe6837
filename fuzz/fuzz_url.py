"""Fuzz target: any text is a URL that survives being written and read, or a ValueError."""

from __future__ import annotations

from assay.sources.http.url import join_url, parse_url

_BASE = parse_url("https://registry.example/v2/")


def one_input(data: bytes) -> None:
    """Parse the bytes as a URL, and as the target of a redirect."""
    text = data.decode("utf-8", "replace")
    for parse in (parse_url, lambda target: join_url(_BASE, target)):
        try:
            url = parse(text)
        except ValueError:
            continue
        assert parse_url(str(url)) == url

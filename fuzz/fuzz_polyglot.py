"""Fuzz target: any bytes can be looked at for what else they may be."""

from __future__ import annotations

from assay.formats.polyglot import PolyglotSink


def one_input(data: bytes) -> None:
    """Look at the bytes in pieces of any size; the size makes no difference."""
    answers = set()
    for step in (len(data) or 1, 1 + (data[0] if data else 0)):
        sink = PolyglotSink()
        for at in range(0, len(data), step):
            sink.update(memoryview(data)[at : at + step])
        answers.add(sink.finish().findings)
    assert len(answers) == 1

"""Nothing here may hang: a test that takes minutes has found something."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

SECONDS = 240


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"not done within {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)

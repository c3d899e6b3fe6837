"""Forbids connections: whatever tries one fails the test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def no_sockets() -> Iterator[list[str]]:
    """Within it no socket is made and no name is resolved. The list has what was tried."""
    tried: list[str] = []

    def refuse(name: str) -> Any:
        def refused(*arguments: Any, **_: Any) -> Any:
            tried.append(f"{name}{arguments[1:3]}")
            raise AssertionError(f"a connection was tried: {name}")

        return refused

    with pytest.MonkeyPatch.context() as patch:
        for name in ("__init__", "connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse(name))
        for name in ("create_connection", "getaddrinfo", "gethostbyname"):
            patch.setattr(socket, name, refuse(name))
        yield tried
    assert not tried

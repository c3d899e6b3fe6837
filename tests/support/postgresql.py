"""A PostgreSQL server of its own on loopback, from Debian's package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.peers import free_port


class PostgreSql:
    """A server that can be killed and started again. ``url`` names a database in it."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "assay", "-N")

    @property
    def url(self) -> str:
        return f"postgresql+pg8000://assay@127.0.0.1:{self._port}/postgres"

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._programs / program, *words],
            check=True, capture_output=True, user=self._user, cwd=self._folder, timeout=120,
        )  # fmt: skip

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres", "-D", str(self._folder / "data"),
                    "-p", str(self._port), "-c", "listen_addresses=127.0.0.1",
                    "-c", f"unix_socket_directories={self._folder}",
                ],
                stdout=log, stderr=log, user=self._user, cwd=self._folder,
            )  # fmt: skip
        ready = [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self._port)]
        for _ in range(1200):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: at once and in order (SIGINT), or as a crash does (SIGQUIT)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


@contextmanager
def postgresql() -> Iterator[PostgreSql]:
    """A new server, running; skips the test where there is no such program."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    where = shutil.which("initdb")
    programs = found[-1].parent if found else Path(where).parent if where else None
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    pytest.importorskip("pg8000")
    # it refuses to run as root, and may not enter the folders that pytest makes
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="assay-pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        server = PostgreSql(programs, folder, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()

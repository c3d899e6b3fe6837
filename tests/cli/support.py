"""Runs the command line as a user would, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SECONDS = 120
"""Nothing that a test starts may take longer: beyond it, it hangs."""

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.lower().endswith("_proxy")
    and name not in ("NO_COLOR", "COLUMNS", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "ASSAY_DEBUG")
}

Done = subprocess.CompletedProcess[str]


def assay(
    *arguments: str | os.PathLike[str],
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    **more: Any,
) -> Done:
    """The outcome of one call, which must end, and without a traceback."""
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.run(
        [sys.executable, "-m", "assay", *arguments],
        **(options | more),
        stdin=subprocess.DEVNULL,
        text=True,
        errors="surrogateescape",
        cwd=cwd,
        env=ENVIRONMENT | (env or {}),
        timeout=SECONDS,
        check=False,
    )
    for stream in (done.stdout, done.stderr):
        assert "Traceback" not in (stream or ""), stream
        assert "error  internal-error" not in (stream or ""), stream
    return done


def assay_here(*arguments: str | os.PathLike[str], cwd: Path) -> Done:
    """The same in this process, which is faster and enough where it is only about the text."""
    from assay.cli.main import main

    words = [os.fspath(argument) for argument in arguments]
    stdout = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    before = sys.argv, Path.cwd()
    sys.argv = ["assay", *words]
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv = before[0]
        os.chdir(before[1])
    said = []
    for stream in (stdout, stderr):
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        said.append(buffer.getvalue().decode("utf-8"))
    assert isinstance(status, int)
    assert "Traceback" not in said[1]
    assert "error  internal-error" not in said[0]
    return Done(words, status, *said)

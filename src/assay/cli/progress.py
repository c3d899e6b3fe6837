"""A progress bar on standard error, only on a terminal and only for work that takes a while."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

WORTH_SHOWING = 256 * 1024 * 1024
"""Bytes to read from which on a bar is shown; less is done before it could be seen."""


ROOMY = 72
"""Columns of a terminal from which on a line has room for everything."""


class Bar:
    """Shows bytes read, rate and time left. Use as a context manager."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: int | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar away, for something else to be written."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None

    def expect(self, image: str, size: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, visible=False)  # type: ignore[arg-type]
            self._task = None
        if not self._wanted or 0 < size < WORTH_SHOWING:
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        roomy = console.width >= ROOMY
        name, bar = (24, None) if roomy else (12, 10)
        if self._progress is None:
            columns: list[ProgressColumn] = [
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=bar),
            ]
            if roomy:
                columns += [DownloadColumn(binary_units=True), TransferSpeedColumn()]
            else:
                columns.append(TextColumn("{task.percentage:>3.0f} %", markup=False))
            self._progress = Progress(
                *columns,
                TimeRemainingColumn(),
                console=console,
                expand=roomy,
                transient=True,
                # the answer on standard output is not the bar's to redraw
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._progress.start()
        self._task = self._progress.add_task(image[-name:], total=size or None)

    def advance(self, count: int, /) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)  # type: ignore[arg-type]

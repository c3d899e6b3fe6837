"""Where the ``assay`` command begins: before anything that takes time to import.

Ctrl-C in the first moments would end in a traceback from the middle of an import. Until `main` can
answer it, it just ends the process, as it does a program that has no handler.

Importing makes tens of thousands of objects that stay. To look for garbage among them, again and
again while they are made and once more at the end, would be a tenth of the time that the check of
a small file takes.
"""

from __future__ import annotations

import gc
import signal

_OBJECTS = 50_000
"""Objects made before the collector looks for garbage; Python's own choice is 700."""


def main() -> None:
    """Run the command line (`assay.cli.main.main`) in a process of its own."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(_OBJECTS, 20, 20)
    from assay.cli.main import main as run

    try:
        run(handler)
    finally:
        gc.freeze()  # all is thrown away now, garbage or not

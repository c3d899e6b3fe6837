"""Where the ``assay`` command begins: before anything that takes time to import.

Ctrl-C in the first moments would end in a traceback from the middle of an import. Until `main` can
answer it, it just ends the process, as it does a program that has no handler.
"""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line (`assay.cli.main.main`)."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from assay.cli.main import main as run

    run(handler)

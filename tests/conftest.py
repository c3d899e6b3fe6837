"""What every test relies on."""

from __future__ import annotations

import os
import signal

# What one test measured must not serve another: those about kept facts have a store of their own.
os.environ["ASSAY_NO_CACHE"] = "1"

# Whoever starts the tests in the background of a shell has them, and all programs that they start,
# ignore interrupts. Tests that interrupt a program need one that listens.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A short name for bytes, which may be made anew each time (keys, certificates, times): tests
    that run side by side have to be called the same in every process."""
    return argname if isinstance(val, bytes) and len(val) > 8 else None

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

"""What a measurement was made on, and whether the machine had nothing else to do."""

from __future__ import annotations

import os
import platform
import ssl
from pathlib import Path

IDLE_LOAD = 0.3
"""Load average, for each core, up to which a machine counts as idle."""


def describe() -> dict[str, object]:
    """The processor, how many cores, memory, kernel, Python and OpenSSL."""
    model = "unknown processor"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1024 * 1024)
    except (OSError, StopIteration):
        memory = 0
    return {
        "processor": model,
        "cores": os.cpu_count() or 1,
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
    }


def busy() -> str:
    """What is to be said of the load; empty when the machine is idle."""
    load = os.getloadavg()[0]
    if load <= IDLE_LOAD * (os.cpu_count() or 1):
        return ""
    return f"the machine is not idle (load {load:.2f}): trust ratios and processor time, not times"

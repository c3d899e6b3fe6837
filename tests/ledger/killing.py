"""Kills processes while they append, over and over, and says what the ledger held afterwards.

    python -m tests.ledger.killing LEDGER ROUNDS SEED

Prints a line for each round: how many entries had been acknowledged by then, how many there are,
and what an audit found. It has no threads, so that it can fork: a new interpreter for each round
would take longer than all the rest.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from typing import NoReturn

from assay.ledger.audit import audit
from assay.ledger.log import Log
from assay.ledger.store import Store
from assay.transparency.note import NoteSigner
from tests.ledger.support import entries, signer


def append_for_ever(location: str, key: NoteSigner, acknowledged: int) -> NoReturn:
    log = Log(Store(location), key)
    while True:
        sealed = log.append(entries(random.randint(1, 4)))
        os.write(acknowledged, b"%d\n" % sealed.indexes.stop)


def one_round(location: str, key: NoteSigner, *, patient: bool) -> int:
    """The size of the ledger as last acknowledged to the process that was killed; 0 for never.
    Being ``patient`` lets it append once, so that not all are killed while they start."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        append_for_ever(location, key, writer)
    os.close(writer)
    first = os.read(reader, 64) if patient else b""
    time.sleep(random.random() * 0.06)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as said:
        lines = (first + said.read()).split()
    return int(lines[-1]) if lines else 0


def main(location: str, rounds: int, seed: int) -> None:
    random.seed(seed)
    key = signer()
    Log.create(location, key).store.close()
    known = 0
    for number in range(rounds):
        known = max(known, one_round(location, key, patient=number % 3 == 0))
        log = Log(Store(location), key)
        size = log.checkpoint()[0].size
        # the whole of it now and then, and at the end: what matters each time is the size
        whole = number % 20 == 19 or number == rounds - 1
        found = [finding.code for finding in audit(log).findings] if whole else []
        log.store.close()
        print(known, size, ",".join(found) or "sound", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

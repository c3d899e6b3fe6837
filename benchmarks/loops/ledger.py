"""Appends to a ledger on SQLite: SECONDS FOLDER BATCH [damaged].

Every batch is one transaction that is on disk, under a signed checkpoint, before the next begins.
"""

from __future__ import annotations

import os
import sys
import tempfile
from itertools import count
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.ledger import entry
from assay.ledger.audit import audit
from assay.ledger.log import Log
from assay.model.finding import AssayError
from assay.pipeline import VerifyOptions, verify
from assay.transparency.note import KeyType, NoteSigner
from assay.trust.anchors import Trust
from benchmarks.loops.clock import seconds_from

_TIME = "2026-01-01T00:00:00Z"


def main() -> int:
    seconds, folder, size = seconds_from(sys.argv), Path(sys.argv[2]), int(sys.argv[3])
    (verdict,) = verify(str(folder / "file"), VerifyOptions(Trust()))
    signer = NoteSigner("benchmark.example", KeyType.ED25519, Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory(dir=folder) as name:
        os.environ["XDG_STATE_HOME"] = name
        log = Log.create(f"{name}/ledger.db", signer)
        log.append([entry.record(verdict, _TIME, entry.Context(ticket="0"))])
        if "damaged" in sys.argv:
            with log.store.write() as transaction:
                transaction.put_tiles({(0, 0): bytes(32)})
        done = 0
        start = perf_counter()
        for batch in count():
            contexts = (entry.Context(ticket=f"{batch}-{number}") for number in range(size))
            try:
                log.append([entry.record(verdict, _TIME, context) for context in contexts])
            except AssayError as error:
                print(error, file=sys.stderr)
                return 1
            done += size
            if perf_counter() - start >= seconds:
                break
        taken = perf_counter() - start
        found = audit(log)
        log.store.close()
        if not found.sound or found.size != done + 1:
            return 1
    print(f"rate: {done / taken:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

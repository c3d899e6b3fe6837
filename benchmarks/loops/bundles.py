"""Assay in library mode: SECONDS FOLDER identity|key MOST, a folder by `benchmarks.minted`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from assay.measure.hashing import sink_for
from assay.model.signature import Key, Status
from assay.signatures.sigstore.scheme import SCHEME_PLUGIN
from assay.trust.anchors import Trust
from benchmarks.loops.clock import loop, seconds_from


def verify(data: bytes, artifact: bytes, keys: list[Key], anchor: str, now: datetime) -> bool:
    """Whether a bundle makes the anchor vouch for the artifact: everything from JSON to the
    last proof, with nothing kept from one bundle to the next but what the package itself keeps."""
    (prepared,) = SCHEME_PLUGIN.prepare(data, "artifact", "bundle", "")
    answers = {}
    for request in prepared.requests(keys):
        sink = sink_for(request)
        sink.update(memoryview(artifact))
        answers[request] = sink.finish()
    outcome = prepared.verify(answers, keys, now)
    return outcome.status is Status.VERIFIED and any(
        voucher.anchor == anchor for voucher in outcome.vouchers
    )


def main() -> int:
    folder, kind = Path(sys.argv[2]), sys.argv[3]
    trust = Trust()
    if kind == "key":
        trust.add_key(str(folder / "key.pub"))
    else:
        trust.add_identity((folder / "identity").read_text(), (folder / "issuer").read_text())
    trust.add_trusted_root(str(folder / "trusted_root.json"))
    now = datetime.now(UTC)
    works: list[Callable[[], bool]] = []
    for path in sorted((folder / f"{kind}-signed").glob("*.sigstore.json"))[: int(sys.argv[4])]:
        artifact = path.with_name(path.name.removesuffix(".sigstore.json")).read_bytes()
        works.append(
            partial(verify, path.read_bytes(), artifact, trust.keys, trust.anchors[0].id, now)
        )
    return loop(works, seconds_from(sys.argv))


if __name__ == "__main__":
    sys.exit(main())

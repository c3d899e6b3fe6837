"""Fuzz target: whole images, from the first byte to the verdict, which is never a yes."""

from __future__ import annotations

from datetime import UTC, datetime

from assay.appraisal.appraise import appraise
from assay.measure.engine import measure
from assay.pipeline import VerifyOptions, gather, judgeable
from assay.report import json, text, tree
from assay.sources.blobs import MemoryBlob
from assay.sources.model import OpenedImage
from assay.trust.anchors import Trust

_TRUST = Trust().add_digest("sha256:" + "0" * 64)


class _Store:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def blob(
        self, name: str, *, size: int | None = None, media_type: str = ""
    ) -> MemoryBlob | None:
        return MemoryBlob(self._data) if name.endswith(("0", "4", "8", "c")) else None


def one_input(data: bytes) -> None:
    """Nothing may leave, and nothing may be allowed."""
    request = VerifyOptions(_TRUST, at=datetime(2026, 11, 24, tzinfo=UTC))
    for store in (None, _Store(data)):
        image = OpenedImage("image", "image", MemoryBlob(data), "root", store, label="image")
        gathered = gather(image, request)
        facts = measure(
            gathered.components, gathered.blobs, gathered.requests(_TRUST.keys), workers=1
        )
        verdict = appraise(judgeable(gathered, facts, request))
        assert not verdict
        assert verdict.findings
        json.render([verdict])
        text.render(verdict, verbose=1)
        tree.render(verdict)

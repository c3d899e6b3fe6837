"""Built-in signatures of fs-verity: PKCS#7 over the formatted fs-verity digest of a file, and so
over the file. A signature of the bare digest, or of the file itself, is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from assay.measure.fs_verity import formatted_digest
from assay.measure.hashing import sink_for
from assay.model.finding import AssayError
from assay.model.measurement import FsVerityRequest, Request
from assay.model.signature import Key, PreparedSignature, Signature, SignatureOutcome


def prepare(
    data: bytes, document: str, signature_id: str, request: FsVerityRequest
) -> list[PreparedSignature]:
    """The signatures in a file, over the component ``document``. Raises AssayError
    (signature-malformed)."""
    from assay.signatures.cms import files

    found = files.prepare(data, document, signature_id, "")
    return [FsVeritySignature(inner, request) for inner in found]


class FsVeritySignature:
    """A CMS signature whose document is made of a measurement of the component."""

    def __init__(self, inner: PreparedSignature, request: FsVerityRequest) -> None:
        self._inner = inner
        self._request = request

    @property
    def signature(self) -> Signature:
        return self._inner.signature

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        return (self._request,)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        value = answers.get(self._request)
        inner: dict[Request, Any] = {}
        if value is not None:
            document = memoryview(formatted_digest(self._request, value))
            for request in self._inner.requests(keys):
                try:
                    sink = sink_for(request)
                    sink.update(document)
                    inner[request] = sink.finish()
                except AssayError:
                    continue
        return self._inner.verify(inner, keys, at)

"""Ranges of a blob in an order of their own, read one after another."""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import Span


class ScatteredBlob:
    """The concatenation of ranges of a blob that can be read anywhere. Only streamed."""

    seekable = False

    def __init__(self, inner: Blob, spans: tuple[Span, ...]) -> None:
        self._inner = inner
        self._spans = spans
        self.size = sum(end - start for start, end in spans)

    def read_at(self, offset: int, length: int) -> bytes:
        raise NotImplementedError

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        """See `Blob.stream`. Raises AssayError where a range lies beyond the blob's end."""
        for start, end in self._spans:
            at = start
            while at < end:
                piece = self._inner.read_at(at, min(chunk_size, end - at))
                if not piece:
                    raise AssayError(
                        Finding.of(
                            codes.SIZE_MISMATCH,
                            detail="the bytes end before this part of them does",
                            expected=f"at least {end} bytes",
                            actual=f"{at} bytes",
                            cause="truncation",
                        )
                    )
                yield memoryview(piece)
                at += len(piece)

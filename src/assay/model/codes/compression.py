"""Codes about compressed streams."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

COMPRESSED_STREAM_TRUNCATED = Code(
    "compressed-stream-truncated",
    "the compressed stream ends before its end",
    Severity.ERROR,
    Question.INTACT,
    "Whether the stream's own end mark and trailer are there.",
    "An interrupted download or a full disk while writing.",
    "Transfer the component again.",
)

COMPRESSED_STREAM_DAMAGED = Code(
    "compressed-stream-damaged",
    "the compressed stream cannot be decoded",
    Severity.ERROR,
    Question.INTACT,
    "The stream's structure and its own checksum while decoding.",
    "Damage in transit or storage, or a stream made to exploit decoders.",
    "Transfer the component again.",
)

TRAILING_DATA = Code(
    "trailing-data",
    "bytes follow the end of the compressed stream",
    Severity.ERROR,
    Question.INTACT,
    "Whether the component ends where its compressed stream ends.",
    "Decoders ignore such bytes, so they can hide a second content, or make two different blobs"
    " decode alike.",
    "Ask the publisher to rebuild the image. Do not use it if the bytes cannot be explained.",
)

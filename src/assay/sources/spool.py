"""A temporary copy of bytes that come only once, for formats that have to look here and there."""

from __future__ import annotations

import os
import tempfile

from assay import limits
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.files import FileBlob


def spool(blob: Blob) -> tuple[FileBlob, Finding]:
    """Copy a blob to a nameless temporary file, and the finding that says so.

    Raises AssayError: limit-exceeded beyond `limits.STDIN_SPOOL` bytes, unreadable when the
    copy cannot be written, and whatever reading the blob raises.
    """
    count = 0
    try:
        with tempfile.TemporaryFile(prefix="assay-") as file:
            for piece in blob.stream(limits.READ_CHUNK):
                count += len(piece)
                if count > limits.STDIN_SPOOL:
                    raise AssayError(
                        Finding.of(
                            codes.LIMIT_EXCEEDED,
                            detail="the format needs a temporary copy, and there are more bytes"
                            " than may be copied",
                            expected=f"at most {limits.STDIN_SPOOL} bytes",
                            actual="more",
                        )
                    )
                file.write(piece)
            file.flush()
            copy = FileBlob(os.dup(file.fileno()), "the temporary copy")
    except OSError as error:
        raise AssayError(
            Finding.of(
                codes.UNREADABLE,
                detail=f"the format needs a temporary copy in {tempfile.gettempdir()}, which cannot"
                f" be written: {error.strerror or error}",
                offset=count,
            )
        ) from error
    note = Finding.of(
        codes.INPUT_SPOOLED,
        detail=f"{count} bytes were copied to {tempfile.gettempdir()} while they were checked",
    )
    return copy, note

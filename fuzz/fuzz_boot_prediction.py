"""Fuzz target: predictions of a boot from programs, and the statements that hold them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from assay.boot.prediction.compare import compare_with_log
from assay.boot.prediction.events import BANKS
from assay.boot.prediction.program import Program
from assay.boot.prediction.statement import decode, looks_like_prediction
from assay.boot.prediction.unified import (
    is_unified,
    kernel_register,
    kernel_start,
    sections_register,
)
from assay.model.finding import AssayError, UsageError
from assay.sources.blobs import MemoryBlob
from assay.tcg.log import read_log


def seeds() -> Iterator[bytes]:
    """Images of all kinds, and a statement."""
    from tests.boot.images import DB, image, statement

    yield image(DB)
    yield image(version=257, more=((".ucode", b"code"),))
    yield statement()


def one_input(data: bytes) -> None:
    """Anything but a refusal is a defect."""
    with contextlib.suppress(AssayError):
        program = Program(MemoryBlob(data), "file")
        name, version = program.loader() or ("", None)
        assert name.isprintable()
        program.authenticode(BANKS)
        if is_unified(program):
            for secure_boot in (True, False):
                kernel_start(program, version, secure_boot, BANKS)
            for register in (
                kernel_register(program, BANKS),
                sections_register(program, 252, BANKS),
            ):
                assert register.values or register.unknown
    looks_like_prediction(data)
    with contextlib.suppress(UsageError):
        prediction = decode(data, "statement")
        with contextlib.suppress(AssayError):
            compare_with_log(prediction, read_log(_LOG), "log")


_LOG = bytes.fromhex(
    "0000000003000000" + "00" * 20 + "21000000"
    "53706563204944204576656e74303300" + "0000000000020002" + "01000000" + "0b002000" + "00"
    "040000000400000001000000" + "0b00" + "11" * 32 + "04000000" + "00000000"
)

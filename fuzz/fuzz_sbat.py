"""Fuzz target: SBAT data of programs, revocation levels, and the files that they are given as."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from assay.evidence.model import GivenFile
from assay.evidence.sbat import read_levels
from assay.model.finding import AssayError, UsageError
from assay.uefi.sbat import parse_level, parse_section, parse_shim_levels, revoked_by

_SECTION = b"sbat,1,SBAT Version,sbat,1,https://example.org\nshim,4,UEFI shim,shim,1,x\n"
_LEVEL = b"sbat,1,2025051000\nshim,4\ngrub,5\n"


def seeds() -> Iterator[bytes]:
    """What programs and shims have."""
    from tests.support.pe import Program

    levels = struct.pack("<III", 0, 8, 8 + len(_LEVEL) + 1) + _LEVEL + b"\0" + _LEVEL + b"\0"
    yield _SECTION
    yield _LEVEL
    yield b"\6\0\0\0" + _LEVEL
    yield levels
    yield Program(sections=((".sbat", None, _SECTION), (".sbatlevel", None, levels))).unsigned()


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect, and a UsageError for a file that was given."""
    for parse in (parse_section, parse_shim_levels):
        with contextlib.suppress(AssayError):
            parse(data)
    with contextlib.suppress(AssayError):
        level = parse_level(data)
        assert not revoked_by(level.components, level) or len(level.components) > 1
    with contextlib.suppress(UsageError):
        read_levels(GivenFile.holding("sbat-level", Path("level"), data))

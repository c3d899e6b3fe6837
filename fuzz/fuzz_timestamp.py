"""Fuzz target: time stamp tokens and responses of any content."""

from __future__ import annotations

import contextlib

from assay.cms.timestamp import TimeAuthority, check_timestamp, read_response, read_token
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    for read in (read_token, read_response):
        with contextlib.suppress(AssayError):
            stamp = read(data)
            authority = TimeAuthority(stamp.signed.certificates)
            check_timestamp(stamp, {stamp.algorithm: stamp.imprint}, [authority])

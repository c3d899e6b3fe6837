"""Fuzz target: DER and PEM of any content."""

from __future__ import annotations

import contextlib

from assay.asn1 import pem
from assay.asn1.der import Der
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError


def _walk(cursor: Der) -> None:
    while cursor.more:
        element = cursor.any()
        if element.tag & 0x20:
            _walk(cursor.within(element))
            continue
        for read in (Der.boolean, Der.integer, Der.oid, Der.null, Der.bits, Der.time):
            with contextlib.suppress(AssayError):
                read(Der(element.encoded, cursor.code))
        with contextlib.suppress(AssayError):
            cursor.text(element)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        _walk(Der(data, SIGNATURE_MALFORMED))
    with contextlib.suppress(AssayError):
        list(pem.blocks(data, SIGNATURE_MALFORMED))

"""The signature that a kernel module carries at its end: the module, the signature, a structure
with its length (`struct module_signature` of include/linux/module_signature.h), and a mark."""

from __future__ import annotations

import struct

from msgspec import Struct

from assay import limits
from assay.model.codes import linux as codes
from assay.model.codes import trust as trust_codes
from assay.model.finding import Finding
from assay.model.spans import Span
from assay.printable import printable

MARK = b"~Module signature appended~\n"
_FIELDS = struct.Struct(">BBBBB3sI")
SIZE = _FIELDS.size + len(MARK)
"""Bytes from the end of the signature to the end of the file."""
_PKCS7 = 2
_ID_TYPES = {0: "OpenPGP", 1: "X.509 (as kernels before 4.3 had it)"}


class Trailer(Struct, frozen=True):
    """``signed`` and ``signature`` are ranges of the file; the signature is DER."""

    signed: Span
    signature: Span


class Found(Struct, frozen=True):
    """The trailer of a file, or why there is none to be used (``finding``); both are None where
    nothing looks like one."""

    trailer: Trailer | None = None
    finding: Finding | None = None


def read_trailer(tail: bytes, size: int) -> Found:
    """The trailer of a file of ``size`` bytes, of which ``tail`` are the last ones (at least `SIZE`
    of them, or all). Raises nothing."""
    if not tail.endswith(MARK):
        at = tail.rfind(MARK)
        if at < 0:
            return Found()
        behind = len(tail) - at - len(MARK)
        return Found(
            finding=Finding.of(
                codes.MODULE_TRAILER,
                detail=f"{behind} bytes follow the mark that a signature ends with, so that the"
                " kernel sees none",
                offset=size - behind,
            )
        )
    if len(tail) < SIZE:
        return Found(finding=_bad("the mark that a signature ends with, and nothing before it", 0))
    at = size - SIZE
    algorithm, digest, kind, signer, key_id, padding, length = _FIELDS.unpack_from(
        tail, len(tail) - SIZE
    )
    if kind in _ID_TYPES:
        return Found(finding=_legacy(kind, signer, key_id, length, tail, at))
    if kind != _PKCS7:
        return Found(finding=_unsupported(f"its identifier is of type {kind}", at))
    if algorithm or digest or signer or key_id or any(padding):
        return Found(finding=_bad("fields that have to be zero in a PKCS#7 signature are not", at))
    if not 0 < length < at:
        return Found(
            finding=_bad(f"a signature of {length} bytes in a file with {at} bytes before it", at)
        )
    if length > limits.SIGNATURE_SIZE:
        return Found(finding=_bad(f"a signature of {length} bytes", at))
    return Found(Trailer((0, at - length), (at - length, at)))


def _legacy(
    kind: int, signer_size: int, key_id_size: int, length: int, tail: bytes, at: int
) -> Finding:
    """What signatures of other kinds say of themselves."""
    detail = f"the signature's identifier is of type {kind}, {_ID_TYPES[kind]}"
    end = len(tail) - SIZE - length
    start = end - signer_size - key_id_size
    if kind == 1 and start >= 0:
        name = printable(tail[start : start + signer_size], 100)
        key_id = tail[start + signer_size : end].hex()
        detail += f", by {name} (key identifier {key_id})"
    return _unsupported(detail, at)


def _unsupported(detail: str, offset: int) -> Finding:
    return Finding.of(trust_codes.SIGNATURE_UNSUPPORTED, detail=detail, offset=offset)


def _bad(detail: str, offset: int) -> Finding:
    return Finding.of(codes.MODULE_TRAILER, detail=f"{detail} (at byte {offset})", offset=offset)


__all__ = ["MARK", "SIZE", "Found", "Trailer", "read_trailer"]

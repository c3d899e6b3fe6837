"""Fuzz target: kernel modules, and the signatures that they end with."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

from assay.formats.linux import module, module_tree
from assay.formats.linux.beginnings import is_module
from assay.formats.linux.module_reading import read_one
from assay.linux.modinfo import looks_like_module, read_modinfo
from assay.linux.trailer import read_trailer
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.model.signature import Key
from assay.signatures.kernel_module.scheme import KEYRING, SCHEME_PLUGIN
from assay.sources.blobs import MemoryBlob
from assay.x509.certificate import read_certificate

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def seeds() -> Iterator[bytes]:
    """Modules of all kinds; behind each the certificate of its signer."""
    from tests.support import modules

    holder = modules.signing_key()
    signed = modules.signed(holder)
    yield modules.module()
    yield signed
    yield modules.signed(holder, signed)
    yield modules.signed(holder, key_id=holder.certificate.key_id)
    yield gzip.compress(signed)
    yield signed[: -len(modules.trailer(9))] + modules.trailer(64, kind=1, signer=3, key_id=4)
    yield holder.der


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    blob = MemoryBlob(data)
    looks_like_module(data)
    found = read_trailer(data[-4096:], len(data))
    assert found.trailer is None or found.trailer.signature[1] <= len(data)
    with contextlib.suppress(AssayError):
        read_modinfo(blob.read_at, len(data))
    keys = []
    with contextlib.suppress(AssayError):
        keys = [Key("kernel:1", KEYRING, "any", (read_certificate(data),))]
    with contextlib.suppress(AssayError):
        is_module(blob)
    site = Site(
        Component("", "file", Stored("file"), size=len(data)),
        blob,
        None,
        Options(kernel="6.1"),
    )
    module.FORMAT.recognise(site)
    module_tree.FORMAT.recognise(site)
    reading = read_one(site)
    assert reading.components[0].id == "file"
    assert reading.targets
    for prepared in reading.signatures:
        answers = {request: bytes(32) for request in prepared.requests(keys)}
        prepared.verify(answers, keys, _AT)
    SCHEME_PLUGIN.recognise(data)
    SCHEME_PLUGIN.load_keys(data, "")
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.prepare(data, "module", "signature", "")

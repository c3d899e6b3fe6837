"""Fuzz target: lists of signatures of any content are added to, or are an AssayError."""

from __future__ import annotations

import contextlib

from assay.attach.documents import (
    OCI_MANIFEST,
    Companion,
    config_digest,
    has_entry,
    holds_layers,
    with_entry,
    with_layers,
)
from assay.attach.model import Layer
from assay.cms.timestamp_request import Question
from assay.model.finding import AssayError

_ENTRY = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1}
_LAYERS = (Layer("application/vnd.dsse.envelope.v1+json", b"{}", {"a": "b"}),)


def one_input(data: bytes) -> None:
    """What was added is there afterwards, and adding it again changes nothing."""
    with contextlib.suppress(AssayError):
        index = with_entry(data, _ENTRY, "fuzz")
        assert has_entry(index or data, _ENTRY, "fuzz")
        assert with_entry(index or data, _ENTRY, "fuzz") is None
    manifest, _, config = data.partition(b"\n")
    with contextlib.suppress(AssayError):
        config_digest(manifest, "fuzz")
    with contextlib.suppress(AssayError):
        there = Companion(manifest, OCI_MANIFEST, config or b'{"rootfs":{"diff_ids":[]}}')
        new = with_layers(there, _LAYERS, "fuzz")
        if new is not None:
            assert holds_layers(new.content, _LAYERS, "fuzz")
            assert with_layers(new, _LAYERS, "fuzz") is None
    with contextlib.suppress(AssayError):
        Question(b"message", "sha256", 1).answered_by(data)


def seeds() -> list[bytes]:
    """An index, and a manifest with its configuration, to start from."""
    index = with_entry(None, _ENTRY, "")
    listed = with_layers(None, _LAYERS, "")
    assert index is not None
    assert listed is not None
    return [index, listed.content + b"\n" + listed.config]

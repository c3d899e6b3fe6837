"""Fuzz target: files with private keys, of every form."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from assay.model.finding import AssayError
from assay.produce.keys import cosign, minisign, pkcs8
from assay.produce.keys.form import FORMS, form_named, form_of
from assay.produce.keys.kinds import generate
from assay.produce.keys.scrypt import Cost


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. Nothing is decrypted: that may cost a gibibyte."""
    form_of(data)
    for name in FORMS:
        with contextlib.suppress(AssayError):
            form_named(name).is_encrypted(data)
    with contextlib.suppress(AssayError):
        cost, _, nonce, hidden = cosign.parse(data)
        cost.check()
        assert len(nonce) == 24
        assert hidden
    with contextlib.suppress(AssayError):
        found, _, hidden = minisign.parse(data)
        assert len(hidden) == 104
        if found is None:
            minisign.FORM.read(data, None)
    with contextlib.suppress(AssayError):
        if len(data) < 2048 and not pkcs8.FORM.is_encrypted(data):
            pkcs8.FORM.read(data, None)
    with contextlib.suppress(AssayError):
        pkcs8.read_private_der(data[:512])


def seeds() -> Iterator[bytes]:
    """A key in each form; the encrypted one of cosign without the costs of making it."""
    key = generate("ed25519")
    yield pkcs8.FORM.write(key, None)
    yield pkcs8.FORM.write(generate("ecdsa-p256"), None)
    yield pkcs8.FORM.write(generate("ml-dsa-44"), None)
    yield pkcs8.private_der(key)
    yield minisign.FORM.write(key, None)
    yield cosign.wrapped(Cost(1 << 16, 8, 1), bytes(32), bytes(24), bytes(range(120)))

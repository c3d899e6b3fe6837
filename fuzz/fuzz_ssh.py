"""Fuzz target: SSH signatures, keys, allowed signers and revocation lists of any content."""

from __future__ import annotations

import base64
import contextlib

from assay.model.finding import AssayError, UsageError
from assay.signatures.ssh import revocation
from assay.signatures.ssh.patterns import in_list
from assay.signatures.ssh.scheme import SCHEME_PLUGIN


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for keys, is a defect."""
    SCHEME_PLUGIN.recognise(data)
    body = base64.b64encode(data)
    armoured = b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"
    for attempt in (data, armoured):
        with contextlib.suppress(AssayError):
            SCHEME_PLUGIN.prepare(attempt, "file", "signature", "")
    for keys in (data, b"alice " + data, b"ssh-ed25519 " + body):
        with contextlib.suppress(UsageError):
            SCHEME_PLUGIN.load_keys(keys, "key:1")
    for listing in (data, b"SSHKRL\n\0\0\0\0\1" + data):
        with contextlib.suppress(UsageError):
            revocation.read(listing)
    text, _, patterns = data.decode("utf-8", "replace").partition("\n")
    in_list(text, patterns)

"""From a key to a signature over a file, or around a statement, as bytes."""

from __future__ import annotations

import time

from msgspec.structs import replace

from assay.evidence.intoto import PAYLOAD_TYPE
from assay.measure.engine import Progress
from assay.model.finding import UsageError
from assay.produce.formats.dsse import envelope, json_bytes
from assay.produce.formats.model import SignatureFormat, Wishes
from assay.produce.formats.sigstore import statement_bundle
from assay.produce.signing_key import SigningKey
from assay.produce.subject import Subject

_OF_IMAGES = ("sigstore", "dsse")
"""The formats in which a signature of an image can be: those that hold a statement."""


def sign_file(
    subject: Subject,
    key: SigningKey,
    form: SignatureFormat,
    wishes: Wishes,
    progress: Progress | None = None,
) -> bytes:
    """A detached signature over a file. Raises AssayError, UsageError."""
    if misfit := form.misfit(key):
        raise UsageError(f"--format {form.name}: {misfit}")
    if not wishes.seconds:
        wishes = replace(wishes, seconds=int(time.time()))
    answers = subject.measure(form.requests(key, wishes), progress)
    return form.produce(key, subject.label, answers, wishes)


def wrapped(content: bytes, key: SigningKey, form: str) -> bytes:
    """A statement in an envelope, with or without a Sigstore bundle around it. Raises AssayError
    (signing-failed), UsageError."""
    if form not in _OF_IMAGES:
        raise UsageError(f"--format {form}: only {' and '.join(_OF_IMAGES)} hold statements")
    if form == "sigstore":
        return statement_bundle(key, content)
    return json_bytes(envelope(key, content, PAYLOAD_TYPE))

"""Which variable an update is of, by its signature taken by itself: a label, and nothing to trust.

The certificate that says who signed comes with the signature. Whoever made one up would be found to
have updated what he says; that takes a key that is trusted to be more.
"""

from __future__ import annotations

import hashlib

from assay.cms.signed_data import SignedData, read_signed_data
from assay.cms.verify import fault_of
from assay.model.finding import AssayError
from assay.uefi.authentication import TARGETS, Target, Update
from assay.uefi.time import SIZE as TIME_SIZE
from assay.x509.certificate import Certificate


def signer_of(update: Update) -> tuple[SignedData, Certificate] | None:
    """The signature, and the certificate in it that it says to be by; None where it has none."""
    try:
        signed = read_signed_data(update.signature)
    except AssayError:
        return None
    if len(signed.signers) != 1:
        return None
    [signer] = signed.signers
    named = next((each for each in signed.certificates if signer.is_by(each)), None)
    return (signed, named) if named is not None else None


def target_of(data: bytes, update: Update) -> Target | None:
    """The variable that the key of the certificate in an update signed this content for; None where
    there is none, or the update is of something else. ``data`` is the whole of it."""
    found = signer_of(update)
    if found is None or found[0].signers[0].digest != "sha256":
        return None
    signed, certificate = found
    content = data[:TIME_SIZE] + data[update.content_start :]
    for target in TARGETS:
        digest = hashlib.sha256(target.prefix + content).digest()
        try:
            key = certificate.key
        except AssayError:
            return None
        if fault_of(signed, signed.signers[0], key, digest, certificate=certificate) is None:
            return target
    return None

"""Notary signatures as COSE_Sign1 (signature-envelope-cose.md; RFC 9052 section 4.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assay.canonical_cbor import encode
from assay.produce.notary import AGENT, AGENT_NAME, Artifact, Signer, Stamp, Terms
from assay.signatures.notary.cose import ALGORITHM_NUMBERS, LABELS, SIGN1, X5CHAIN, parse_cose
from assay.signatures.notary.envelope import TIMESTAMP
from assay.strict_cbor import Tagged

NAME = "notary-cose"
MEDIA_TYPE = "application/cose"
SUFFIX = ".cose.sig"

_EPOCH_TIME = 1
"""The tag of a time in seconds since 1970 (RFC 8949 section 3.4.2)."""


def sign(signer: Signer, artifact: Artifact, terms: Terms, stamp: Stamp | None = None) -> bytes:
    """As `assay.produce.notary_jws.sign`."""
    named = terms.headers(signer.algorithm, _epoch)
    named["alg"] = ALGORITHM_NUMBERS[signer.algorithm]
    protected = encode({LABELS.get(name, name): value for name, value in named.items()})
    payload = artifact.payload
    signature = signer.sign(encode(["Signature1", protected, b"", payload]))
    chain = [each.der for each in signer.chain]
    header: dict[Any, Any] = {
        X5CHAIN: chain if len(chain) > 1 else chain[0],
        AGENT: AGENT_NAME,
    }
    if stamp is not None:
        header[TIMESTAMP] = stamp(signature, signer.digest)
    envelope = encode(Tagged(SIGN1, [protected, header, payload, signature]))
    parse_cose(envelope)  # what we make, we can read
    return envelope


def _epoch(time: datetime) -> Tagged:
    return Tagged(_EPOCH_TIME, int(time.timestamp()))

"""Compares the body of a log entry with what was verified.

Without this an entry of another signature would lend its time and its proof to this one
(CVE-2022-36056, CVE-2026-22703), and a bare key in place of the certificate would do
(GHSA-fx35-mq7g-6g98). Bodies by Rekor's type schemas: hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1,
intoto 0.0.2.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from msgspec import Struct

from assay import strict_json
from assay.asn1 import pem
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_spki
from assay.model.codes import sigstore as codes
from assay.model.finding import AssayError, Finding
from assay.sigstore.bundle import Envelope, LogEntry
from assay.sigstore.fields import Fields

_ALGORITHMS = {
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "SHA2_256": "sha256",
    "SHA2_384": "sha384",
    "SHA2_512": "sha512",
}
_CERTIFICATE, _PUBLIC_KEY = "CERTIFICATE", "PUBLIC KEY"


class Verified(Struct, frozen=True):
    """What the bundle's signature was verified to be.

    ``certificate`` is the signer's (DER) and None where a managed ``key`` made the signature.
    ``digest`` gives the digest of the signed artifact by an algorithm, None when it was not
    measured; for an ``envelope`` it is that of the bytes that were signed.
    """

    signature: bytes
    certificate: bytes | None
    key: PublicKey
    envelope: Envelope | None
    digest: Callable[[str], bytes | None]


def check_body(entry: LogEntry, verified: Verified) -> None:
    """See that the entry is about exactly this signature. Raises AssayError (log-entry-mismatch,
    or signature-unsupported for a kind of entry that is not known)."""
    try:
        body = Fields(strict_json.parse(entry.untrusted_body, ""), "body", codes.LOG_ENTRY_MISMATCH)
    except AssayError as error:
        raise _mismatch(f"its body cannot be read: {error.finding.detail}") from error
    stated = (body.text("kind"), body.text("apiVersion"))
    if stated != (entry.kind, entry.version):
        raise _mismatch(f"its body is of kind {stated}, and it is said to be of kind {entry.kind}")
    compare = _KINDS.get(stated)
    if compare is None:
        raise _mismatch(f"entries of kind {' '.join(stated)[:80]!r} are not known")
    compare(body.object("spec"), verified)


def _mismatch(detail: str, expected: str = "", actual: str = "") -> AssayError:
    return AssayError(
        Finding.of(
            codes.LOG_ENTRY_MISMATCH,
            detail=f"the log entry is about another signature: {detail}",
            expected=expected,
            actual=actual,
        )
    )


def _same_signature(found: bytes, verified: Verified) -> None:
    if found != verified.signature:
        raise _mismatch("it has another signature", _shown(verified.signature), _shown(found))


def _shown(data: bytes) -> str:
    text = base64.b64encode(data[:48]).decode()
    return text + ("..." if len(data) > 48 else "")


def _same_digest(algorithm: str, found: bytes, verified: Verified) -> None:
    name = _ALGORITHMS.get(algorithm, "")
    actual = verified.digest(name) if name else None
    if actual is None:
        raise _mismatch(f"it has a {algorithm[:20]!r} digest, which was not measured")
    if found != actual:
        raise _mismatch("it has another digest", f"{name}:{actual.hex()}", f"{name}:{found.hex()}")


def _same_verifier(label: str, der: bytes, verified: Verified) -> None:
    """The signer as the entry names it: the certificate itself, or the key itself."""
    if verified.certificate is not None:
        if label != _CERTIFICATE or der != verified.certificate:
            raise _mismatch("it names another certificate")
        return
    if label != _PUBLIC_KEY:
        raise _mismatch("it names a certificate, and the signature is by a key")
    if read_spki(der, "").spki != verified.key.spki:
        raise _mismatch("it names another key")


def _same_pem(text: bytes, verified: Verified) -> None:
    blocks = list(pem.blocks(text, codes.LOG_ENTRY_MISMATCH))
    if len(blocks) != 1:
        raise _mismatch(f"it names {len(blocks)} keys or certificates")
    _same_verifier(blocks[0].label, blocks[0].data, verified)


def _hashedrekord_1(spec: Fields, verified: Verified) -> None:
    data = spec.object("data").object("hash")
    try:
        digest = bytes.fromhex(data.text("value"))
    except ValueError:
        raise data.fail("value", "is not hexadecimal") from None
    _same_digest(data.text("algorithm"), digest, verified)
    signature = spec.object("signature")
    _same_signature(signature.some_data("content"), verified)
    _same_pem(signature.object("publicKey").some_data("content"), verified)


def _hashedrekord_2(spec: Fields, verified: Verified) -> None:
    record = spec.object("hashedRekordV002")
    data = record.object("data")
    _same_digest(data.text("algorithm"), data.some_data("digest"), verified)
    signature = record.object("signature")
    _same_signature(signature.some_data("content"), verified)
    verifier = signature.object("verifier")
    if verifier.only_one_of("x509Certificate", "publicKey") == "x509Certificate":
        der = verifier.object("x509Certificate").some_data("rawBytes")
        _same_verifier(_CERTIFICATE, der, verified)
    else:
        _same_verifier(_PUBLIC_KEY, verifier.object("publicKey").some_data("rawBytes"), verified)


def _envelope(verified: Verified) -> Envelope:
    if verified.envelope is None:
        raise _mismatch("it is about an envelope, and the signature is over the artifact itself")
    return verified.envelope


def _same_payload(digest: Fields, envelope: Envelope) -> None:
    algorithm = _ALGORITHMS.get(digest.text("algorithm"), "")
    if not algorithm:
        raise digest.fail("algorithm", "is not known")
    actual = hashlib.new(algorithm, envelope.untrusted_payload).hexdigest()
    if digest.text("value") != actual:
        raise _mismatch("it has another payload", actual, digest.text("value")[:140])


def _dsse_1(spec: Fields, verified: Verified) -> None:
    _same_payload(spec.object("payloadHash"), _envelope(verified))
    signatures = list(spec.objects("signatures", 2))
    if len(signatures) != 1:
        raise _mismatch(f"it has {len(signatures)} signatures")
    _same_signature(signatures[0].some_data("signature"), verified)
    _same_pem(signatures[0].some_data("verifier"), verified)


def _intoto_2(spec: Fields, verified: Verified) -> None:
    content = spec.object("content")
    envelope = _envelope(verified)
    _same_payload(content.object("payloadHash"), envelope)
    logged = content.object("envelope")
    if logged.text("payloadType") != envelope.payload_type:
        raise _mismatch("it has another payload type")
    signatures = list(logged.objects("signatures", 2))
    if len(signatures) != 1:
        raise _mismatch(f"it has {len(signatures)} signatures")
    # This kind holds the envelope's own base64 text, encoded once more.
    text = base64.b64encode(verified.signature)
    if signatures[0].some_data("sig") not in (text, verified.signature):
        raise _mismatch("it has another signature")
    _same_pem(signatures[0].some_data("publicKey"), verified)


_KINDS: dict[tuple[str, str], Callable[[Fields, Verified], None]] = {
    ("hashedrekord", "0.0.1"): _hashedrekord_1,
    ("hashedrekord", "0.0.2"): _hashedrekord_2,
    ("dsse", "0.0.1"): _dsse_1,
    ("intoto", "0.0.2"): _intoto_2,
}

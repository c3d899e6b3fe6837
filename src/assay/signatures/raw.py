"""Raw signatures: nothing but the value that RSA, ECDSA, EdDSA or ML-DSA gives, over the bytes of
the document, as ``openssl dgst -sign`` and ``openssl pkeyutl -sign -rawin`` write it.

The file says neither which key made it nor how. So every key given is tried, with each algorithm
that the value can be of: RSA tells by its padding, ECDSA by its encoding; the digest is that of
SHA-2. A user who knows more pins the algorithm (`Key.demands`: ``signature-algorithm``).
"""

from __future__ import annotations

from assay.crypto.check import MAX_SIGNATURE
from assay.crypto.public_key import KEY_SCHEME
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)
from assay.signatures import plain_keys
from assay.signatures.plain_signature import PlainSignature
from assay.signatures.ways import plausible, values_of

SCHEME = "raw"


class RawScheme:
    """Detached files with nothing but the value of a signature."""

    name = SCHEME
    suffixes = (".sig", ".sign", ".signature")
    last_resort_for = KEY_SCHEME

    def recognise(self, data: bytes) -> bool:
        return len(data) <= 2 * MAX_SIGNATURE and any(map(plausible, values_of(data)))

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed)."""
        values = [value for value in values_of(data) if plausible(value)]
        if not values or len(data) > 2 * MAX_SIGNATURE:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_MALFORMED,
                    signature_id,
                    "no value of a signature",
                    expected="an RSA, ECDSA, EdDSA or ML-DSA signature, or its base64",
                    actual=f"{len(data)} bytes",
                )
            )
        sizes = " or ".join(str(size) for size in dict.fromkeys(map(len, values)))
        signature = Signature(signature_id, SCHEME, document, alternatives)
        described = f"a raw signature of {sizes} bytes"
        return [PlainSignature(signature, "signature", described, [values])]

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        return None

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Plain public keys (`plain_keys.load`). Raises UsageError."""
        return plain_keys.load(data, anchor)


SCHEME_PLUGIN: SignatureScheme = RawScheme()

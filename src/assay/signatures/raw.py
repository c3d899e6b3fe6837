"""Raw signatures: nothing but the value that RSA, ECDSA, EdDSA or ML-DSA gives, over the bytes of
the document, as ``openssl dgst -sign`` and ``openssl pkeyutl -sign -rawin`` write it.

The file says neither which key made it nor how. So every key given is tried, with each algorithm
that the value can be of: RSA tells by its padding, ECDSA by its encoding; the digest is that of
SHA-2. A user who knows more pins the algorithm (`Key.demands`: ``signature-algorithm``).
"""

from __future__ import annotations

import binascii
import re

from assay import limits, strict_base64
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)

SCHEME = "raw"
_HEX = re.compile(rb"[0-9A-Fa-f]+\Z")


def values_of(data: bytes) -> list[bytes]:
    """What a signature file may hold: its own bytes, or what they are the text of (hexadecimal,
    base64 with or without line ends)."""
    text = b"".join(data.split())
    if not text.isascii() or not text.decode("ascii").isprintable():
        return [data]
    found = []
    if _HEX.match(text) and len(text) % 2 == 0:
        found.append(binascii.a2b_hex(text))
    if (raw := strict_base64.decode(text)) is not None:
        found.append(raw)
    return found


def _values(data: bytes) -> list[bytes]:
    """What the file may be the bytes or the text of, as far as it may be a signature."""
    values = values_of(data)
    if not values:
        return []
    from assay.signatures.ways import plausible

    return [value for value in values if plausible(value)]


class RawScheme:
    """Detached files with nothing but the value of a signature."""

    name = SCHEME
    suffixes = (".sig", ".sign", ".signature")
    last_resort_for = "pem"

    def recognise(self, data: bytes) -> bool:
        return len(data) <= 2 * limits.SIGNATURE_VALUE and bool(_values(data))

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """Parse a signature file. Raises AssayError (signature-malformed)."""
        from assay.signatures.plain_signature import PlainSignature

        values = _values(data) if len(data) <= 2 * limits.SIGNATURE_VALUE else []
        if not values:
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
        if data.lstrip()[:1] not in (b"{", b"\x30") and b"-----BEGIN " not in data:
            return []
        from assay.signatures import plain_keys

        return plain_keys.load(data, anchor)


SCHEME_PLUGIN: SignatureScheme = RawScheme()

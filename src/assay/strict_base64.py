"""Base64 as a verifier must read it (RFC 4648): one text for each run of bytes, and no other.

Most decoders pass over the bits that padding leaves over, so that several texts stand for the
same bytes; here every text but the canonical one is refused.
"""

from __future__ import annotations

import binascii

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def decode(text: bytes, *, url_safe: bool = False, padded: bool = True) -> bytes | None:
    """The bytes that ``text`` stands for; None when it is not canonical base64, with ``url_safe``
    in the alphabet of RFC 4648 section 5, without ``padded`` with no padding (RFC 7515)."""
    if url_safe:
        if b"+" in text or b"/" in text:
            return None
        text = text.translate(_TO_STANDARD)
    if not padded:
        if b"=" in text:
            return None
        text += b"=" * (-len(text) % 4)
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, binascii.Error):
        return None
    return raw if binascii.b2a_base64(raw, newline=False) == text else None

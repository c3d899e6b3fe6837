"""Whether bytes look like signed data (CMS, PKCS#7), by how they begin."""

from __future__ import annotations

from assay import limits

PEM_LABELS = ("CMS", "PKCS7", "PKCS #7 SIGNED DATA")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")


def looks_like_cms(data: bytes) -> bool:
    """Whether these bytes begin as signed data do, in DER, BER or PEM. Raises nothing."""
    if data[:1] == b"\x30":
        # SEQUENCE { OID signedData ... or, without ContentInfo, SEQUENCE { INTEGER, SET { SEQ ...
        head = data[_header_size(data) :]
        bare = head[:2] == b"\x02\x01" and head[2:3] in (b"\x01", b"\x03", b"\x04", b"\x05")
        return head.startswith(_SIGNED_DATA) or (bare and head[3:4] == b"\x31")
    head = b"\n" + data[: limits.DETECT_HEAD]
    return any(b"\n-----BEGIN " + label.encode() + b"-----" in head for label in PEM_LABELS)


def _header_size(data: bytes) -> int:
    return 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)

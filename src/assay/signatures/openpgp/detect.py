"""Tells OpenPGP files by their first bytes. Cheap; nothing here raises."""

from __future__ import annotations

from assay import limits

_LABEL = b"-----BEGIN PGP "
_SIGNATURE, _ONE_PASS, _SECRET_KEY, _PUBLIC_KEY, _LITERAL = 2, 4, 5, 6, 11
_SIGNATURE_TYPES = frozenset(
    (*range(3), *range(0x10, 0x14), 0x16, 0x18, 0x19, 0x1F, 0x20, 0x28, 0x30, 0x40, 0x50)
)
_KEYBOX_MAGIC = b"KBXf"


def _first_packet(data: bytes) -> tuple[int, int]:
    """The type of the first packet and where its body begins; (0, 0) when there is none."""
    if len(data) < 8 or not data[0] & 0x80:
        return 0, 0
    if not data[0] & 0x40:
        return data[0] >> 2 & 0x0F, 1 + (1, 2, 4, 0)[data[0] & 3]
    first = data[1]
    return data[0] & 0x3F, 3 if 192 <= first < 224 else 6 if first == 255 else 2


def begins_with_signature(data: bytes) -> bool:
    """A signature packet of any version, with a type and algorithms that exist."""
    tag, at = _first_packet(data)
    body = data[at : at + 19]
    if tag != _SIGNATURE or len(body) < 19:
        return False
    if body[0] in (2, 3):
        return body[1] == 5 and body[2] in _SIGNATURE_TYPES
    return body[0] in (4, 5, 6) and body[1] in _SIGNATURE_TYPES and body[2] < 40 and body[3] < 20


def begins_with_message(data: bytes) -> bool:
    """A one-pass signature, which stands before what is signed."""
    tag, at = _first_packet(data)
    body = data[at : at + 4]
    return (
        tag == _ONE_PASS
        and len(body) == 4
        and body[0] in (3, 6)
        and body[1] in _SIGNATURE_TYPES
        and body[2] < 20
        and body[3] < 40
    )


def begins_with_content(data: bytes) -> bool:
    """What a compressed message has in it: signatures with a text, or a text by itself."""
    tag, at = _first_packet(data)
    text = tag == _LITERAL and data[at : at + 1] in (b"b", b"t", b"u")
    return text or begins_with_message(data) or begins_with_signature(data)


def is_keybox(data: bytes) -> bool:
    """GnuPG's own file of keys (``pubring.kbx``)."""
    return data[8:12] == _KEYBOX_MAGIC and data[4:5] == b"\x01"


def is_keyring(data: bytes) -> bool:
    """Armor of any kind, a keybox, or a public or secret key of any version."""
    if data.startswith(_LABEL) or b"\n" + _LABEL in data[: limits.DETECT_HEAD]:
        return True
    tag, at = _first_packet(data)
    key = tag in (_PUBLIC_KEY, _SECRET_KEY) and at < len(data) and data[at] in (2, 3, 4, 5, 6)
    return key or is_keybox(data)

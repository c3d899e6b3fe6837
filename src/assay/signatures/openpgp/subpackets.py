"""Signature subpackets (RFC 9580 section 5.2.3.7): what a signature says about itself and its key.

Only the hashed area counts. What stands in the unhashed area, which anyone can change, is taken
for two things that prove themselves: which key to try, and an embedded signature.
"""

from __future__ import annotations

from msgspec import Struct

from assay.signatures.openpgp.wire import Reader
from assay.signatures.trial import printable

_HINTS = (16, 32, 33)
"""Issuer key ID, embedded signature, issuer fingerprint: read from the unhashed area too."""
_WITHOUT_EFFECT = frozenset((4, 7, 11, 21, 22, 23, 24, 26, 28, 30, 34, 38, 39))
"""Known, and of no consequence here: exportable, revocable, preferences and key servers, policy
URI, the signer's user ID, features, a copy of the key. Those that narrow what a signature means
(trust signature, regular expression, signature target) are not among them: as critical ones they
keep a signature from counting."""

_FINGERPRINT_SIZES = {4: 20, 6: 32}


class Subpackets(Struct):
    """What the hashed area says; times are in seconds, 0 for never, None where nothing is said.
    ``revokers`` are fingerprints (section 5.2.3.23), ``embedded`` bodies of signature packets.

    ``hinted_ids`` and ``hinted_fingerprints`` name the key to try, from both areas (the unhashed
    one only where the hashed one names none).
    """

    created: int | None = None
    signature_expires: int | None = None
    key_expires: int | None = None
    key_flags: bytes | None = None
    primary_user_id: bool | None = None
    reason: tuple[int, str] | None = None
    revokers: tuple[bytes, ...] = ()
    embedded: tuple[bytes, ...] = ()
    critical_unknown: tuple[str, ...] = ()
    hinted_ids: tuple[bytes, ...] = ()
    hinted_fingerprints: tuple[bytes, ...] = ()


def read_subpackets(version: int, hashed: Reader, unhashed: Reader) -> Subpackets:
    """Both areas of a signature of this version. Raises AssayError where they are malformed or
    contradict each other."""
    found = Subpackets()
    _read_area(found, version, hashed, True)
    hints = Subpackets()
    _read_area(hints, version, unhashed, False)
    found.embedded += hints.embedded
    for key_id in (*found.hinted_ids, *hints.hinted_ids):
        named = found.hinted_fingerprints or hints.hinted_fingerprints
        if named and all(_key_id(version, name) != key_id for name in named):
            raise unhashed.fail("the issuer's key ID is not that of its fingerprint")
    if not (found.hinted_ids or found.hinted_fingerprints):
        found.hinted_ids, found.hinted_fingerprints = hints.hinted_ids, hints.hinted_fingerprints
    return found


def _key_id(version: int, fingerprint: bytes) -> bytes:
    return fingerprint[:8] if version == 6 else fingerprint[-8:]


def _read_area(found: Subpackets, version: int, area: Reader, hashed: bool) -> None:
    while area.left:
        first = area.number(1, "a subpacket")
        if first == 255:
            length = area.number(4, "a subpacket's length")
        elif first >= 192:
            length = (first - 192 << 8) + area.number(1, "a subpacket's length") + 192
        else:
            length = first
        if not length:
            raise area.fail("a subpacket without a type")
        base = area.offset
        body = Reader(area.take(length, "a subpacket"), area.source, base)
        kind = body.number(1, "a subpacket")
        critical, kind = bool(kind & 0x80), kind & 0x7F
        if hashed or kind in _HINTS:
            known = _read_one(found, kind, body, version, critical)
            if known:
                body.finish("a subpacket")
            elif critical and kind not in _WITHOUT_EFFECT:
                found.critical_unknown += (f"subpacket {kind}",)


def _read_one(found: Subpackets, kind: int, body: Reader, version: int, critical: bool) -> bool:
    """Read a subpacket whose content matters; False for one of another kind."""
    match kind:
        case 2:
            _once(found, "created", body.number(4, "a time"), body)
        case 3:
            _once(found, "signature_expires", body.number(4, "a time"), body)
        case 9:
            _once(found, "key_expires", body.number(4, "a time"), body)
        case 25:
            _once(found, "primary_user_id", body.number(1, "a flag") != 0, body)
        case 27:
            _once(found, "key_flags", body.rest(), body)
        case 29:
            code = body.number(1, "a reason for revocation")
            _once(found, "reason", (code, printable(body.rest(), 200)), body)
        case 12:
            if not body.number(1, "a designated revoker") & 0x80:
                raise body.fail("a designated revoker of an unknown class")
            body.number(1, "a designated revoker")
            found.revokers += (body.take(20, "a designated revoker"),)
        case 16:
            if version == 6:
                raise body.fail("a key ID, which signatures of version 6 must not name")
            found.hinted_ids += (body.take(8, "an issuer's key ID"),)
        case 33:
            if body.number(1, "an issuer's fingerprint") != version:
                raise body.fail("the issuer's key is of another version than the signature")
            fingerprint = body.take(_FINGERPRINT_SIZES[version], "an issuer's fingerprint")
            found.hinted_fingerprints += (fingerprint,)
        case 32:
            found.embedded += (body.rest(),)
        case 20:
            name = _notation(body)
            if critical:
                found.critical_unknown += (f"notation {printable(name, 100)!r}",)
        case 35:
            # section 5.2.3.36: such a signature counts inside of an encrypted message only
            body.rest()
            found.critical_unknown += ("intended recipient",)
        case _:
            return False
    return True


def _notation(body: Reader) -> bytes:
    """The name of a notation. None is known here, so that its value never matters."""
    body.take(4, "a notation")
    name_length, value_length = body.number(2, "a notation"), body.number(2, "a notation")
    name = body.take(name_length, "a notation")
    body.take(value_length, "a notation")
    return name


def _once(found: Subpackets, field: str, value: object, body: Reader) -> None:
    """Set a field that a signature has one of; the same said twice is no contradiction."""
    earlier = getattr(found, field)
    if earlier is not None and earlier != value:
        raise body.fail("two subpackets contradict each other")
    setattr(found, field, value)

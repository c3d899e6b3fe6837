"""Which signatures on a certificate are right: made by the key that they must be made by, over
what they stand after. What they mean at a given time is for `validity` to say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from msgspec import Struct, field

from assay import limits
from assay.model.finding import AssayError
from assay.signatures.openpgp import signature as types
from assay.signatures.openpgp.algorithms import CHECKABLE, SHA1_ACCEPTED_UNTIL
from assay.signatures.openpgp.certificate import Certificate, Subkey, UserId
from assay.signatures.openpgp.keys import KeyPacket
from assay.signatures.openpgp.packets import USER_ATTRIBUTE, Packet
from assay.signatures.openpgp.signature import SignaturePacket, parse_signature
from assay.signatures.openpgp.wire import Source

REVOCATIONS = (
    types.KEY_REVOCATION,
    types.SUBKEY_REVOCATION,
    types.CERTIFICATION_REVOCATION,
)


class BoundUserId(Struct):
    """A user ID with the primary key's own statements about it."""

    text: bytes
    is_attribute: bool
    certifications: list[SignaturePacket] = field(default_factory=list)
    revocations: list[SignaturePacket] = field(default_factory=list)


class BoundSubkey(Struct):
    """A subkey with the primary key's statements about it. ``bindings`` holds, with each, the
    subkey's own signatures of the primary key in return (section 5.2.1.9) that came with it."""

    key: KeyPacket
    bindings: list[tuple[SignaturePacket, list[SignaturePacket]]] = field(default_factory=list)
    revocations: list[SignaturePacket] = field(default_factory=list)


class ForeignRevocation(Struct):
    """A revocation that the primary key did not make, over ``signed``; ``subkey`` is what it
    revokes, None for the certificate. It counts if a designated revoker made it."""

    signature: SignaturePacket
    signed: bytes
    subkey: KeyPacket | None


class Bindings:
    """The right signatures of one certificate. ``weak`` are those passed over since they are over
    a digest that can be forged, which explains a certificate that seems to lack them."""

    def __init__(self, certificate: Certificate) -> None:
        """Check them all. Raises AssayError as `KeyPacket.public` for the primary key, for one
        that could not be read, or when there are too many signatures."""
        if certificate.primary is None:
            raise certificate.refusal or certificate.source.malformed("no key")
        self.primary = certificate.primary
        self.direct: list[SignaturePacket] = []
        self.revocations: list[SignaturePacket] = []
        self.user_ids: list[BoundUserId] = []
        self.subkeys: list[BoundSubkey] = []
        self.foreign_revocations: list[ForeignRevocation] = []
        self.weak: list[SignaturePacket] = []
        self._source = certificate.source
        self._checks = 0
        _ = self.primary.public
        for packet in certificate.direct:
            self._on_key(packet)
        for user_id in certificate.user_ids:
            self._on_user_id(user_id)
        for subkey in certificate.subkeys:
            self._on_subkey(subkey)

    @property
    def revokers(self) -> set[bytes]:
        """Fingerprints of the keys that may revoke the certificate, by its own word."""
        return {
            revoker
            for signature in self._self_signatures()
            for revoker in signature.subpackets.revokers
        }

    def _self_signatures(self) -> Iterator[SignaturePacket]:
        yield from self.direct
        for user_id in self.user_ids:
            yield from user_id.certifications

    def _on_key(self, packet: Packet) -> None:
        """A signature over the primary key alone, wherever in the certificate it stands."""
        found = self._parse(packet)
        if found is None:
            return
        signed = self.primary.hashed
        if found.type == types.DIRECT_KEY and self._is_own(found, signed):
            self.direct.append(found)
        elif found.type == types.KEY_REVOCATION:
            if self._is_own(found, signed):
                self.revocations.append(found)
            elif not self._claims_own(found):
                self.foreign_revocations.append(ForeignRevocation(found, signed, None))

    def _on_user_id(self, user_id: UserId) -> None:
        body = user_id.packet.body
        is_attribute = user_id.packet.tag == USER_ATTRIBUTE
        bound = BoundUserId(body, is_attribute)
        self.user_ids.append(bound)
        head = b"\xd1" if is_attribute else b"\xb4"
        signed = self.primary.hashed + head + len(body).to_bytes(4) + body
        for packet in user_id.signatures:
            found = self._parse(packet)
            if found is None:
                continue
            if found.type in types.CERTIFICATIONS and self._is_own(found, signed):
                bound.certifications.append(found)
            elif found.type == types.CERTIFICATION_REVOCATION and self._is_own(found, signed):
                bound.revocations.append(found)
            elif found.type in (types.DIRECT_KEY, types.KEY_REVOCATION):
                self._on_key(packet)

    def _on_subkey(self, subkey: Subkey) -> None:
        bound = BoundSubkey(subkey.key)
        self.subkeys.append(bound)
        signed = self.primary.hashed + subkey.key.hashed
        for packet in subkey.signatures:
            found = self._parse(packet)
            if found is None:
                continue
            if found.type == types.SUBKEY_BINDING and self._is_own(found, signed):
                bound.bindings.append((found, list(self._back(found, subkey.key, signed))))
            elif found.type == types.SUBKEY_REVOCATION:
                if self._is_own(found, signed):
                    bound.revocations.append(found)
                elif not self._claims_own(found):
                    foreign = ForeignRevocation(found, signed, subkey.key)
                    self.foreign_revocations.append(foreign)
            elif found.type in (types.DIRECT_KEY, types.KEY_REVOCATION):
                self._on_key(packet)

    def _back(
        self, binding: SignaturePacket, subkey: KeyPacket, signed: bytes
    ) -> Iterator[SignaturePacket]:
        """The right signatures of the primary key by the subkey, embedded in a binding."""
        for body in binding.subpackets.embedded:
            try:
                found = parse_signature(body, self._source)
                right = found.type == types.PRIMARY_KEY_BINDING and self._confirms(
                    subkey, found, signed
                )
            except AssayError:
                continue
            if right:
                yield found

    def _parse(self, packet: Packet) -> SignaturePacket | None:
        """None for a signature that cannot be read or is of no use here: it counts for nothing."""
        try:
            found = parse_signature(packet.body, self._source, packet.offset)
        except AssayError:
            return None
        return found if found.version == self.primary.version else None

    def _claims_own(self, found: SignaturePacket) -> bool:
        return bool(found.hints) and self.primary.is_named_by(found)

    def _is_own(self, found: SignaturePacket, signed: bytes) -> bool:
        return self._confirms(self.primary, found, signed)

    def _confirms(self, key: KeyPacket, found: SignaturePacket, signed: bytes) -> bool:
        if not key.is_named_by(found):
            return False
        self._checks += 1
        if self._checks > limits.OPENPGP_CHECKS:
            raise TooManyError(self._source)
        if found.hash.name not in CHECKABLE:
            # of a revocation that cannot be checked the safe side is to believe it
            return found.type in REVOCATIONS and bool(found.hints)
        if not confirms_signed(key, found, signed):
            return False
        if found.type not in REVOCATIONS and not strong_enough(found):
            self.weak.append(found)
            return False
        return True


class TooManyError(AssayError):
    """More signatures on one certificate than are looked at."""

    def __init__(self, source: Source) -> None:
        detail = f"more than {limits.OPENPGP_CHECKS} signatures on one key"
        super().__init__(source.malformed(detail, cause="").finding)


def strong_enough(signature: SignaturePacket) -> bool:
    """Whether the digest of a self-signature can be believed. Revocations always are: nobody
    gains by forging one."""
    if not signature.hash.broken:
        return True
    return signature.hash.name == "sha1" and signature.created < SHA1_ACCEPTED_UNTIL


def confirms_signed(key: KeyPacket, signature: SignaturePacket, signed: bytes) -> bool:
    """Whether ``key`` made a signature over bytes at hand. Raises AssayError as `KeyPacket.public`
    does."""
    if signature.hash.name not in CHECKABLE:
        return False
    name = signature.hash.name.replace("-", "_")
    data = signature.salt + signed + signature.trailer
    return key.confirms(signature, hashlib.new(name, data, usedforsecurity=False).digest())

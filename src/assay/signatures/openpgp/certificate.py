"""Certificates (RFC 9580 section 10.1): packets grouped into a primary key and what follows it.

Grouping is cheap and believes nothing. Which signatures are right is for `bindings` to say, and
only asked of a certificate that a signature names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from assay.model.finding import AssayError
from assay.signatures.openpgp import packets
from assay.signatures.openpgp.keys import KeyPacket, foreign_id
from assay.signatures.openpgp.packets import Packet
from assay.signatures.openpgp.wire import Source

if TYPE_CHECKING:
    from assay.signatures.openpgp.bindings import Bindings


class Subkey(Struct):
    """A subkey with the signatures that follow it."""

    key: KeyPacket
    signatures: list[Packet] = field(default_factory=list)


class UserId(Struct):
    """A user ID, or a user attribute (a picture), with the signatures that follow it."""

    packet: Packet
    signatures: list[Packet] = field(default_factory=list)


class Certificate:
    """A primary key, user IDs and subkeys as a key file has them.

    ``refusal`` says why the whole of it is of no use (keys of an unsupported version); then there
    is no ``primary`` key, and nothing that follows is read.
    """

    def __init__(self, packet: Packet, source: Source) -> None:
        self.source = source
        self.primary: KeyPacket | None = None
        self.refusal: AssayError | None = None
        self.direct: list[Packet] = []
        self.user_ids: list[UserId] = []
        self.subkeys: list[Subkey] = []
        self._signatures = self.direct
        self._packet = packet
        try:
            self.primary = KeyPacket(packet.body, source, packet.offset)
        except AssayError as error:
            self.refusal = error

    @cached_property
    def id(self) -> bytes:
        """The fingerprint of the primary key."""
        return self.primary.fingerprint if self.primary else foreign_id(self._packet.body)

    @property
    def shown(self) -> str:
        """The fingerprint as people know it."""
        return self.id.hex().upper()

    @cached_property
    def bindings(self) -> Bindings:
        """Which of its signatures are right, computed once. Raises AssayError as
        `KeyPacket.public` for a primary key that is of no use."""
        from assay.signatures.openpgp.bindings import Bindings

        return Bindings(self)

    def merged_with(self, other: Certificate) -> Certificate:
        """All that two copies of one certificate say: a copy without the revocation that the
        other one has must never count."""
        both = Certificate(self._packet, self.source)
        places: dict[tuple[int, bytes], list[Packet]] = {}
        for copy in (self, other):
            for packet in copy.packets():
                if packet.tag == packets.SIGNATURE:
                    if all(packet.body != known.body for known in both._signatures):
                        both.add(packet)
                elif (place := (packet.tag, packet.body)) in places:
                    both._signatures = places[place]
                else:
                    both.add(packet)
                    places[place] = both._signatures
            both._signatures = both.direct
        return both

    def packets(self) -> Iterator[Packet]:
        """What the certificate was grouped from, but for its first packet."""
        yield from self.direct
        for user_id in self.user_ids:
            yield user_id.packet
            yield from user_id.signatures
        for subkey in self.subkeys:
            yield Packet(packets.PUBLIC_SUBKEY, subkey.key.body, subkey.key.offset)
            yield from subkey.signatures

    def all_keys(self) -> Iterator[KeyPacket]:
        """The primary key and the subkeys."""
        if self.primary is not None:
            yield self.primary
            yield from (subkey.key for subkey in self.subkeys)

    def add(self, packet: Packet) -> None:
        """Take up the next packet. Raises AssayError for one that has no place here."""
        if packet.ignorable or packet.tag == packets.TRUST:
            return
        match packet.tag:
            case packets.SIGNATURE:
                self._signatures.append(packet)
            case packets.USER_ID | packets.USER_ATTRIBUTE:
                user_id = UserId(packet)
                self.user_ids.append(user_id)
                self._signatures = user_id.signatures
            case packets.PUBLIC_SUBKEY:
                self._signatures = self._add_subkey(packet)
            case _:
                raise self.source.malformed(
                    f"{packet.name} has no place in a certificate", packet.offset, cause=""
                )

    def _add_subkey(self, packet: Packet) -> list[Packet]:
        """Where the subkey's signatures go: nowhere for one that is of no use here."""
        try:
            subkey = Subkey(KeyPacket(packet.body, self.source, packet.offset))
        except AssayError:
            return []
        if self.primary is not None and subkey.key.version == self.primary.version:
            self.subkeys.append(subkey)
        return subkey.signatures

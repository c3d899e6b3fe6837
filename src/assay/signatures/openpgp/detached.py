"""Detached signature files (RFC 9580 section 10.4), and what all files with signatures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from assay import limits
from assay.model.finding import AssayError
from assay.model.signature import PreparedSignature, Signature
from assay.signatures.openpgp import SCHEME, armor, packets
from assay.signatures.openpgp.packets import Packet, read_packets
from assay.signatures.openpgp.prepared import OpenPgpSignature, UnusableSignature
from assay.signatures.openpgp.signature import TEXT, SignaturePacket, parse_signature
from assay.signatures.openpgp.wire import Source

if TYPE_CHECKING:
    from assay.signatures.openpgp.message import OnePass

_NOT_DETACHED = {
    armor.SIGNED_MESSAGE: "a signed document with a text of its own, not about another file;"
    " a signed checksum file is given with --checksums",
    armor.MESSAGE: "a signed message with a text of its own, not about another file",
    armor.PUBLIC_KEY: "a public key, not a signature",
    armor.PRIVATE_KEY: "a secret key, not a signature",
}


def prepare(
    data: bytes, document: str, signature_id: str, alternatives: str
) -> list[PreparedSignature]:
    """The signatures of a detached file (section 10.4). Raises AssayError."""
    source = Source(signature_id)
    found: list[Packet] = []
    if armor.label_of(data):
        for begin in armor.BEGIN.finditer(data):
            label = begin[1].decode()
            if label != armor.SIGNATURE:
                what = _NOT_DETACHED.get(label, f"a block of the kind {label!r}")
                raise source.malformed(f"this is {what}", begin.start(), cause="")
        for block in armor.blocks(data, source):
            found += signature_packets(block.data, source)
    else:
        found += signature_packets(data, source)
    one = Signature(signature_id, SCHEME, document, alternatives)
    return prepare_all([(packet, None) for packet in found], source, one)


def signature_packets(data: bytes, source: Source) -> list[Packet]:
    found = []
    for packet in read_packets(data, source):
        if packet.tag == packets.SIGNATURE:
            found.append(packet)
        elif packet.tag in (packets.ONE_PASS, packets.COMPRESSED, packets.LITERAL):
            raise source.malformed(f"this is {_NOT_DETACHED[armor.MESSAGE]}", cause="")
        elif not packet.ignorable:
            raise source.malformed(
                f"{packet.name} where a signature belongs", packet.offset, cause=""
            )
    if not found:
        raise source.malformed("no signature in it")
    return found


def prepare_all(
    found: Sequence[tuple[Packet, OnePass | None]],
    source: Source,
    one: Signature,
    *,
    cleartext: bool = False,
) -> list[PreparedSignature]:
    """Of several signatures one that cannot be read counts for nothing, and the others count
    (section 5.2.5); where there is but one, the error says why."""
    if len(found) > limits.OPENPGP_SIGNATURES:
        raise source.malformed(f"more than {limits.OPENPGP_SIGNATURES} signatures", cause="")
    several = len(found) > 1
    prepared: list[PreparedSignature] = []
    for number, (packet, announced) in enumerate(found):
        signature = one
        if several:
            signature = replace(
                one,
                id=f"{one.id}[{number}]",
                alternatives=one.alternatives and f"{one.alternatives}[{number}]",
            )
        try:
            parsed = _parse(packet, announced, source, cleartext)
        except AssayError as error:
            if not several:
                raise
            prepared.append(UnusableSignature(error.finding, signature))
            continue
        prepared.append(OpenPgpSignature(parsed, signature, among_others=several, text=cleartext))
    return prepared


def _parse(
    packet: Packet, announced: OnePass | None, source: Source, cleartext: bool
) -> SignaturePacket:
    parsed = parse_signature(packet.body, source, packet.offset)
    if announced is not None and not announced.announces(parsed):
        raise source.malformed(
            "the signature is not the one that was announced before the text",
            packet.offset,
            cause="parts of several messages were put together",
        )
    if cleartext and parsed.type != TEXT:
        raise source.malformed(
            f"the signature below the text is one {parsed.type_name}",
            packet.offset,
            expected="a signature of a text document (type 0x01)",
            actual=f"type 0x{parsed.type:02x}",
            cause="a signature moved from one use to another",
        )
    return parsed

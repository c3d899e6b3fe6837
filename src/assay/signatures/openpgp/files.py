"""From files to signatures, signed documents and keys."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from assay import limits
from assay.model.finding import AssayError, UsageError
from assay.model.signature import InlineSigned, Key, PreparedSignature, Signature
from assay.signatures.openpgp import armor, detect, packets
from assay.signatures.openpgp.cleartext import read_cleartext
from assay.signatures.openpgp.keyring import read_keyring
from assay.signatures.openpgp.message import OnePass, beginning_of, read_message
from assay.signatures.openpgp.packets import Packet, read_packets
from assay.signatures.openpgp.prepared import SCHEME, OpenPgpSignature, UnusableSignature
from assay.signatures.openpgp.signature import TEXT, SignaturePacket, parse_signature
from assay.signatures.openpgp.wire import Source

_NOT_DETACHED = {
    armor.SIGNED_MESSAGE: "a signed document with a text of its own, not about another file",
    armor.MESSAGE: "a message with a text of its own, not about another file",
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
            found += _signatures(block.data, source)
    else:
        found += _signatures(data, source)
    one = Signature(signature_id, SCHEME, document, alternatives)
    return _prepare_all([(packet, None) for packet in found], source, one)


def _signatures(data: bytes, source: Source) -> list[Packet]:
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


def _prepare_all(
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


def inline(data: bytes, document: str, signature_id: str) -> InlineSigned | None:
    """A cleartext signed document or a signed message; None when ``data`` is neither. Raises
    AssayError for one that is damaged, encrypted, or signed by nobody."""
    source = Source(signature_id)
    one = Signature(signature_id, SCHEME, document)
    if cleartext := read_cleartext(data, source):
        found = [(packet, None) for packet in _signatures(cleartext.signatures, source)]
        signatures = _prepare_all(found, source, one, cleartext=True)
        return InlineSigned(cleartext.content, tuple(signatures), cleartext.outside)
    binary, outside = _armored_message(data, source)
    if binary is None:
        if not _is_message(data):
            return None
        binary = data
    message = read_message(binary, source)
    return InlineSigned(
        message.content, tuple(_prepare_all(message.signatures, source, one)), outside
    )


def _armored_message(data: bytes, source: Source) -> tuple[bytes | None, int]:
    """What is in the one armored message of a file, and how many bytes of text are around it."""
    labels = [found[1].decode() for found in armor.BEGIN.finditer(data)]
    if armor.MESSAGE not in labels:
        return None, 0
    if len(labels) > 1:
        raise source.malformed(
            f"{len(labels)} armored blocks where one message belongs",
            actual=", ".join(labels[:6]),
            cause="someone added text of their own",
        )
    block = next(armor.blocks(data, source))
    around = (data[: block.start], data[block.end :])
    return block.data, sum(len(text) for text in around if text.strip())


def _is_message(data: bytes) -> bool:
    """Whether these bytes, if anything of OpenPGP, are a message and not a detached signature.

    What begins as only a signed message can, compressed or not, counts as one, so that the error
    says what is wrong with it; anything else has to have the framing of a message throughout.
    """
    if detect.begins_with_message(data):
        return True
    try:
        found = [packet for packet in read_packets(data, Source("")) if not packet.ignorable]
    except AssayError:
        return False
    tags = [packet.tag for packet in found]
    if tags == [packets.COMPRESSED]:
        start = beginning_of(found[0])
        return detect.begins_with_content(start)
    if tags[:1] == [packets.SIGNATURE]:
        return packets.LITERAL in tags or packets.COMPRESSED in tags
    return tags[:1] == [packets.LITERAL] or (bool(tags) and tags[0] in packets.ENCRYPTED)


def load_keys(data: bytes, anchor: str) -> list[Key]:
    """Every certificate of a key file. Raises UsageError when it cannot be read, or holds nothing
    that can be used."""
    try:
        certificates = read_keyring(data, anchor)
    except AssayError as error:
        finding = error.finding
        at = f", at byte {finding.offset}" if finding.offset else ""
        raise UsageError(f"{finding.detail}{at}") from error
    refused = [found.refusal for found in certificates if found.refusal is not None]
    if len(refused) == len(certificates):
        raise UsageError(refused[0].finding.detail)
    return [Key(anchor, SCHEME, found.shown, found) for found in certificates]

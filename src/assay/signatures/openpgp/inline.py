"""Documents that carry their own signatures, of whichever form."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.signature import InlineSigned, Signature
from assay.signatures.openpgp import SCHEME, armor, detect, packets
from assay.signatures.openpgp.cleartext import read_cleartext
from assay.signatures.openpgp.detached import prepare_all, signature_packets
from assay.signatures.openpgp.message import beginning_of, read_message
from assay.signatures.openpgp.packets import read_packets
from assay.signatures.openpgp.wire import Source


def inline(data: bytes, document: str, signature_id: str) -> InlineSigned | None:
    """A cleartext signed document or a signed message; None when ``data`` is neither. Raises
    AssayError for one that is damaged, encrypted, or signed by nobody."""
    source = Source(signature_id)
    one = Signature(signature_id, SCHEME, document)
    if cleartext := read_cleartext(data, source):
        found = [(packet, None) for packet in signature_packets(cleartext.signatures, source)]
        signatures = prepare_all(found, source, one, cleartext=True)
        return InlineSigned(cleartext.content, tuple(signatures), cleartext.outside)
    binary, outside = _armored_message(data, source)
    if binary is None:
        if not _is_message(data):
            return None
        binary = data
    message = read_message(binary, source)
    return InlineSigned(
        message.content, tuple(prepare_all(message.signatures, source, one)), outside
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

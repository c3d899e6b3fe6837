"""Key files: one certificate or many, binary, in armor, or in GnuPG's keybox."""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.codes import trust as codes
from assay.model.finding import AssayError, UsageError
from assay.model.signature import Key
from assay.signatures.openpgp import SCHEME, armor, detect, packets
from assay.signatures.openpgp.certificate import Certificate
from assay.signatures.openpgp.packets import read_packets
from assay.signatures.openpgp.wire import Reader, Source

_KEYBOX_OPENPGP = 2


def load_keys(data: bytes, anchor: str) -> list[Key]:
    """Every certificate of a key file. Raises UsageError when it cannot be read, or holds nothing
    that can be used."""
    try:
        certificates = read_keyring(data, anchor)
    except AssayError as error:
        finding = error.finding
        damaged = finding.cause and finding.offset
        at = f", at byte {finding.offset}" if damaged else ""
        raise UsageError(f"{finding.detail}{at}") from error
    refused = [found.refusal for found in certificates if found.refusal is not None]
    if len(refused) == len(certificates):
        raise UsageError(refused[0].finding.detail)
    return [Key(anchor, SCHEME, found.shown, found) for found in certificates]


def read_keyring(data: bytes, name: str) -> list[Certificate]:
    """All certificates in a file, each once. Raises AssayError (key-malformed), also for secret
    keys."""
    source = Source(name, codes.KEY_MALFORMED)
    found: dict[bytes, Certificate] = {}
    for part in _parts(data, source):
        for certificate in _certificates(part, source):
            known = found.get(certificate.id)
            found[certificate.id] = known.merged_with(certificate) if known else certificate
    if not found:
        raise source.malformed("no key in it")
    return list(found.values())


def _parts(data: bytes, source: Source) -> Iterator[bytes]:
    if detect.is_keybox(data):
        yield from _keybox(data, source)
    elif not armor.label_of(data):
        yield data
    else:
        for block in armor.blocks(data, source):
            if block.label != armor.PUBLIC_KEY:
                raise source.malformed(
                    f"the armored block at byte {block.start} is no public key",
                    block.start,
                    expected=armor.PUBLIC_KEY,
                    actual=block.label,
                    cause="",
                )
            yield block.data


def _certificates(data: bytes, source: Source) -> list[Certificate]:
    found: list[Certificate] = []
    for packet in read_packets(data, source):
        if packet.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY):
            raise source.malformed(
                "this is a secret key; give the public key that belongs to it",
                packet.offset,
                cause="",
            )
        if packet.tag == packets.PUBLIC_KEY:
            found.append(Certificate(packet, source))
        elif found:
            found[-1].add(packet)
        elif not packet.ignorable and packet.tag != packets.TRUST:
            raise source.malformed(f"{packet.name} before any key", packet.offset, cause="")
    return found


def _keybox(data: bytes, source: Source) -> Iterator[bytes]:
    """The OpenPGP key blocks of a keybox (GnuPG's kbx/keybox-blob.c describes the form)."""
    reader = Reader(data, source)
    while reader.left:
        start = reader.at
        length = reader.number(4, "a keybox entry")
        if length < 16 or length > len(data) - start:
            reader.at = start
            raise reader.fail("the length of a keybox entry cannot be right", actual=length)
        kind = reader.number(1, "a keybox entry")
        reader.take(3, "a keybox entry")
        if kind == _KEYBOX_OPENPGP:
            at = reader.number(4, "a keybox entry")
            size = reader.number(4, "a keybox entry")
            if at + size > length:
                raise reader.fail("a key block reaches beyond its keybox entry")
            yield data[start + at : start + at + size]
        reader.at = start + length

"""Signed notes and checkpoints: round trips, the specification's example, and hostile ones."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from assay.transparency import checkpoint as checkpoints
from assay.transparency import note as notes
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import KeyType, Note, NoteError, NoteSigner, VerifierKey

LOG = NoteSigner("log.example/one", KeyType.ED25519, Ed25519PrivateKey.generate())
WITNESS = NoteSigner("witness.example/w", KeyType.COSIGNATURE, Ed25519PrivateKey.generate())
CHECKPOINT = Checkpoint("log.example/one", 42, hashlib.sha256(b"root").digest())


def signed() -> Note:
    text = CHECKPOINT.render()
    return Note(text, (LOG.sign(text), WITNESS.sign(text, 1_700_000_000)))


def test_a_signed_checkpoint_survives_the_trip() -> None:
    note = notes.parse(signed().render())
    assert checkpoints.parse(note.text) == CHECKPOINT
    found = notes.confirmations(note, [LOG.verifier, WITNESS.verifier])
    assert [(one.name, one.time) for one in found] == [
        ("log.example/one", None),
        ("witness.example/w", 1_700_000_000),
    ]


def test_an_ecdsa_log_key_is_named_by_its_key_info_alone() -> None:
    private = generate_private_key(SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = VerifierKey("log.example", KeyType.ECDSA, public)
    text = CHECKPOINT.render()
    line = notes.NoteSignature("log.example", key.key_hash, private.sign(text, ECDSA(SHA256())))
    assert key.key_hash == hashlib.sha256(public).digest()[:4]
    assert notes.confirmations(Note(text, (line,)), [key])


def test_a_key_of_another_implementation_is_read() -> None:
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert VerifierKey.parse(text).render() == text


def test_keys_survive_the_trip() -> None:
    for signer in (LOG, WITNESS):
        assert VerifierKey.parse(signer.verifier.render()) == signer.verifier


def test_a_signature_by_an_unknown_key_counts_for_nothing() -> None:
    other = NoteSigner("log.example/one", KeyType.ED25519, Ed25519PrivateKey.generate())
    assert notes.confirmations(signed(), [other.verifier]) == []


def test_signature_lines_repeated_count_once() -> None:
    note = signed()
    repeated = Note(note.text, note.signatures * 3)
    assert len(notes.confirmations(repeated, [LOG.verifier])) == 1


def test_signature_moved_to_another_checkpoint() -> None:
    forged = Checkpoint("log.example/one", 43, CHECKPOINT.root).render()
    with pytest.raises(NoteError, match="does not verify"):
        notes.confirmations(Note(forged, signed().signatures), [LOG.verifier])


def test_witness_time_stamp_altered() -> None:
    note = signed()
    line = note.signatures[1]
    altered = notes.NoteSignature(
        line.untrusted_name, line.untrusted_key_hash, b"\0" * 8 + line.signature[8:]
    )
    with pytest.raises(NoteError, match="does not verify"):
        notes.confirmations(Note(note.text, (altered,)), [WITNESS.verifier])


def test_plain_signature_presented_as_a_cosignature() -> None:
    same = NoteSigner("witness.example/w", KeyType.ED25519, WITNESS.private)
    text = CHECKPOINT.render()
    line = same.sign(text)
    posing = notes.NoteSignature(
        line.untrusted_name, WITNESS.verifier.key_hash, b"\0" * 8 + line.signature
    )
    with pytest.raises(NoteError):
        notes.confirmations(Note(text, (posing,)), [WITNESS.verifier])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"origin\n1\n",
        b"origin\n01\n" + b"A" * 43 + b"=\n",
        b"origin\n-1\n" + b"A" * 43 + b"=\n",
        b"\n1\n" + b"A" * 43 + b"=\n",
        b"origin\n1\nAAAA\n",
        b"origin\n99999999999999999999\n" + b"A" * 43 + b"=\n",
        b"origin\n1\n" + b"A" * 43 + b"=",
    ],
)
def test_malformed_checkpoints_are_refused(text: bytes) -> None:
    with pytest.raises(NoteError):
        checkpoints.parse(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_an_error(data: bytes) -> None:
    try:
        note = notes.parse(data)
    except NoteError:
        return
    assert notes.parse(note.render()) == note


@given(st.integers(0, len(signed().render()) - 1), st.integers(0, 7))
def test_any_flipped_bit_loses_a_signature(position: int, bit: int) -> None:
    data = bytearray(signed().render())
    data[position] ^= 1 << bit
    try:
        note = notes.parse(bytes(data))
        found = notes.confirmations(note, [LOG.verifier, WITNESS.verifier])
    except NoteError:
        return
    assert len(found) < 2

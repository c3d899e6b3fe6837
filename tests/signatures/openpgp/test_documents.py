"""Documents that carry their own signature: cleartext signed text, and signed messages."""

from __future__ import annotations

import bz2
import contextlib
import hashlib
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import AssayError
from assay.model.signature import Status
from assay.model.verdict import Verdict
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.support import NOW, inline, inline_code, keys_in, moment
from tests.signatures.openpgp.writer import (
    Cert,
    SecretKey,
    armored,
    cleartext,
    in_parts,
    legacy,
    literal,
    message,
    one_pass,
    packet,
    simple,
)
from tests.signatures.support import check, codes_of, flips, trust_in, verdict_of

_KEY = SecretKey("EdDSA")
_CERT = simple(_KEY)
TEXT = "SHA256 (disk.img) = 00\nsecond line"


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return _KEY


@pytest.fixture(scope="module")
def key_6() -> SecretKey:
    return SecretKey(version=6)


@pytest.fixture(scope="module")
def cert() -> Cert:
    return _CERT


def error_of(data: bytes) -> str:
    with pytest.raises(AssayError) as raised:
        OPENPGP.inline(data, "file/signed", "file")
    return raised.value.finding.detail


# Cleartext


def test_cleartext_is_allowed(key: SecretKey, key_6: SecretKey) -> None:
    for signer in (key, key_6):
        data = cleartext(signer, TEXT)
        assert inline_code(data, simple(signer)) == "verified"
        found = inline(data)
        assert found.content == TEXT.encode()
        assert found.outside == 0
        [prepared] = found.signatures
        assert prepared.signature.document == "file/signed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        "x",
        "x\n",
        "\nx",
        "a\n\n\nb\n\n",
        "tab\there",
        "a\rb",
        "é\u2028ß",
    ],
)
def test_cleartext_of_any_shape_comes_out_as_it_was_signed(
    key: SecretKey, cert: Cert, text: str
) -> None:
    data = cleartext(key, text)
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == text.encode()


def test_white_space_at_line_ends_is_not_signed_and_not_read(key: SecretKey, cert: Cert) -> None:
    data = cleartext(key, "one  \ntwo\t \nthree")
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == b"one\ntwo\nthree"
    for changed in (data.replace(b"one  ", b"one"), data.replace(b"two", b"two  ")):
        assert inline_code(changed, cert) == "verified"
        assert inline(changed).content == b"one\ntwo\nthree"
    assert inline_code(data.replace(b"two", b"  two"), cert) == "signature-invalid"


def test_line_ends_do_not_matter(key: SecretKey, cert: Cert) -> None:
    data = cleartext(key, TEXT).replace(b"\n", b"\r\n")
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == TEXT.encode()


def test_dash_escapes_are_undone(key: SecretKey, cert: Cert) -> None:
    data = cleartext(
        key, "x\n- -----BEGIN\n- - y\n- From z", signed=b"x\r\n-----BEGIN\r\n- y\r\nFrom z"
    )
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == b"x\n-----BEGIN\n- y\nFrom z"


def test_a_dash_that_is_not_escaped_is_refused(key: SecretKey) -> None:
    for line in ("-x", "--", "-", "-----BEGIN PGP NONSENSE-----"):
        assert "dash" in error_of(cleartext(key, f"a\n{line}\nb"))


def test_a_changed_line_is_refused(key: SecretKey, cert: Cert) -> None:
    data = cleartext(key, TEXT)
    for old, new in ((b"= 00", b"= 01"), (b"second", b"sec0nd"), (b"\nsecond", b"\n\nsecond")):
        assert inline_code(data.replace(old, new), cert) == "signature-invalid"


def test_text_around_the_signed_block_is_counted_and_never_read(key: SecretKey, cert: Cert) -> None:
    """Mail clients and checkers have shown added text as if it were signed."""
    data = cleartext(key, TEXT)
    for before, after in ((b"evil\n", b""), (b"", b"evil\n"), (b"evil\n", b"\nevil")):
        around = before + data + after
        assert inline_code(around, cert) == "verified"
        assert inline(around).content == TEXT.encode()
        assert inline(around).outside == len(before) + len(after)
    assert inline(b"\n \n" + data + b"\n\n").outside == 0


def test_headers_that_look_like_signed_text_are_refused(key: SecretKey) -> None:
    """Between the first line and the empty one nothing is signed, and people read it as if."""
    data = cleartext(key, TEXT)
    for header in (
        b"SHA256 (disk.img) = ff",
        b"Comment: SHA256 (disk.img) = ff",
        b"Charset: utf-8",
        b"NotDashEscaped: You need GnuPG to verify this message",
        b"Hash: SHA512\x0bevil",
        b"Hash: SHA512, ff  disk.img",
        b" Hash: SHA512",
    ):
        assert "header" in error_of(data.replace(b"Hash: SHA512", header))
    for header in (b"Hash: SHA256", b"Hash: SHA256,SHA512", b"Hash: SHA256\nHash: MD5"):
        assert inline_code(data.replace(b"Hash: SHA512", header), simple(key)) == "verified"
    assert inline_code(data.replace(b"Hash: SHA512\n", b""), simple(key)) == "verified"


def test_two_signed_blocks_are_refused(key: SecretKey) -> None:
    """One reader would take the first and another the second (CVE-2007-1263)."""
    data = cleartext(key, TEXT)
    other = cleartext(SecretKey(), "evil")
    for both in (data + other, other + data, data + data):
        assert "another armored block" in error_of(both)
    block = armored("SIGNATURE", packet(2, key.sign(b"")))
    for both in (data + block, block + data):
        assert "another armored block" in error_of(both)


def test_a_signature_of_another_kind_below_the_text_is_refused(key: SecretKey, cert: Cert) -> None:
    """The signature of a file must not be shown as one of text, nor a certification."""
    for type_ in (0x00, 0x10, 0x20):
        assert inline_code(cleartext(key, TEXT, type_=type_), cert) == "signature-malformed"


def test_cleartext_that_is_cut_short_is_refused(key: SecretKey) -> None:
    data = cleartext(key, TEXT)
    for end in range(40, len(data) - 2, 7):
        with pytest.raises(AssayError) as raised:
            OPENPGP.inline(data[:end], "file/signed", "file")
        assert raised.value.finding.code == "signature-malformed"


def test_a_signed_block_without_any_signature_is_refused(key: SecretKey) -> None:
    text = b"-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n"
    assert "no signature" in error_of(text + armored("SIGNATURE", b""))
    assert "end with a signature" in error_of(text)
    ending = b"-----BEGIN PGP SIGNATURE-----x\n" + armored("SIGNATURE", packet(2, key.sign(b"")))
    assert "no signature follows" in error_of(text + ending)


def test_several_signatures_below_one_text(key: SecretKey, key_6: SecretKey) -> None:
    signed = TEXT.replace("\n", "\r\n").encode()
    both = packet(2, key.sign(signed, 1)) + packet(2, key_6.sign(signed, 1))
    head = b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + TEXT.encode() + b"\n"
    found = inline(head + armored("SIGNATURE", both))
    keys = keys_in(simple(key).data, simple(key_6).data)
    outcomes = [check(p, found.content, keys, moment(NOW)) for p in found.signatures]
    assert [outcome.status for outcome in outcomes] == [Status.VERIFIED] * 2
    assert len({outcome.signature.id for outcome in outcomes}) == 2


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("a-\n\r\t \u0085F"), max_size=40))
def test_any_text_that_is_read_as_verified_is_what_was_signed(text: str) -> None:
    escaped = "\n".join(f"- {line}" if line.startswith("-") else line for line in text.split("\n"))
    signed = "\r\n".join(line.rstrip(" \t\r") for line in text.split("\n")).encode()
    data = cleartext(_KEY, escaped, signed=signed)
    assert inline_code(data, _CERT) == "verified"
    assert inline(data).content == signed.replace(b"\r\n", b"\n")


# Messages


def compressed(data: bytes, algorithm: int = 1) -> bytes:
    packed = {0: data, 2: zlib.compress(data), 3: bz2.compress(data)}
    if algorithm == 1:
        deflate = zlib.compressobj(wbits=-15)
        packed[1] = deflate.compress(data) + deflate.flush()
    return packet(8, bytes((algorithm,)) + packed[algorithm])


@pytest.mark.parametrize("version", [4, 6])
def test_a_message_in_every_form_is_allowed(version: int) -> None:
    key = SecretKey(version=version)
    cert = simple(key)
    body = TEXT.encode()
    made = key.sign(body)
    plain = message(key, body)
    forms = [
        plain,
        armored("MESSAGE", plain),
        b"see below\n" + armored("MESSAGE", plain),
        plain + packet(10, b"PGP"),
        packet(2, made) + literal(body),
        one_pass(key, made) + in_parts(11, b"b\0\0\0\0\0" + body) + packet(2, made),
        legacy(8, b"\0" + plain, 3),
        *(compressed(plain, algorithm) for algorithm in range(4)),
    ]
    for data in forms:
        assert inline_code(data, cert) == "verified"
        assert inline(data).content == body


def test_a_message_in_parts_is_put_together(key: SecretKey, cert: Cert) -> None:
    body = bytes(range(256)) * 9
    made = key.sign(body)
    data = one_pass(key, made) + in_parts(11, b"b\0\0\0\0\0" + body) + packet(2, made)
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == body


def test_a_text_message_is_over_lines_whatever_ends_them(key: SecretKey, cert: Cert) -> None:
    made = key.sign(b"one\r\ntwo\r\n", 1)
    for text in (b"one\r\ntwo\r\n", b"one\ntwo\n"):
        data = one_pass(key, made) + literal(text, b"t") + packet(2, made)
        assert inline_code(data, cert) == "verified"
        assert inline(data).content == text


def test_what_a_message_says_of_its_text_is_not_believed(key: SecretKey, cert: Cert) -> None:
    """Name and date of the text are not signed."""
    made = key.sign(b"text")
    named = packet(11, b"b\x04evil" + b"\xff" * 4 + b"text")
    data = one_pass(key, made) + named + packet(2, made)
    assert inline_code(data, cert) == "verified"
    assert inline(data).content == b"text"


def test_a_changed_message_is_refused(key: SecretKey, cert: Cert) -> None:
    data = message(key, b"text")
    assert inline_code(data.replace(b"text", b"tex!"), cert) == "signature-invalid"


def test_nested_and_mixed_messages_are_refused(key: SecretKey) -> None:
    """Which of several texts a signature is over has been answered differently by readers
    (CVE-2007-1263, EFAIL): there must be one text, with its signatures around it."""
    made, other = key.sign(b"text"), key.sign(b"more")
    start, end, text = one_pass(key, made), packet(2, made), literal(b"text")
    bad = [
        start + text + literal(b"more") + end,
        literal(b"more") + start + text + end,
        start + text + end + literal(b"more"),
        start + text + end + start + text + end,
        start + text,
        text + end,
        start + end,
        start + start + text + end,
        start + text + end + end,
        one_pass(key, made, last=False) + text + end,
        one_pass(key, made) + one_pass(key, other) + text + packet(2, other) + end,
        start + compressed(text) + end,
        start + packet(13, b"Alice") + text + end,
        start + text + end + packet(13, b"Alice"),
        end + start + text + end,
        start + text + packet(22, b"") + end,
        compressed(start + text + end) + compressed(start + text + end),
        compressed(compressed(start + text + end)),
        end + text + start,
        start + text + one_pass(key, made),
    ]
    for data in bad:
        with contextlib.suppress(AssayError):
            assert OPENPGP.inline(data, "file/signed", "file") is None
        with contextlib.suppress(AssayError):
            assert OPENPGP.inline(armored("MESSAGE", data), "file/signed", "file") is None


def test_an_announcement_that_does_not_fit_the_signature_is_refused(
    key: SecretKey, key_6: SecretKey
) -> None:
    made = key.sign(b"text")
    text, end = literal(b"text"), packet(2, made)
    other = SecretKey("EdDSA")
    other_digest = key.sign(b"text", digest="sha256")
    for start in (
        one_pass(other, made),
        one_pass(key, other_digest),
        one_pass(key, key.sign(b"text", 1)),
        one_pass(key_6, made),
    ):
        assert "announced" in error_of(start + text + end)
    made = key_6.sign(b"text")
    wrong_salt = one_pass(key_6, made, salt=b"t" * 32)
    assert "announced" in error_of(wrong_salt + text + packet(2, made))


def test_two_signers_of_one_message(key: SecretKey, key_6: SecretKey) -> None:
    made, made_6 = key.sign(b"text"), key_6.sign(b"text")
    head = one_pass(key, made, last=False) + one_pass(key_6, made_6)
    data = head + literal(b"text") + packet(2, made_6) + packet(2, made)
    found = inline(data)
    keys = keys_in(simple(key).data, simple(key_6).data)
    outcomes = [check(p, found.content, keys, moment(NOW)) for p in found.signatures]
    assert [outcome.status for outcome in outcomes] == [Status.VERIFIED] * 2
    swapped = inline(head + literal(b"text") + packet(2, made) + packet(2, made_6))
    outcomes = [check(p, swapped.content, keys, moment(NOW)) for p in swapped.signatures]
    assert [outcome.status for outcome in outcomes] == [Status.UNCHECKED] * 2


def test_a_message_that_nobody_signed_is_refused() -> None:
    for data in (literal(b"text"), compressed(literal(b"text")), armored("MESSAGE", literal(b"x"))):
        assert "nobody signed" in error_of(data)


def test_an_encrypted_message_is_refused() -> None:
    session = packet(1, b"\x03" + bytes(8) + b"\x01" + bytes(20))
    for data in (session + packet(18, b"\x01" + bytes(50)), packet(9, bytes(50))):
        assert "encrypted" in error_of(data)
        assert "encrypted" in error_of(armored("MESSAGE", data))


def test_a_compression_bomb_is_refused(key: SecretKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.limits.DOCUMENT_SIZE", 100_000)
    data = compressed(message(key, bytes(200_000)))
    with pytest.raises(AssayError) as raised:
        OPENPGP.inline(data, "file/signed", "file")
    assert raised.value.finding.code == "limit-exceeded"


def test_damaged_compression_is_refused(key: SecretKey) -> None:
    whole = message(key, TEXT.encode() * 50)
    for algorithm in (1, 2):
        body = compressed(whole, algorithm)
        body = body[1 + (body[1] >= 192) + 1 :]
        for data in (body[:-9], body + b"junk"):
            with pytest.raises(AssayError) as raised:
                OPENPGP.inline(packet(8, data), "file/signed", "file")
            assert raised.value.finding.code == "signature-malformed"
    assert OPENPGP.inline(packet(8, b"\x09" + bytes(40)), "file/signed", "file") is None


def test_two_armored_messages_are_refused(key: SecretKey) -> None:
    one = armored("MESSAGE", message(key, b"text"))
    assert "armored blocks" in error_of(one + one)
    assert "armored blocks" in error_of(one + armored("SIGNATURE", packet(2, key.sign(b""))))


def test_other_documents_are_none(key: SecretKey) -> None:
    made = packet(2, key.sign(b""))
    for data in (
        b"",
        b"plain text\n",
        "\ufeffé text".encode(),
        "é".encode() * 40,
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\xa3\x01\x02\x03\x04\x05\x06",  # a map in CBOR, and the head of compressed data
        b"\xa3\x01\x63abc\x02\x63def\x03\x63ghi",
        b"\x1f\x8b\x08\x00" + bytes(20),
        made,
        armored("SIGNATURE", made),
        armored("PUBLIC KEY BLOCK", simple(key).data),
        simple(key).data,
        bytes(range(128, 256)) * 4,
    ):
        assert OPENPGP.inline(data, "file/signed", "file") is None


def test_every_flipped_bit_of_a_message_is_refused_or_changes_nothing(
    key: SecretKey, cert: Cert
) -> None:
    """What is not signed (a name, a date, how the packets are framed) may change; what comes out
    as verified is what was signed."""
    keys = keys_in(cert.data)
    for data in (message(key, b"the text"), cleartext(key, "the text")):
        for changed in flips(data):
            try:
                found = OPENPGP.inline(changed, "file/signed", "file")
            except AssayError:
                continue
            for prepared in found.signatures if found else ():
                outcome = check(prepared, found.content if found else b"", keys, moment(NOW))
                if outcome.status is Status.VERIFIED:
                    assert found is not None
                    assert found.content == b"the text"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 63))
def test_no_bytes_make_the_reader_fail_otherwise_than_it_may(data: bytes, tag: int) -> None:
    for candidate in (
        data,
        packet(tag, data),
        packet(4, b"\x03\x00\x0a\x16" + data),
        packet(4, b"\x03\x00\x0a\x16" + bytes(9)) + data,
        packet(8, data),
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + data,
        b"-----BEGIN PGP MESSAGE-----\n\n" + data + b"\n-----END PGP MESSAGE-----\n",
    ):
        with contextlib.suppress(AssayError):
            OPENPGP.inline(candidate, "file/signed", "file")


def test_a_signed_checksum_file_vouches_for_what_it_lists(tmp_path: Path, key: SecretKey) -> None:
    image, ring, sums = (tmp_path / name for name in ("disk.img", "ring.pgp", "SHA256SUMS.asc"))
    image.write_bytes(b"assay" * 99)
    ring.write_bytes(simple(key).data)
    line = f"{hashlib.sha256(image.read_bytes()).hexdigest()}  disk.img"
    other = f"{hashlib.sha256(b'evil').hexdigest()}  disk.img"

    def verdict(signed: bytes) -> Verdict:
        sums.write_bytes(signed)
        trust = trust_in(ring)
        trust.add_checksums(str(sums))
        return verdict_of(image, trust, at=moment(NOW))

    for data in (cleartext(key, line), message(key, line.encode())):
        found = verdict(data)
        assert found.exit_status == 0
        assert {vouching.kind for vouching in found.vouchers} == {"key", "checksums"}
    around = other.encode() + b"\n" + cleartext(key, line) + other.encode()
    assert "outside-signature" in codes_of(verdict(around))
    image.write_bytes(b"evil")
    assert verdict(around).exit_status == 1

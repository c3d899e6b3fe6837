"""The signed messages that containers' image signing makes ("simple signing")."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.finding import AssayError, UsageError
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.support import code, inline, keys_in
from tests.signatures.support import check

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "containers-signatures"
AT = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="the vectors are not here")


def keys(*names: str) -> list[bytes]:
    return [(VECTORS / name).read_bytes() for name in names]


def outcome(name: str, *key_files: str) -> str:
    found = inline((VECTORS / name).read_bytes())
    [prepared] = found.signatures
    return code(check(prepared, found.content, keys_in(*keys(*key_files)), AT))


@pytest.mark.parametrize(
    ("name", "key_file", "expected"),
    [
        ("image.signature", "public-key.gpg", "verified"),
        ("no-optional-fields.signature", "public-key.gpg", "verified"),
        ("invalid-reference.signature", "public-key.gpg", "verified"),
        ("invalid-blob.signature", "public-key.gpg", "verified"),
        ("invalid-blob.signature-v3", "public-key.gpg", "verified"),
        ("invalid-cleartext.signature", "public-key.gpg", "verified"),
        ("subkey.signature", "public-key-with-subkey.gpg", "verified"),
        ("subkey.signature-v3", "public-key-with-subkey.gpg", "verified"),
        ("image.signature", "public-key-2.gpg", "wrong-key"),
        ("unknown-key.signature", "public-key.gpg", "wrong-key"),
        ("unknown-key.signature-v3", "public-key.gpg", "wrong-key"),
        ("expired.signature", "public-key.gpg", "signature-expired"),
        ("subkey-revoked.signature", "public-key-with-revoked-subkey.gpg", "key-revoked"),
        ("subkey-revoked.signature-v3", "public-key-with-revoked-subkey.gpg", "key-revoked"),
    ],
)
def test_a_signed_message_is_what_its_name_says(name: str, key_file: str, expected: str) -> None:
    assert outcome(name, key_file) == expected


@pytest.mark.parametrize(
    "name",
    [
        "corrupt.signature",
        "corrupt.signature-v3",
        "unsigned-encrypted.signature",
        "unsigned-literal.signature",
    ],
)
def test_what_is_no_signed_message_is_refused(name: str) -> None:
    with pytest.raises(AssayError) as raised:
        OPENPGP.inline((VECTORS / name).read_bytes(), "file/signed", "file")
    assert raised.value.finding.code == "signature-malformed"


def test_the_content_is_what_is_claimed_of_the_image() -> None:
    found = inline((VECTORS / "image.signature").read_bytes())
    assert found.content.startswith(b'{"critical":')
    assert found.outside == 0


def test_keyrings_load_and_secret_ones_are_refused() -> None:
    assert len(keys_in(*keys("pubring.gpg"))) == 4
    with pytest.raises(UsageError, match="secret key"):
        keys_in(*keys("secring.gpg"))

"""How findings name things."""

from __future__ import annotations

import base64

import pytest

from assay.signatures.sigstore.signature import _shown_hint


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("", ""),
        (base64.b64encode(bytes(range(32))).decode(), f"sha256:{bytes(range(32)).hex()}"),
        ("release key\x1b", r"'release key\x1b'"),
        ("AAAA", "'AAAA'"),
    ],
)
def test_a_key_in_a_bundle_is_named_as_key_ids_are(hint: str, shown: str) -> None:
    assert _shown_hint(hint) == shown

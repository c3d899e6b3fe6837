"""Tables of roles are read strictly: one that is half understood lets the wrong people speak."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.model.finding import AssayError
from assay.trust.roles import parse_roles


def test_a_table() -> None:
    value = {
        "builders": [{"id": "glob:b/*", "signer": "s", "issuer": "i", "level": 3}],
        "verifiers": [{"id": "v", "operator": "o"}],
        "scanners": [],
        "vex-authors": [{"signer": "s"}],
    }
    roles = parse_roles(json.dumps(value).encode())
    assert roles.builders is not None
    [builder] = roles.builders
    assert builder.id is not None
    assert builder.id.matches("b/c")
    assert builder.level == 3
    assert roles.verifiers is not None
    assert roles.verifiers[0].operator == "o"
    assert roles.scanners == ()
    assert roles.vex_authors is not None
    assert roles.vex_authors[0].id is None
    assert parse_roles(b'{"scanners": []}').builders is None


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"builder": []},
        {"builders": {}},
        {"builders": ["a"]},
        {"builders": [{"signer": "s"}]},
        {"builders": [{"id": "b"}]},
        {"builders": [{"id": "b", "signer": "s", "operator": "o"}]},
        {"builders": [{"id": "b", "operator": "o", "issuer": "i"}]},
        {"builders": [{"id": "b", "signer": ""}]},
        {"builders": [{"id": "regex:(", "signer": "s"}]},
        {"builders": [{"id": "b", "signer": "s", "level": "3"}]},
        {"builders": [{"id": "b", "signer": "s", "level": True}]},
        {"builders": [{"id": "b", "signer": "s", "level": 5}]},
        {"builders": [{"id": "b", "signer": "s", "Level": 3}]},
        {"verifiers": [{"id": "v", "signer": "s", "level": 3}]},
    ],
)
def test_what_is_no_table(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_roles(json.dumps(value).encode())


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_anything_is_a_table_or_refused(data: bytes) -> None:
    with contextlib.suppress(AssayError, ValueError):
        parse_roles(data)

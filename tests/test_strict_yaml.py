"""YAML is read one way only, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.strict_yaml import Node, parse, parse_all
from fuzz.fuzz_yaml import one_input, seeds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' stands there twice, first in line 1"),
        ('{"a": 1, "\\u0061": 2}', "twice"),
        ("a: {b: 1, b: 2}", "twice"),
        ("a: !!python/object:os.system x", "tag"),
        ("a: !!str x", "tag"),
        ("!x {}", "tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "merge"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "directive"),
        ("a: *x", "alias"),
        ("a: &x [*x]", "alias"),
        ("? [a]\n: 1", "no text"),
        ("1: a", "no text"),
        ("true: a", "no text"),
        ("null: a", "no text"),
        ("a: yes", "quote"),
        ("a: No", "quote"),
        ("country: NO", "quote"),
        ("on: push", "quote"),
        ("a: 010", "quote"),
        ("a: 0o10", "quote"),
        ("a: 0x1F", "quote"),
        ("a: 12:30", "quote"),
        ("a: 1_000", "quote"),
        ("a: 1e3", "quote"),
        ("a: .inf", "quote"),
        ("a: .nan", "quote"),
        ("a: 123456789012345678901", "quote"),
        ("a: b: c", "not YAML"),
        ("a: [1", "not YAML"),
        ("\ta: 1", "not YAML"),
        ("a: 'x", "not YAML"),
        ('a: "\\UFFFFFFFF"', "not YAML"),
        ('a: "\\ud800"', "half a character"),
        ("a: \x07", "not YAML"),
        ("a: 1 # x\u2028b: 2", "some readers only"),
        ("a: 1\n\ufeffb: 2", "some readers only"),
        ("a: 1\n---\nb: 1", "2 YAML documents"),
        ("# nothing", "0 YAML documents"),
        ("[" * 300, "deeper"),
        ("a" * (limits.YAML_SIZE + 1), "bytes of YAML"),
        ("[" + "a," * limits.YAML_NODES + "]", "values"),
        ("---\na\n" * (limits.YAML_DOCUMENTS + 1), "documents"),
    ],
)
def test_what_two_readers_might_read_differently_is_refused(text: str, says: str) -> None:
    with pytest.raises(AssayError) as caught:
        parse(text.encode(), "document")
    assert says in caught.value.finding.detail


def test_bytes_that_are_not_utf_8() -> None:
    for data in (b"a: \xff", "a: 1".encode("utf-16")):
        with pytest.raises(AssayError):
            parse(data, "document")


def test_a_billion_laughs() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(AssayError) as caught:
        parse("\n".join(lines).encode(), "document")
    assert caught.value.finding.code == "limit-exceeded"


def test_aliases_within_bounds_are_what_they_stand_for() -> None:
    found = parse(b"a: &key |\n  text\nb: *key\nc: &m {d: *key}\ne: [*m, *m]\n", "document").plain()
    assert found["b"] == "text\n"
    assert found["e"] == [{"d": "text\n"}, {"d": "text\n"}]


def test_aliases_nest_no_deeper_than_what_is_written_out() -> None:
    """Whoever walks the values must not run out of stack."""
    deep = "[" * 40 + "{}" + "]" * 40
    lines = ["- &a0 " + deep.format("x")] + [
        f"- &a{number} " + deep.format(f"*a{number - 1}") for number in range(1, 40)
    ]
    with pytest.raises(AssayError) as refused:
        parse("\n".join(lines).encode(), "document")
    assert refused.value.finding.code == "limit-exceeded"
    assert "line 2" in refused.value.finding.detail


def test_an_alias_reaches_no_other_document() -> None:
    with pytest.raises(AssayError):
        parse_all(b"a: &x 1\n---\nb: *x\n", "document")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: true", True),
        ("a: FALSE", False),
        ("a: ~", None),
        ("a:", None),
        ("a: null", None),
        ("a: -3", -3),
        ("a: 0", 0),
        ("a: 1.5", 1.5),
        ("a: 'yes'", "yes"),
        ('a: "010"', "010"),
        ("a: 1.2.3", "1.2.3"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: sha256:1234", "sha256:1234"),
        ("a: >-\n  b\n  c", "b c"),
        ("a: host:5000/x", "host:5000/x"),
        ('a: "\\ud83d\\ude00"', "\N{GRINNING FACE}"),
    ],
)
def test_scalars_mean_what_everybody_takes_them_for(text: str, value: Any) -> None:
    found = parse(text.encode(), "document").plain()["a"]
    assert found == value
    assert type(found) is type(value)


def test_each_value_and_key_has_its_place() -> None:
    node = parse(b"# x\na:\n  - b: 1\n    c: 2\n", "document")
    inner: Node = node.value["a"].value[0]
    assert (inner.value["c"].line, inner.value["c"].column) == (4, 8)
    assert inner.keys == {"b": (3, 5), "c": (4, 5)}


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(_json.filter(lambda value: value is not None))
def test_json_in_yaml_is_what_it_is_as_json(value: Any) -> None:
    assert parse(json.dumps(value).encode(), "document").plain() == value


@given(st.binary(max_size=200) | st.text("ab:-#&*!|>'\"%@`{}[],?\n \t01.<~", max_size=60))
def test_any_bytes_are_survived(data: bytes | str) -> None:
    one_input(data if isinstance(data, bytes) else data.encode())


def test_samples_are_read() -> None:
    for seed in seeds():
        assert parse_all(seed, "document")

"""Witness policies: read strictly, and met by the right witnesses."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.transparency.note import KeyType, NoteError, NoteSigner, VerifierKey
from assay.transparency.policy import parse_policy
from tests.support.sigstore_modern import Witness

A, B, C, D = (Witness(f"{name}.test") for name in "abcd")
KEYS = "".join(
    f"witness {name} {witness.vkey.render()}\n"
    for name, witness in zip("abcd", (A, B, C, D), strict=True)
)
LOG = (
    "log.test+"
    + NoteSigner("log.test", KeyType.ED25519, A.private).verifier.render().partition("+")[2]
)


def met(quorum: str, present: str) -> bool:
    policy = parse_policy((KEYS + quorum).encode())
    return policy.is_met_by(frozenset(each.encode() for each in present))


@pytest.mark.parametrize(
    ("quorum", "present", "expected"),
    [
        ("quorum none\n", "", True),
        ("quorum a\n", "a", True),
        ("quorum a\n", "b", False),
        ("group g any a b\nquorum g\n", "b", True),
        ("group g any a b\nquorum g\n", "c", False),
        ("group g all a b\nquorum g\n", "ab", True),
        ("group g all a b\nquorum g\n", "a", False),
        ("group g 2 a b c\nquorum g\n", "ac", True),
        ("group g 2 a b c\nquorum g\n", "cd", False),
        ("group g any a b\ngroup h any c d\ngroup i all g h\nquorum i\n", "ad", True),
        ("group g any a b\ngroup h any c d\ngroup i all g h\nquorum i\n", "ab", False),
        ("group g all a b\n\n  # a comment\n\t group h 1 g c \nquorum h", "c", True),
    ],
)
def test_a_quorum(quorum: str, present: str, expected: bool) -> None:
    assert met(quorum, present) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no quorum"),
        (KEYS, "no quorum"),
        (KEYS + "quorum e\n", "not defined before"),
        ("quorum a\n" + KEYS, "not defined before"),
        (KEYS + "quorum a\nquorum b\n", "a second quorum"),
        (KEYS + "quorum a b\n", "expected: quorum"),
        (KEYS + "group g 3 a b\nquorum g\n", "'3' of 2"),
        (KEYS + "group g 0 a b\nquorum g\n", "'0' of 2"),
        (KEYS + "group g 01 a b\nquorum g\n", "'01' of 2"),
        (KEYS + "group g -1 a b\nquorum g\n", "'-1' of 2"),
        (KEYS + "group g some a b\nquorum g\n", "'some' of 2"),
        (KEYS + "group g any\nquorum g\n", "expected: group"),
        (KEYS + "group g 2 a a b\nquorum g\n", "a member twice"),
        (KEYS + "group g any a\ngroup h 2 a b g\nquorum h\n", "a member twice"),
        (KEYS + "group g any g\nquorum g\n", "not defined before"),
        (KEYS + "group g any none\nquorum g\n", "not defined before"),
        (KEYS + "group a any b\nquorum a\n", "reserved or taken"),
        (KEYS + "group none any b\nquorum none\n", "reserved or taken"),
        (KEYS + KEYS + "quorum a\n", "reserved or taken"),
        (KEYS + f"witness e {A.vkey.render()}\nquorum a\n", "a witness twice"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", "a log twice"),
        (f"witness a {LOG}\nquorum a\n", "not of a kind for witnesses"),
        (f"log {A.vkey.render()}\nquorum none\n", "not of a kind for logs"),
        ("witness a key\nquorum a\n", "has the form"),
        ("witnes a b\nquorum none\n", "is none of"),
        (KEYS + "quorum a\r\n", "control character"),
    ],
    ids=map(str, itertools.count()),  # the texts hold keys made anew for each process
)
def test_a_policy_that_is_refused(text: str, said: str) -> None:
    with pytest.raises(NoteError, match=r"line|no quorum") as caught:
        parse_policy(text.encode())
    assert said in str(caught.value)


def test_the_same_key_under_another_name_is_the_same_witness() -> None:
    again = VerifierKey("other.test", A.vkey.type, A.vkey.public).render()
    with pytest.raises(NoteError, match="a witness twice"):
        parse_policy((KEYS + f"witness e {again}\nquorum a\n").encode())


def test_names_are_bytes() -> None:
    kelvin = "\N{KELVIN SIGN}"
    text = f"witness K {A.vkey.render()}\nwitness {kelvin} {B.vkey.render()}\nquorum {kelvin}\n"
    policy = parse_policy(text.encode())
    assert not policy.is_met_by(frozenset([b"K"]))
    assert policy.is_met_by(frozenset([kelvin.encode()]))


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_note_error_at_most(data: bytes) -> None:
    with contextlib.suppress(NoteError):
        parse_policy(data)

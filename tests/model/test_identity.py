"""Names match in full or not at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.model.globs import Glob
from assay.model.identity import IdentityPattern, NamePattern


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("alice@example.com", "alice@example.com", True),
        ("alice@example.com", "malice@example.com", False),
        ("alice@example.com", "alice@example.com.evil.test", False),
        ("alice@example.com", "alice@exampleXcom", False),
        ("alice@example.com", "alice@example.com\n", False),
        ("a*", "ab", False),
        ("glob:*@example.com", "bob@example.com", True),
        ("glob:*@example.com", "bob@example.com\n", False),
        ("glob:https://forge.test/org/*", "https://forge.test/org/app", True),
        ("glob:https://forge.test/org/*", "https://forge.test/org/app/other", False),
        ("glob:https://forge.test/org/**", "https://forge.test/org/app/other", True),
        ("glob:v?", "v1", True),
        ("glob:v?", "v12", False),
        ("glob:[ab]", "a", False),
        ("regex:https://forge.test/org/.*", "https://forge.test/org/app", True),
        ("regex:org", "https://forge.test/org/app", False),
        ("regex:a|b", "bc", False),
    ],
)
def test_a_pattern_matches_the_whole_name(pattern: str, name: str, matches: bool) -> None:
    assert NamePattern.parse(pattern).matches(name) is matches


@given(
    st.lists(st.sampled_from(["*", "**", "?", "a", "b", "/", "ab", "."]), max_size=8),
    st.text("ab/.\n", max_size=12),
)
def test_a_glob_means_what_it_says(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    pieces = re.split(r"(\*\*|\*|\?)", pattern)
    meaning = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    wanted = re.compile("".join(meaning.get(p) or re.escape(p) for p in pieces), re.DOTALL)
    assert Glob(pattern).matches(name) is (wanted.fullmatch(name) is not None)


def test_a_name_that_would_take_a_search_for_ever() -> None:
    """Whoever gets a certificate chooses the name in it."""
    pattern = NamePattern.parse("glob:" + "**a*b" * 400)
    assert not pattern.matches("a" * 4000)
    assert pattern.matches("xab" * 800)


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "glob:", "regex:", "regex:(", "x" * 5000),
        "regex:a{99999999999999999999}",
        "regex:" + "(" * 1900 + "a" + ")" * 1900,
    ],
    ids=["empty", "glob", "regex", "open", "long", "repeated too often", "nested too deep"],
)
def test_a_pattern_that_makes_no_sense_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"empty|longer|regular expression"):
        NamePattern.parse(pattern)


def test_an_issuer_has_to_match_as_well() -> None:
    identity = IdentityPattern(NamePattern.parse("a"), NamePattern.parse("https://issuer.test"))
    assert identity.matches(["b", "a"], "https://issuer.test")
    assert not identity.matches(["a"], "https://issuer.test.evil")
    assert not identity.matches(["a"])

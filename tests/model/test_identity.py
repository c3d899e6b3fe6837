"""Names match in full or not at all."""

from __future__ import annotations

import pytest

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

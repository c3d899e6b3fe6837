"""Policies as people write them, and as they should not."""

from __future__ import annotations

import textwrap

import pytest

from assay import limits
from assay.policy import model
from assay.policy.model import Mode
from assay.policy.problems import PolicyError
from assay.policy.reading import Document, read


def example() -> str:
    """The worked example of the module, as it stands there."""
    text = model.__doc__ or ""
    return textwrap.dedent(text[text.index("    assay-policy") : text.index("\nWhat decides")])


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text.encode(), "p.yaml")
    return [str(each) for each in caught.value.problems]


def read_text(text: str) -> Document:
    return read(textwrap.dedent(text).encode(), "p.yaml")


def test_the_worked_example_is_read() -> None:
    policy = read_text(example()).policy
    assert list(policy.anchors) == ["release", "ci", "security", "on-call"]
    ours, holes = policy.rules
    assert ours.require.freshness is not None
    assert ours.require.freshness.signed_within.days == 180
    assert holes.mode is Mode.WARN
    assert holes.match.namespace[0].matches("production")
    assert ours.match.repository[0].matches("registry.example/acme/team/app")
    assert not ours.match.repository[0].matches("registry.example.evil/acme/app")


def test_an_unknown_key_is_told_with_its_place_and_a_suggestion() -> None:
    text = "assay-policy: 1\nrules:\n  - name: a\n    require:\n      signer: key\n"
    assert problems(text) == [
        "p.yaml:5:7: 'signer' is no key of rules[0].require; did you mean signers?"
    ]


def test_every_problem_of_a_policy_is_told_at_once() -> None:
    text = example().replace("mode: warn", "mode: wran").replace("level: 3", "level: 9")
    assert problems(text.replace("2026-02-01", "2026-02-31")) == [
        "p.yaml:8:52: anchors.release.keys[0].valid-until is '2026-02-31': no such day",
        "p.yaml:28:12: builders[0].level is 9, and has to be 0 to 4",
        "p.yaml:47:16: rules[0].require.provenance.level is 9, and has to be 0 to 4",
        "p.yaml:63:11: rules[1].mode is 'wran'; did you mean warn?",
        "p.yaml:64:21: rules[1].effective-from is '2026-02-31': no such day",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("rules: {}", "p.yaml:2:8: rules has to be a list"),
        ("rules: [{name: a}]", "p.yaml:2:9: rules[0] needs require"),
        ("rules: [a]", "p.yaml:2:9: rules[0] has to be a mapping, with name, require, description"),
        ("name: 1.0", 'p.yaml:2:7: name has to be text; in quotes: "1.0"'),
        ("name:", "p.yaml:2:6: nothing stands behind name; give it a value"),
        ("anchors: {a: {}}", "p.yaml:2:14: anchors.a needs one of keys, authorities"),
        ("anchors: {a: {keys: k.pub}}", "p.yaml:2:21: anchors.a.keys has to be a list: [k.pub]"),
        ("anchors: {a: {keys: [k], digests: [d]}}", "p.yaml:2:36: anchors.a.digests[0] is 'd'"),
        ("anchors: {'a:b': {keys: [k]}}", "p.yaml:2:11: anchors.a:b is 'a:b', and has to be a na"),
        ("anchors: {a: {names: [x], digests: []}}", "p.yaml:2:36: anchors.a.digests has to have 1"),
        ("name: a\nname: b", "p.yaml:3:1: the key 'name' stands there twice, first in line 2"),
        ("name: *a", "p.yaml:2:7: the alias 'a' of nothing"),
        ("name: yes", "p.yaml:2:7: 'yes' is text to some readers"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, told: str) -> None:
    assert problems(f"assay-policy: 1\n{line}\n")[0].startswith(told)


def test_another_version_is_refused() -> None:
    assert problems("assay-policy: 2\n") == [
        "p.yaml:1:15: assay-policy is 2, and only 1 is known here"
    ]


def test_a_secret_in_the_document_itself_is_refused() -> None:
    told = problems("assay-policy: 1\nanchors: {a: {secrets: [hunter2hunter2hunter2]}}\n")
    assert "where the secret is: env:NAME, file:PATH or fd:NUMBER" in told[0]
    assert "hunter2hunter2hunter2" not in told[0]


def _nested(depth: int) -> str:
    tree = "{any: [" * depth + "a" + "]}" * depth
    return f"assay-policy: 1\nrules: [{{name: a, require: {{signers: {tree}}}}}]\n"


def test_alias_bomb() -> None:
    lines = ["assay-policy: 1", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 12):
        inner = ", ".join([f"*a{number - 1}"] * 9)
        lines.append(f"a{number}: &a{number} [{inner}]")
    assert "aliases written out" in problems("\n".join(lines))[0]


def test_nested_without_end() -> None:
    assert "nested deeper than" in problems(_nested(500))[0]
    read_text(_nested(10))


def test_more_bytes_than_a_policy_has() -> None:
    text = "assay-policy: 1\nname: " + "a" * limits.YAML_SIZE
    assert "is the most" in problems(text)[0]


def test_thousands_of_problems_are_told_in_brief() -> None:
    text = "assay-policy: 1\n" + "".join(f"key{number}: 1\n" for number in range(5000))
    with pytest.raises(PolicyError) as caught:
        read(text.encode(), "p.yaml")
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("more")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "a", "---\n---\n", "assay-policy: 1\n---\nassay-policy: 1\n", "{}", "\0", "\t"],
)
def test_no_policy_at_all(text: str) -> None:
    assert problems(text)


def test_moments_and_ages_are_read_as_they_stand() -> None:
    text = """
        assay-policy: 1
        rules:
          - name: a
            effective-from: 2026-03-31T19:30:00+02:00
            require: {freshness: {signed-within: 36h}}
    """
    rule = read_text(text).policy.rules[0]
    assert rule.effective_from is not None
    assert rule.effective_from.isoformat() == "2026-03-31T17:30:00+00:00"
    assert rule.mode_at(rule.effective_from) is Mode.ENFORCE
    assert rule.require.freshness is not None
    assert rule.require.freshness.signed_within.total_seconds() == 36 * 3600

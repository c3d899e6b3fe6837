"""The JSON Schema says what the reader says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import strict_yaml
from assay.policy.problems import PolicyError
from assay.policy.reading import read
from assay.policy.schema import policy_schema
from assay.report import schemas
from tests.policy.test_reading import example

SCHEMA = json.loads(schemas.text_of("policy"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def reads(document: Any) -> bool:
    """Whether the structure of a document is right to the reader."""
    try:
        read(json.dumps(document).encode(), "p.yaml")
    except PolicyError as error:
        return not any(problem.structural for problem in error.problems)
    return True


def test_the_schema_is_one_and_is_the_newest() -> None:
    VALIDATOR.check_schema(SCHEMA)
    assert schemas.text_of("policy") == schemas.text_of("policy-1")


def test_the_worked_example_fits() -> None:
    VALIDATOR.validate(strict_yaml.parse(example().encode(), "").plain())


def test_every_field_is_explained() -> None:
    for name, definition in {"Policy": SCHEMA, **SCHEMA["$defs"]}.items():
        assert definition["description"], name
        for field, schema in definition["properties"].items():
            assert schema.get("description") or "$ref" in schema or "items" in schema, (name, field)


_EXAMPLE = strict_yaml.parse(example().encode(), "").plain()
_WORDS = st.sampled_from(
    "a|release|7 days|2026-01-01|env:A|enforce|warn|image|tag|semantic|high|spdx|signature|regex:("
    f"|2026-02-31|0d||{'a' * 64}|sha256:{'a' * 64}".split("|")
)
_SCALARS = st.one_of(_WORDS, st.integers(-2, 20), st.booleans(), st.just(2.5), st.none())
_VALUES = st.one_of(
    _SCALARS,
    st.lists(_SCALARS, max_size=2),
    st.dictionaries(st.sampled_from(["any", "of", "at-least", "file", "name", "a"]), _SCALARS),
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document that could hold another value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += _places(value[key])
    return found


def _known_keys() -> list[str]:
    found = {key for one in SCHEMA["$defs"].values() for key in one["properties"]}
    return sorted(found | set(SCHEMA["properties"]))


@given(st.data())
@settings(deadline=None)
def test_reader_and_schema_agree(data: st.DataObject) -> None:
    """Of any document that differs from a right one, both say the same; but for what only the
    reader knows (whether a day exists, whether a regular expression is one)."""
    document = json.loads(json.dumps(_EXAMPLE))
    for _ in range(data.draw(st.integers(1, 3))):
        into, key = data.draw(st.sampled_from(_places(document)))
        match data.draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                into[key] = data.draw(_VALUES)
            case "remove":
                del into[key]
            case _ if isinstance(into, dict):
                into[data.draw(st.sampled_from(_known_keys()))] = data.draw(_VALUES)
            case _:
                into.append(data.draw(_VALUES))
        if not document or not _places(document):
            break
    assert reads(document) == VALIDATOR.is_valid(document), document


def test_the_generated_schema_is_the_shipped_one() -> None:
    assert policy_schema()["properties"] == SCHEMA["properties"]


def test_a_yaml_library_reads_the_example_alike() -> None:
    loaded = yaml.load(example(), Loader=yaml.BaseLoader)
    assert list(loaded) == list(_EXAMPLE)

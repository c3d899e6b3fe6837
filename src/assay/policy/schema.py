"""The JSON Schema of a policy, for editors, made from the structs that the reader goes by."""

from __future__ import annotations

import inspect as python_inspect
import re
from enum import Enum
from typing import Any

from msgspec import inspect

from assay.policy.cases import VERSION as CASES_VERSION
from assay.policy.cases import Cases
from assay.policy.model import VERSION, Policy
from assay.policy.shape import (
    bare,
    description_of,
    fields_of,
    is_pattern,
    parser_of,
    words_of,
)
from assay.policy.vocabulary import Entry


def policy_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12), less its dialect and its id."""
    return _document(Policy, f"Policies of Assay, version {VERSION}")


def cases_schema() -> dict[str, Any]:
    """The schema of tests of a policy."""
    return _document(Cases, f"Tests of policies of Assay, version {CASES_VERSION}")


def _document(kind: type[Entry], title: str) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    found = _entry(kind, definitions)
    return {"title": title, **found, "$defs": dict(sorted(definitions.items()))}


def _reference(kind: type[Entry], definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        definitions[name] = _entry(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _entry(kind: type[Entry], definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in fields_of(kind):
        described = {"description": text} if (text := description_of(field.type)) else {}
        properties[field.encode_name] = {**described, **_value(field.type, definitions)}
        if isinstance(field.default, str | bool) and field.default:
            properties[field.encode_name]["default"] = field.default
        elif isinstance(field.default, Enum):
            properties[field.encode_name]["default"] = field.default.value
    found: dict[str, Any] = {
        "description": _docstring(kind),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required := [field.encode_name for field in fields_of(kind) if field.required]:
        found["required"] = required
    if kind.ONE_OF:
        found["oneOf"] = [{"required": [name]} for name in kind.ONE_OF]
    if kind.NEEDS:
        found["dependentSchemas"] = {
            name: {"anyOf": [{"required": [other]} for other in needed]}
            for name, needed in kind.NEEDS.items()
        }
    return found


def _docstring(kind: type) -> str:
    """What a struct is, in plain words: what code calls a field has dashes in a document."""
    text = python_inspect.cleandoc(kind.__doc__ or "").replace("``", "")
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("`", "")


def _value(kind: inspect.Type, definitions: dict[str, Any]) -> dict[str, Any]:
    kind, _ = bare(kind)
    match kind:
        case inspect.UnionType(types=types):
            return {"anyOf": [_value(each, definitions) for each in types]}
        case inspect.StructType(cls=cls) if not is_pattern(kind):
            assert issubclass(cls, Entry)
            return _reference(cls, definitions)
        case inspect.VarTupleType(item_type=item, min_length=least):
            found = {"type": "array", "items": _value(item, definitions)}
            return found | ({"minItems": least} if least else {})
        case inspect.DictType(key_type=key, value_type=value):
            return {
                "type": "object",
                "propertyNames": _value(key, definitions),
                "additionalProperties": _value(value, definitions),
            }
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType() | inspect.FloatType():
            bounds = {"minimum": kind.ge, "exclusiveMinimum": kind.gt, "maximum": kind.le}
            name = "integer" if isinstance(kind, inspect.IntType) else "number"
            return {"type": name} | {k: v for k, v in bounds.items() if v is not None}
        case inspect.EnumType() | inspect.LiteralType():
            return {"enum": words_of(kind)}
        case inspect.StrType():
            limits = {
                "minLength": kind.min_length,
                "maxLength": kind.max_length,
                "pattern": kind.pattern,
            }
            return {"type": "string"} | {k: v for k, v in limits.items() if v is not None}
    return {"type": "string", "pattern": parser_of(kind)[1]}

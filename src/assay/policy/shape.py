"""What the structs of a policy say may stand where, for the reader and the JSON Schema alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from msgspec import inspect

from assay.model.identity import NamePattern
from assay.policy.anchors import SECRET_PLACE
from assay.policy.vocabulary import AGE_FORM, MOMENT_FORM, Entry, age, moment, pattern

FORMS: Mapping[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$": "a name: letters, digits, spaces and . _ / -",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits",
    r"^sha256:[0-9a-f]{64}$": "sha256: and 64 hexadecimal digits",
    r"^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$": (
        "a digest, such as sha256: and 64 hexadecimal digits"
    ),
    SECRET_PLACE: "where the secret is: env:NAME, file:PATH or fd:NUMBER",
    r"^(tag|(label|annotation):.+)$": "tag, label:NAME or annotation:NAME",
}
"""Regular expressions that values have to match, in words."""


@cache
def fields_of(kind: type[Entry]) -> tuple[inspect.Field, ...]:
    """The fields of a struct, with what may stand in them."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def bare(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """A type without its description, and whether it may be left out (``X | None``)."""
    optional = False
    while True:
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        elif isinstance(kind, inspect.UnionType) and kind.includes_none:
            optional = True
            rest = tuple(t for t in kind.types if not isinstance(t, inspect.NoneType))
            kind = rest[0] if len(rest) == 1 else inspect.UnionType(rest)
        else:
            return kind, optional


def description_of(kind: inspect.Type) -> str:
    """What a field is, for people; empty where its struct says it."""
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", "")) or description_of(
            kind.type
        )
    if isinstance(kind, inspect.UnionType):
        return next((text for each in kind.types if (text := description_of(each))), "")
    return ""


def is_pattern(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.StructType) and kind.cls is NamePattern


def words_of(kind: inspect.EnumType | inspect.LiteralType) -> list[str]:
    """The words that may stand here."""
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    return [str(member.value) for member in kind.cls]


def parser_of(kind: inspect.Type) -> tuple[Callable[[str], Any], str]:
    """What reads text of this type (it raises ValueError), and the form that the text has."""
    if is_pattern(kind):
        return pattern, r"^[\s\S]+$"
    if isinstance(kind, inspect.DateTimeType):
        return moment, MOMENT_FORM
    assert isinstance(kind, inspect.TimeDeltaType)
    return age, AGE_FORM

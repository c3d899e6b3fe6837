"""The table of roles: which signers may speak as which builder, verifier, scanner or author of VEX
statements, and what SLSA build level a builder is granted. JSON, of the user's own making."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from assay import limits, strict_json
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.model.identity import NamePattern
from assay.model.statement_demands import Role, Roles

_ROLES = ("builders", "verifiers", "scanners", "vex-authors")
_FIELDS = ("id", "signer", "issuer", "operator")
_LARGEST_LEVEL = 4


def read_roles(path: str | os.PathLike[str]) -> Roles:
    """Read a table. Raises UsageError, saying where, for anything that is not understood."""
    data = read_bounded(Path(path), limits.POLICY_SIZE, "--roles")
    try:
        return parse_roles(data)
    except AssayError as error:
        raise UsageError(f"--roles {path}: {error.finding.detail}") from error
    except ValueError as error:
        raise UsageError(f"--roles {path}: {error}") from error


def parse_roles(data: bytes) -> Roles:
    """Raises AssayError for what is no JSON, ValueError for what is no table."""
    value = strict_json.parse_object(data, "")
    if unknown := sorted(value.keys() - set(_ROLES)):
        raise ValueError(f"{unknown[0][:80]!r} is none of {', '.join(_ROLES)}")
    if not value:
        raise ValueError("it names no roles")
    found = {name: _table(value[name], name) for name in _ROLES if name in value}
    return Roles(*(found.get(name) for name in _ROLES))


def _table(value: Any, name: str) -> tuple[Role, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    if len(value) > limits.POLICY_SCOPES:
        raise ValueError(f"{name} has more than {limits.POLICY_SCOPES} entries")
    return tuple(_role(entry, f"{name}[{i}]", name) for i, entry in enumerate(value))


def _role(value: Any, where: str, name: str) -> Role:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not an object")
    known = (*_FIELDS, "level") if name == "builders" else _FIELDS
    if unknown := sorted(value.keys() - set(known)):
        raise ValueError(f"{where}.{unknown[0][:80]} is none of {', '.join(known)}")
    patterns = {key: _pattern(value[key], f"{where}.{key}") for key in _FIELDS if key in value}
    if "id" not in value and name != "vex-authors":
        raise ValueError(f"{where}.id is missing")
    if ("signer" in value) == ("operator" in value):
        raise ValueError(f"{where} has to say either signer or operator")
    if "issuer" in value and "signer" not in value:
        raise ValueError(f"{where}.issuer says who names the signer; say which signer")
    level = value.get("level", 0)
    if type(level) is not int or not 0 <= level <= _LARGEST_LEVEL:
        raise ValueError(f"{where}.level is not a number from 0 to {_LARGEST_LEVEL}")
    operator = patterns["operator"].text if "operator" in patterns else ""
    return Role(patterns.get("id"), patterns.get("signer"), patterns.get("issuer"), operator, level)


def _pattern(value: Any, where: str) -> NamePattern:
    if not isinstance(value, str):
        raise ValueError(f"{where} is not a text")
    try:
        return NamePattern.parse(value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error

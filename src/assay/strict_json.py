"""JSON as a verifier must read it: no duplicate keys, bounded depth, nothing after the end."""

from __future__ import annotations

import json
from typing import Any

from assay import limits
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding


class _NotStrictError(ValueError):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _NotStrictError(f"the key {key[:80]!r} appears twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise _NotStrictError(f"{name} is not JSON")


def _check_depth(data: bytes, what: str) -> None:
    """Refuse deep nesting before parsing, by counting brackets outside of strings."""
    depth = deepest = 0
    in_string = escaped = False
    for at, byte in enumerate(data):
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > limits.JSON_DEPTH:
                raise AssayError(
                    Finding.of(
                        codes.LIMIT_EXCEEDED,
                        what,
                        f"JSON nested deeper than {limits.JSON_DEPTH} levels",
                        offset=at,
                    )
                )
        elif byte in b"]}":
            depth -= 1


def parse(data: bytes, what: str) -> Any:
    """Parse UTF-8 JSON strictly (RFC 8259). ``what`` names the document in errors.

    Raises AssayError (malformed, limit-exceeded), with an offset where there is one.
    """
    if data.count(b"[") + data.count(b"{") > limits.JSON_DEPTH:
        _check_depth(data, what)
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        raise AssayError(
            Finding.of(codes.MALFORMED, what, "not UTF-8", offset=error.start)
        ) from error
    except json.JSONDecodeError as error:
        raise AssayError(
            Finding.of(codes.MALFORMED, what, f"not JSON: {error.msg}", offset=error.pos)
        ) from error
    except _NotStrictError as error:
        raise AssayError(Finding.of(codes.MALFORMED, what, str(error))) from error
    except (RecursionError, ValueError) as error:
        raise AssayError(Finding.of(codes.MALFORMED, what, f"not JSON: {error}")) from error


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """As `parse`, for documents whose top is an object."""
    value = parse(data, what)
    if not isinstance(value, dict):
        raise AssayError(Finding.of(codes.MALFORMED, what, "the top is not a JSON object"))
    return value

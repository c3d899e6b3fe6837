"""JSON as a verifier must read it: no duplicate keys, bounded depth, nothing after the end, and no
text that is not Unicode (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from assay import limits
from assay.model.codes import content as codes
from assay.model.codes.oci import AMBIGUOUS_KEY
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


_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def _check_depth(data: bytes, what: str) -> None:
    """Refuse deep nesting before parsing, by counting brackets outside of strings."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            depth += 1
            if depth > limits.JSON_DEPTH:
                raise AssayError(
                    Finding.of(
                        codes.LIMIT_EXCEEDED,
                        what,
                        f"JSON nested deeper than {limits.JSON_DEPTH} levels",
                        offset=token.start(),
                    )
                )
        elif first in b"]}":
            depth -= 1


_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def _is_unicode(value: Any) -> bool:
    """Whether all text in a parsed value can be written down: half of a surrogate pair cannot."""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            try:
                part.encode("utf-8")
            except UnicodeEncodeError:
                return False
        elif isinstance(part, dict):
            pending += part.keys()
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return True


def parse(data: bytes, what: str) -> Any:
    """Parse UTF-8 JSON strictly (RFC 8259). ``what`` names the document in errors.

    Raises AssayError (malformed, limit-exceeded), with an offset where there is one.
    """
    if data.count(b"[") + data.count(b"{") > limits.JSON_DEPTH:
        _check_depth(data, what)
    try:
        value = json.loads(
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
    if _SURROGATE_ESCAPE.search(data) and not _is_unicode(value):
        raise AssayError(Finding.of(codes.MALFORMED, what, "an escape for half a character"))
    return value


def parse_object(data: bytes, what: str) -> dict[str, Any]:
    """As `parse`, for documents whose top is an object."""
    value = parse(data, what)
    if not isinstance(value, dict):
        raise AssayError(Finding.of(codes.MALFORMED, what, "the top is not a JSON object"))
    return value


def check_keys(value: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse keys that are almost the known ones: most tools read JSON with Go's decoder, which
    takes ``Layers`` for ``layers`` (and ``ſize`` for ``size``), and others do not.

    Raises AssayError (ambiguous-key).
    """
    folded = {key.casefold(): key for key in known}
    for key in value:
        meant = folded.get(key.casefold())
        if meant is not None and meant != key:
            raise AssayError(
                Finding.of(
                    AMBIGUOUS_KEY,
                    detail=f"{where + ': ' if where else ''}the key {key[:80]!a} is"
                    f" {meant!r} to some programs and not to others",
                    expected=meant,
                    actual=ascii(key[:80]),
                )
            )

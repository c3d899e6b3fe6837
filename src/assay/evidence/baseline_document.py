"""Baselines: reference values of an image, as an in-toto Statement.

The predicate's schema is `assay/report/schema/baseline-1.json`. The encoding is canonical and holds
neither times nor names of this machine, so the same image gives the same bytes everywhere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from assay import canonical_json, limits
from assay.evidence.intoto import STATEMENT_V1, parse_statement
from assay.model.codes import content as codes
from assay.model.digest import ALGORITHMS, Digest
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ChunkRequest

PREDICATE_TYPE = "tag:assay.example,2026:baseline/v1"
"""Names the predicate; a tag URI (RFC 4151), since there is nothing to be fetched."""

CHUNK_SIZE = limits.MIB
SMALLEST_CHUNK = 4 * limits.KIB
LARGEST_CHUNK = limits.GIB

_LOWER_HEX = re.compile(r"[0-9a-f]*\Z")


class Chunks(Struct, frozen=True):
    """The digests of a component's chunks of ``size`` bytes, concatenated."""

    algorithm: str
    size: int
    values: bytes

    @property
    def request(self) -> ChunkRequest:
        """What has to be measured to compare with them."""
        return ChunkRequest(self.algorithm, self.size)


class Part(Struct, frozen=True):
    """One component: its id, what it is, its size in bytes and its digests. ``chunks`` is None
    for a component of a single chunk, and for views of bytes that another component has."""

    id: str
    kind: str
    size: int
    digests: tuple[Digest, ...]
    chunks: Chunks | None = None


class Baseline(Struct, frozen=True):
    """Reference values. ``subjects`` are the ids of the components that stand for the image, of
    which the first is the one that a digest of the image means; ``format`` is the image's."""

    format: str
    subjects: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def root(self) -> str:
        return self.subjects[0]


def encode(baseline: Baseline) -> bytes:
    """The document. Raises ValueError where a name in the image is not Unicode text."""
    digests = {part.id: _digest_set(part.digests) for part in baseline.parts}
    return canonical_json.encode(
        {
            "_type": STATEMENT_V1,
            "subject": [{"name": name, "digest": digests[name]} for name in baseline.subjects],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "format": baseline.format,
                "components": [
                    _encode_part(part) for part in sorted(baseline.parts, key=lambda part: part.id)
                ],
            },
        }
    )


def _digest_set(digests: tuple[Digest, ...]) -> dict[str, str]:
    return {digest.algorithm: digest.hex for digest in digests}


def _encode_part(part: Part) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": part.id,
        "kind": part.kind,
        "size": part.size,
        "digest": _digest_set(part.digests),
    }
    if part.chunks is not None:
        width = 2 * ALGORITHMS[part.chunks.algorithm].size
        text = part.chunks.values.hex()
        value["chunks"] = {
            "algorithm": part.chunks.algorithm,
            "size": part.chunks.size,
            "digests": [text[at : at + width] for at in range(0, len(text), width)],
        }
    return value


@lru_cache(maxsize=4)
def parse(data: bytes, what: str) -> Baseline:
    """Read a baseline; ``what`` names it in errors.

    Strict, since what is passed over would not be checked: unknown fields, digests that do not
    fit the size, and subjects that are no components are refused. Raises AssayError (malformed,
    limit-exceeded).
    """
    statement = parse_statement(data, what)
    if statement.predicate_type != PREDICATE_TYPE:
        raise _malformed(what, "predicateType", PREDICATE_TYPE, statement.predicate_type)
    predicate = _fields(statement.predicate, "predicate", what, ("format", "components"))
    format_ = _text(predicate["format"], "predicate.format", what)
    listed = predicate["components"]
    if not isinstance(listed, list) or not listed:
        raise _malformed(what, "predicate.components", "a list that is not empty", listed)
    if len(listed) > limits.COMPONENTS:
        raise AssayError(Finding.of(codes.LIMIT_EXCEEDED, what, f"{len(listed)} components"))
    parts: dict[str, Part] = {}
    for number, entry in enumerate(listed):
        where = f"predicate.components[{number}]"
        part = _part(entry, where, what)
        if part.id in parts:
            raise _malformed(what, f"{where}.id", "an id of its own", part.id)
        parts[part.id] = part
    for number, subject in enumerate(statement.subjects):
        named = parts.get(subject.name)
        if named is None or set(named.digests) != set(subject.digests) or subject.unknown_digests:
            raise _malformed(
                what, f"subject[{number}]", "a component with its digests", subject.name
            )
    names = tuple(subject.name for subject in statement.subjects)
    return Baseline(format_, names, tuple(parts.values()))


def _part(value: Any, where: str, what: str) -> Part:
    entry = _fields(value, where, what, ("id", "kind", "size", "digest"), ("chunks",))
    size = _whole(entry["size"], f"{where}.size", what, 0, canonical_json.LARGEST)
    digests = entry["digest"]
    if not isinstance(digests, dict) or not digests:
        raise _malformed(what, f"{where}.digest", "a set of digests that is not empty", digests)
    found = []
    for name, text in digests.items():
        try:
            found.append(Digest.parse(f"{name}:{text}"))
        except ValueError as error:
            raise _malformed(what, f"{where}.digest.{name[:40]}", str(error), text) from error
    chunks = entry.get("chunks")
    return Part(
        id=_text(entry["id"], f"{where}.id", what),
        kind=_text(entry["kind"], f"{where}.kind", what),
        size=size,
        digests=tuple(found),
        chunks=None if chunks is None else _chunks(chunks, f"{where}.chunks", what, size),
    )


def _chunks(value: Any, where: str, what: str, total: int) -> Chunks:
    entry = _fields(value, where, what, ("algorithm", "size", "digests"))
    algorithm = ALGORITHMS.get(_text(entry["algorithm"], f"{where}.algorithm", what))
    if algorithm is None:
        raise _malformed(
            what, f"{where}.algorithm", "a digest algorithm that is supported", entry["algorithm"]
        )
    # too small a chunk would make us compute a digest for each byte
    size = _whole(entry["size"], f"{where}.size", what, SMALLEST_CHUNK, LARGEST_CHUNK)
    digests = entry["digests"]
    expected = (total + size - 1) // size
    if not isinstance(digests, list) or len(digests) != expected:
        raise _malformed(
            what,
            f"{where}.digests",
            f"a list of {expected} digests",
            f"{len(digests)} of them" if isinstance(digests, list) else digests,
        )
    if not all(isinstance(text, str) and len(text) == 2 * algorithm.size for text in digests):
        raise _malformed(
            what, f"{where}.digests", f"made of {2 * algorithm.size} digits each", "others"
        )
    text = "".join(digests)
    if not _LOWER_HEX.match(text):
        raise _malformed(what, f"{where}.digests", "lower-case hexadecimal", "other text")
    return Chunks(algorithm.name, size, bytes.fromhex(text))


def _fields(
    value: Any, where: str, what: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(what, where, "an object", value)
    for name in needed:
        if name not in value:
            raise _malformed(what, f"{where}.{name}", "there", None)
    for name in value:
        if name not in needed and name not in optional:
            raise _malformed(what, where, f"without a field {name[:40]!r}", name)
    return value


def _text(value: Any, where: str, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed(what, where, "text that is not empty", value)
    return value


def _whole(value: Any, where: str, what: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _malformed(what, where, f"a whole number from {least} to {most}", value)
    return value


def _malformed(what: str, where: str, wanted: str, actual: object) -> AssayError:
    shown = "nothing" if actual is None else repr(actual)[:120]
    return AssayError(
        Finding.of(
            codes.MALFORMED,
            what,
            f"{where} of the baseline is not {wanted}",
            expected=wanted,
            actual=shown,
        )
    )

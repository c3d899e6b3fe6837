"""Fields of an SBOM, read strictly: each is of its type, or the SBOM is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from assay import limits
from assay.model.codes import sbom as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.digest import Digest, algorithm_named
from assay.model.finding import AssayError, Finding
from assay.model.purl import Purl
from assay.printable import printable

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")


def malformed(where: str, wanted: str, actual: object = "") -> AssayError:
    """The error for a part of an SBOM that is not as the format has it."""
    return AssayError(
        Finding.of(
            codes.SBOM_MALFORMED,
            detail=f"{where} is not {wanted}",
            expected=wanted,
            actual=printable(repr(actual), 120) if actual is not None else "nothing",
        )
    )


def text(value: dict[str, Any], key: str, where: str, *, needed: bool = False) -> str:
    """A field that is text; empty where it is missing and need not be there."""
    found = value.get(key)
    if found is None and not needed:
        return ""
    if not isinstance(found, str) or (needed and not found):
        raise malformed(f"{where}.{key}", "text", found)
    return found


def objects(value: dict[str, Any], key: str, where: str, most: int) -> list[dict[str, Any]]:
    """A field that is a list of objects; empty where it is missing."""
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise malformed(f"{where}{key}", "a list", found)
    bound(len(found), most, f"{where}{key}")
    for number, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise malformed(f"{where}{key}[{number}]", "an object", entry)
    return found


def bound(number: int, most: int, what: str) -> None:
    """Raises AssayError (limit-exceeded) for more than there may be."""
    if number > most:
        raise AssayError(
            Finding.of(
                LIMIT_EXCEEDED, detail=f"the SBOM: {number} {what}", expected=f"at most {most}"
            )
        )


def digests(pairs: Iterable[tuple[str, str]], where: str) -> tuple[Digest, ...]:
    """Digests of one file, from pairs of an algorithm's name and a value in hexadecimal. Those of
    algorithms that Assay does not know are left out, and so are values of nothing but zeros: the
    formats ask for a digest, and tools write that where they have none. One algorithm with two
    values is refused."""
    found: dict[str, Digest] = {}
    for number, (name, value) in enumerate(pairs, 1):
        bound(number, limits.SBOM_DIGESTS, f"digests in {where}")
        algorithm = algorithm_named(name)
        if algorithm is None:
            continue
        if not _HEX.match(value) or len(value) != 2 * algorithm.size:
            raise malformed(where, f"{2 * algorithm.size} hexadecimal digits for {name}", value)
        digest = Digest(algorithm.name, bytes.fromhex(value))
        if not any(digest.value):
            continue
        if found.setdefault(algorithm.name, digest) != digest:
            raise malformed(where, "one value an algorithm", value)
    return tuple(found.values())


def purl(value: str, where: str) -> Purl:
    """A package URL."""
    if len(value) > limits.PURL_LENGTH:
        raise malformed(where, f"a package URL of at most {limits.PURL_LENGTH} characters")
    try:
        return Purl.parse(value)
    except ValueError as error:
        raise malformed(where, f"a package URL ({error})", value) from error

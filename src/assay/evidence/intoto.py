"""in-toto Statements, v0.1 and v1, read strictly (in-toto attestation framework,
spec/v1/statement.md, resource_descriptor.md and digest_set.md; spec/v0.1.0/statement.md)."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.model.codes import content as codes
from assay.model.digest import Digest, algorithm_named
from assay.model.finding import AssayError, Finding

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""Media type of a Statement, as an envelope around it names it."""

STATEMENT_V1 = "https://in-toto.io/Statement/v1"
STATEMENT_V0_1 = "https://in-toto.io/Statement/v0.1"
_TYPES = (STATEMENT_V1, STATEMENT_V0_1)
_TEXT_TYPE = "https://spdx.dev/Document"
"""Of this type cosign 2 makes statements whose predicate is text (SPDX as tag-value)."""

_LOWER_HEX = re.compile(r"(?:[0-9a-f]{2})+\Z")


class Subject(Struct, frozen=True):
    """What a statement is about. ``digests`` are those whose algorithm Assay can compute, each
    algorithm once; ``unknown_digests`` holds all others (``gitCommit``, ``dirHash`` ...) by name,
    as text. A v0.1 subject has a name, a v1 subject may have none."""

    name: str
    digests: tuple[Digest, ...]
    unknown_digests: dict[str, str] = {}
    uri: str = ""
    media_type: str = ""
    annotations: dict[str, Any] = {}


class Statement(Struct, frozen=True):
    """A statement whose syntax is right. Nothing in it is believed until it is known who signed
    it. ``version`` is the ``_type``. A predicate that is text stands in ``predicate`` as
    ``Data``."""

    version: str
    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]

    def is_about(self, digest: Digest) -> bool:
        """Whether a subject has this digest. Other digests of the same subject do not count
        against it: they are of other algorithms, and each is a claim of its own."""
        return any(digest in subject.digests for subject in self.subjects)


def parse_statement(data: bytes, what: str) -> Statement:
    """Read a Statement; ``what`` names it in errors.

    Fields that are not known are passed over, as both specifications ask. Raises AssayError
    (malformed, limit-exceeded) when a field that matters is missing, of another type, or
    ambiguous.
    """
    value = strict_json.parse_object(data, what)
    version = value.get("_type")
    if version not in _TYPES:
        raise _malformed(what, "_type", "an in-toto Statement type", version, " or ".join(_TYPES))
    predicate_type = value.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type:
        raise _malformed(what, "predicateType", "a type URI", predicate_type)
    predicate = value.get("predicate", {})
    if predicate is None:
        predicate = {}
    if isinstance(predicate, str) and predicate_type.startswith(_TEXT_TYPE):
        predicate = {"Data": predicate}
    if not isinstance(predicate, dict):
        raise _malformed(what, "predicate", "an object", predicate)
    listed = value.get("subject")
    if not isinstance(listed, list) or not listed:
        raise _malformed(what, "subject", "a list that is not empty", listed)
    if len(listed) > limits.STATEMENT_SUBJECTS:
        raise AssayError(
            Finding.of(
                codes.LIMIT_EXCEEDED,
                what,
                f"a statement about {len(listed)} subjects",
                expected=f"at most {limits.STATEMENT_SUBJECTS}",
            )
        )
    subjects = tuple(
        _subject(entry, f"subject[{number}]", what, named=version == STATEMENT_V0_1)
        for number, entry in enumerate(listed)
    )
    return Statement(version, subjects, predicate_type, predicate)


def _subject(value: Any, where: str, what: str, *, named: bool) -> Subject:
    if not isinstance(value, dict):
        raise _malformed(what, where, "an object", value)
    texts = {key: value.get(key, "") for key in ("name", "uri", "mediaType")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise _malformed(what, f"{where}.{key}", "text", text)
    if named and "name" not in value:
        raise _malformed(what, f"{where}.name", "a name", None)
    annotations = value.get("annotations", {})
    if not isinstance(annotations, dict):
        raise _malformed(what, f"{where}.annotations", "an object", annotations)
    digests, unknown = _digest_set(value.get("digest"), f"{where}.digest", what)
    return Subject(
        name=texts["name"],
        digests=digests,
        unknown_digests=unknown,
        uri=texts["uri"],
        media_type=texts["mediaType"],
        annotations=annotations,
    )


def _digest_set(value: Any, where: str, what: str) -> tuple[tuple[Digest, ...], dict[str, str]]:
    """A DigestSet: an algorithm's name to the value in lower-case
    hexadecimal."""
    if not isinstance(value, dict) or not value:
        raise _malformed(what, where, "a set of digests that is not empty", value)
    if len(value) > limits.STATEMENT_DIGESTS:
        raise AssayError(
            Finding.of(codes.LIMIT_EXCEEDED, what, f"{where} holds {len(value)} digests")
        )
    known: dict[str, Digest] = {}
    unknown: dict[str, str] = {}
    for name, text in value.items():
        if not isinstance(text, str) or not text:
            raise _malformed(what, f"{where}.{name[:40]}", "text", text)
        algorithm = algorithm_named(name)
        if algorithm is None:
            unknown[name] = text
            continue
        if not _LOWER_HEX.match(text) or len(text) != 2 * algorithm.size:
            expected = f"{2 * algorithm.size} lower-case hexadecimal digits"
            raise _malformed(what, f"{where}.{name}", expected, text)
        digest = Digest(algorithm.name, bytes.fromhex(text))
        if known.setdefault(algorithm.name, digest) != digest:
            raise _malformed(what, f"{where}.{name}", "one value an algorithm", text)
    return tuple(known.values()), unknown


def _malformed(
    what: str, where: str, wanted: str, actual: object, expected: str = ""
) -> AssayError:
    shown = "nothing" if actual is None else repr(actual)[:120]
    return AssayError(
        Finding.of(
            codes.MALFORMED,
            what,
            f"{where} of the in-toto statement is not {wanted}",
            expected=expected or wanted,
            actual=shown,
        )
    )

"""in-toto Statements, v1 (in-toto attestation framework, spec/v1/statement.md), from predicates."""

from __future__ import annotations

import re

from msgspec import Struct

from assay import strict_json
from assay.evidence.intoto import STATEMENT_V1
from assay.model.finding import AssayError, UsageError
from assay.produce.formats.dsse import json_bytes

IMAGE_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of a statement that says nothing more than: this image is signed."""


class PredicateType(Struct, frozen=True):
    """A type of statements with a short name. ``needs`` are the fields without which a predicate
    is of another type."""

    uri: str
    needs: tuple[str, ...] = ()


TYPES = {
    "slsaprovenance1": PredicateType(
        "https://slsa.dev/provenance/v1", ("buildDefinition", "runDetails")
    ),
    "slsaprovenance02": PredicateType("https://slsa.dev/provenance/v0.2", ("builder", "buildType")),
    "vsa": PredicateType(
        "https://slsa.dev/verification_summary/v1", ("verifier", "verificationResult")
    ),
    "spdxjson": PredicateType("https://spdx.dev/Document", ("spdxVersion",)),
    "cyclonedx": PredicateType("https://cyclonedx.org/bom", ("bomFormat",)),
    "vuln": PredicateType(
        "https://cosign.sigstore.dev/attestation/vuln/v1", ("scanner", "metadata")
    ),
    "openvex": PredicateType("https://openvex.dev/ns", ("@context", "statements")),
    "link": PredicateType("https://in-toto.io/Link/v1"),
    "custom": PredicateType("https://cosign.sigstore.dev/attestation/v1"),
}
"""By the short names that cosign gives them, and more in the same manner."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def predicate_type(name: str) -> PredicateType:
    """The type of this short name or URI. Raises UsageError."""
    if name in TYPES:
        return TYPES[name]
    if not _URI.fullmatch(name):
        raise UsageError(f"--type {name}: neither a URI nor one of {', '.join(TYPES)}")
    known = [each for each in TYPES.values() if each.uri == name]
    return known[0] if known else PredicateType(name)


def statement(
    digests: dict[str, str],
    kind: PredicateType,
    predicate: bytes,
    *,
    name: str = "",
    annotations: dict[str, str] | None = None,
) -> bytes:
    """A statement about one subject. ``digests`` (algorithm -> hexadecimal) say which one, and
    ``predicate`` is JSON that goes into it as it stands. Raises UsageError when that is no JSON
    object, or visibly of another type."""
    _check(predicate, kind)
    subject: dict[str, object] = {"name": name} if name else {}
    subject["digest"] = digests
    if annotations is not None:
        subject["annotations"] = annotations
    head = json_bytes({"_type": STATEMENT_V1, "subject": [subject], "predicateType": kind.uri})
    return head[:-1] + b',"predicate":' + predicate.strip() + b"}"


def image_statement(digests: dict[str, str], annotations: dict[str, str]) -> bytes:
    """The statement that is a signature of an image (cosign's BUNDLE_SPEC.md)."""
    return statement(digests, PredicateType(IMAGE_SIGNATURE), b"{}", annotations=annotations)


def _check(predicate: bytes, kind: PredicateType) -> None:
    try:
        value = strict_json.parse_object(predicate, "the predicate")
    except AssayError as error:
        found = error.finding
        where = f" at byte {found.offset}" if found.offset is not None else ""
        raise UsageError(f"--predicate: {found.detail}{where}") from error
    if "predicateType" in value and "_type" in value:
        raise UsageError("--predicate: this is a whole statement; give the predicate within it")
    if "payloadType" in value and "signatures" in value:
        raise UsageError("--predicate: this is an envelope, signed already")
    missing = [name for name in kind.needs if name not in value]
    if missing:
        raise UsageError(
            f"--predicate: not of the type {kind.uri}: it has no {' and no '.join(missing)}"
        )

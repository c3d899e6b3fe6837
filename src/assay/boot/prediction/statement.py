"""A prediction as reference values: an in-toto Statement whose encoding is canonical, so that the
same image and the same settings give the same bytes everywhere."""

from __future__ import annotations

from typing import Any

import msgspec

from assay import canonical_json
from assay.evidence.intoto import STATEMENT_V1, parse_statement
from assay.model.digest import Digest
from assay.model.finding import AssayError, UsageError
from assay.model.measured_boot import NotPredicted, PredictedRegister, Prediction

PREDICATE_TYPE = "tag:assay.example,2026:boot-prediction/v1"
"""Names the predicate; a tag URI (RFC 4151), since there is nothing to be fetched."""


class _Predicate(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    program: str
    banks: tuple[str, ...]
    registers: tuple[PredictedRegister, ...]
    not_predicted: tuple[NotPredicted, ...]
    assumptions: tuple[str, ...]


def encode(prediction: Prediction) -> bytes:
    """The document. Raises UsageError where there is nothing to state."""
    if prediction.findings or not prediction.registers:
        raise UsageError(f"{prediction.image}: no values are predicted, so none can be stated")
    predicate = _Predicate(
        prediction.program,
        prediction.banks,
        prediction.registers,
        prediction.not_predicted,
        prediction.assumptions,
    )
    return canonical_json.encode(
        {
            "_type": STATEMENT_V1,
            "subject": [{"name": prediction.program, "digest": prediction.digests}],
            "predicateType": PREDICATE_TYPE,
            "predicate": msgspec.to_builtins(predicate),
        }
    )


def looks_like_prediction(head: bytes) -> bool:
    """Whether a file that starts so may be such a document."""
    return head.lstrip()[:1] == b"{" and b'"_type"' in head[:4096]


def decode(document: bytes, name: str) -> Prediction:
    """The prediction in a document. It is not believed: who wants to rely on it verifies the file
    first. Raises UsageError."""
    try:
        statement = parse_statement(document, name)
    except AssayError as error:
        raise UsageError(f"{name}: {error.finding.detail}") from error
    if statement.predicate_type != PREDICATE_TYPE:
        raise UsageError(f"{name}: a statement of another type, {statement.predicate_type[:200]}")
    try:
        predicate = msgspec.convert(statement.predicate, _Predicate)
        _check(predicate)
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(f"{name}: no prediction of a boot: {str(error)[:200]}") from error
    return Prediction(
        name,
        predicate.program,
        {},
        predicate.banks,
        predicate.registers,
        predicate.not_predicted,
        predicate.assumptions,
    )


def _check(predicate: _Predicate) -> None:
    """Raises ValueError where a value is none of its bank, or a PCR is none."""
    seen: set[int] = set()
    for register in predicate.registers:
        if register.pcr in seen or not 0 <= register.pcr <= 23:
            raise ValueError(f"PCR {register.pcr} twice, or no PCR")
        seen.add(register.pcr)
        groups: list[dict[str, Any]] = [register.values, *register.later.values()]
        groups += [event.digests for event in register.events]
        for values in groups:
            for bank, value in values.items():
                Digest.parse(f"{bank}:{value}")
        for event in register.events:
            if set(event.digests) != set(predicate.banks):
                raise ValueError(f"an event of PCR {register.pcr} lacks a digest")

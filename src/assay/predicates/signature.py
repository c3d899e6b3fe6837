"""Bare signatures in the form of statements: cosign 3 (sigstore.dev/cosign/sign/v1), whose
annotations stand with the subject."""

from __future__ import annotations

from assay.model.statement import Annotations, Facts
from assay.predicates.fields import Fields
from assay.predicates.model import Affirming, Predicate, PredicateFamily


class CosignSignature(Affirming):
    name = "cosign-signature"

    def title(self, predicate_type: str) -> str:
        return (
            "signature (cosign)" if predicate_type == "https://sigstore.dev/cosign/sign/v1" else ""
        )

    def read(self, predicate: Predicate) -> Facts:
        found: dict[str, str] = {}
        for number, given in enumerate(predicate.annotations):
            fields = Fields(given, predicate.document, f"subject[{number}].annotations")
            for name in given:
                value = fields.text_or_none(name)
                if found.setdefault(name, value) != value:
                    raise fields.wrong(name, "the same for every subject")
        return Annotations(found)


FAMILY: PredicateFamily = CosignSignature()

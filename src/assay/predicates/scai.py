"""Attributes of an artifact or of its maker (in-toto.io/attestation/scai): what its signer found,
in the signer's own words."""

from __future__ import annotations

from assay.model.statement import Facts, Values
from assay.predicates.fields import Fields
from assay.predicates.model import Affirming, Predicate, PredicateFamily

_PREFIX = "https://in-toto.io/attestation/scai/"


class AttributeReport(Affirming):
    name = "scai"

    def title(self, predicate_type: str) -> str:
        return "attributes (SCAI)" if predicate_type.startswith(_PREFIX) else ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        found = [each.text("attribute") for each in fields.each("attributes")]
        if not found:
            raise fields.wrong("attributes", "a list that is not empty")
        values = {"attributes": ", ".join(found)}
        if producer := fields.within_or_empty("producer").text_or_none("uri"):
            values["producer"] = producer
        return Values(values)


FAMILY: PredicateFamily = AttributeReport()

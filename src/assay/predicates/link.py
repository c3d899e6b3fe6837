"""in-toto links, one step of a supply chain (in-toto.io/Link/v1, in-toto.io/attestation/link)."""

from __future__ import annotations

from assay import limits
from assay.model.statement import Facts, Link, Resource
from assay.predicates.fields import Fields
from assay.predicates.model import Affirming, Predicate, PredicateFamily

_OLD = "https://in-toto.io/Link/v1"
_NEW = "https://in-toto.io/attestation/link/"


class InTotoLink(Affirming):
    name = "link"

    def title(self, predicate_type: str) -> str:
        known = predicate_type == _OLD or predicate_type.startswith(_NEW)
        return "in-toto link" if known else ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        materials = (
            _by_name(fields)
            if isinstance(fields.raw("materials"), dict)
            else fields.resources("materials")
        )
        return Link(fields.text("name"), fields.texts("command"), materials)


def _by_name(fields: Fields) -> tuple[Resource, ...]:
    """Materials as in-toto had them first: digests by file name."""
    materials = fields.within("materials")
    names = list(fields.raw("materials"))
    if len(names) > limits.PREDICATE_ENTRIES:
        raise fields.too_many("materials", len(names), limits.PREDICATE_ENTRIES)
    return tuple(Resource(name=name, digests=materials.text_map(name)) for name in names)


FAMILY: PredicateFamily = InTotoLink()

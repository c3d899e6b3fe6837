"""OpenVEX v0.2.0 and v0.0.1 (openvex.dev/ns): which vulnerabilities affect which products."""

from __future__ import annotations

from assay.model.statement import Assessment, Exploitability, Facts, Product
from assay.predicates.fields import Fields
from assay.predicates.model import Predicate, PredicateFamily, Reporting

STATUSES = ("not_affected", "affected", "fixed", "under_investigation")
_OPENVEX = "https://openvex.dev/ns"


class OpenVex(Reporting):
    name = "openvex"

    def title(self, predicate_type: str) -> str:
        known = predicate_type == _OPENVEX or predicate_type.startswith(
            (_OPENVEX + "/", _OPENVEX + "@")
        )
        return "OpenVEX" if known else ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        if not fields.entries("statements"):
            raise fields.wrong("statements", "a list that is not empty")
        issued = fields.time("timestamp", required=True)
        time = fields.time("last_updated") or issued
        return Exploitability(
            author=fields.text("author"),
            assessments=tuple(_assessment(each) for each in fields.each("statements")),
            time=time,
        )


def _assessment(entry: Fields) -> Assessment:
    status = entry.text("status")
    if status not in STATUSES:
        raise entry.wrong("status", " or ".join(STATUSES))
    if isinstance(entry.raw("vulnerability"), str):  # v0.0.1
        name, aliases = entry.text("vulnerability"), tuple[str, ...]()
    else:
        vulnerability = entry.within("vulnerability")
        name = vulnerability.text_or_none("name") or vulnerability.text("@id")
        aliases = vulnerability.texts("aliases")
    reason = entry.text_or_none("justification")
    impact = entry.text_or_none("impact_statement")
    if status == "not_affected" and not (reason or impact):
        raise entry.wrong("justification", "there, nor is an impact_statement: one has to be")
    return Assessment(
        vulnerability=name,
        status=status,
        aliases=aliases,
        products=_products(entry),
        justification=reason or impact,
        time=entry.time("last_updated") or entry.time("timestamp"),
    )


def _products(entry: Fields) -> tuple[Product, ...]:
    listed = entry.entries("products")
    if listed and all(isinstance(each, str) for each in listed):  # v0.0.1
        parts = entry.texts("subcomponents")
        return tuple(Product((each,), {}, parts) for each in entry.texts("products"))
    return tuple(_product(each) for each in entry.each("products"))


def _product(entry: Fields) -> Product:
    names = _names(entry)
    if not names and "hashes" not in entry:
        raise entry.wrong("@id", "there, nor are other identifiers")
    parts: list[str] = []
    for part in entry.each("subcomponents"):
        found = _names(part)
        if not found:
            raise part.wrong("@id", "there, nor are other identifiers")
        parts += found
    return Product(names, entry.text_map("hashes"), tuple(dict.fromkeys(parts)))


def _names(entry: Fields) -> tuple[str, ...]:
    identifiers = entry.text_map("identifiers")
    return tuple(dict.fromkeys(filter(None, [entry.text_or_none("@id"), *identifiers.values()])))


FAMILY: PredicateFamily = OpenVex()

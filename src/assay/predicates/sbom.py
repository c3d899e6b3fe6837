"""Software bills of materials, recognised and recorded: SPDX 2 and 3 (spdx.dev/Document), CycloneDX
(cyclonedx.org/bom). What they list is compared elsewhere.

CycloneDX can also say how vulnerabilities affect what it lists (CycloneDX 1.4 and later,
``vulnerabilities[].analysis``); that is read here.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.model.statement import Assessment, Contents, Facts, Product
from assay.predicates.fields import Fields
from assay.predicates.model import Affirming, Predicate, PredicateFamily

_SPDX = "https://spdx.dev/Document"
_CYCLONEDX = "https://cyclonedx.org/bom"
_CYCLONEDX_VEX = "https://cyclonedx.org/vex"

_STATUS = {
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "false_positive": "not_affected",
    "not_affected": "not_affected",
}
"""States of CycloneDX in the words of OpenVEX."""


class Spdx(Affirming):
    name = "spdx"

    def title(self, predicate_type: str) -> str:
        return "SBOM (SPDX)" if _is(predicate_type, _SPDX) else ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        if "@graph" in fields:  # SPDX 3, JSON-LD
            context = fields.raw("@context")
            return Contents("SPDX", context if isinstance(context, str) else "3")
        if "spdxVersion" not in fields and isinstance(fields.raw("Data"), str):
            return Contents("SPDX", "tag-value")  # what cosign makes of such a file
        return Contents(
            "SPDX",
            fields.text("spdxVersion"),
            fields.text_or_none("name"),
            fields.within_or_empty("creationInfo").time("created"),
        )


class CycloneDx(Affirming):
    name = "cyclonedx"

    def title(self, predicate_type: str) -> str:
        if _is(predicate_type, _CYCLONEDX_VEX):
            return "VEX (CycloneDX)"
        return "SBOM (CycloneDX)" if _is(predicate_type, _CYCLONEDX) else ""

    def vouches(self, predicate: Predicate) -> bool:
        return not _is(predicate.type, _CYCLONEDX_VEX)

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        if fields.raw("bomFormat") != "CycloneDX":
            raise fields.wrong("bomFormat", "CycloneDX")
        metadata = fields.within_or_empty("metadata")
        component = metadata.within_or_empty("component")
        itself = component.text_or_none("bom-ref")
        return Contents(
            "CycloneDX",
            fields.text("specVersion"),
            component.text_or_none("name"),
            metadata.time("timestamp"),
            tuple(_assessments(fields, itself)),
        )


def _is(predicate_type: str, known: str) -> bool:
    return predicate_type == known or predicate_type.startswith((known + "/", known + "@"))


def _assessments(fields: Fields, itself: str) -> Iterator[Assessment]:
    """The vulnerabilities that were analysed. One that affects the thing itself, or says nothing of
    what it affects, is about all of it; else it is about the components that it names."""
    urls = {
        each.text_or_none("bom-ref"): each.text_or_none("purl")
        for each in fields.each("components")
    }
    for each in fields.each("vulnerabilities"):
        if "analysis" not in each:
            continue
        analysis = each.within("analysis")
        state = analysis.text_or_none("state")
        if state and state not in _STATUS:
            raise analysis.wrong("state", " or ".join(_STATUS))
        references = [affected.text("ref") for affected in each.each("affects")]
        parts = () if itself in references else tuple(urls.get(r) or r for r in references)
        yield Assessment(
            vulnerability=each.text("id"),
            status=_STATUS.get(state, "under_investigation"),
            aliases=tuple(reference.text("id") for reference in each.each("references")),
            products=(Product(parts=parts),) if parts else (),
            justification=analysis.text_or_none("justification") or analysis.text_or_none("detail"),
            time=analysis.time("lastUpdated")
            or analysis.time("firstIssued")
            or each.time("updated"),
        )


SPDX: PredicateFamily = Spdx()
CYCLONEDX: PredicateFamily = CycloneDx()

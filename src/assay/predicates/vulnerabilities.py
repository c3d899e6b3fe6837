"""Scans for vulnerabilities: cosign's (cosign.sigstore.dev/attestation/vuln/v1, whose result is in
the scanner's own form) and in-toto's v0.1 and v0.2 (in-toto.io/attestation/vulns)."""

from __future__ import annotations

from assay.model.statement import Facts, Scan, Vulnerability
from assay.predicates.fields import Fields
from assay.predicates.model import Predicate, PredicateFamily, Reporting
from assay.predicates.scanners import result_of
from assay.predicates.severity import rating_of, worst_of

COSIGN = "https://cosign.sigstore.dev/attestation/vuln/v1"
_IN_TOTO = ("https://in-toto.io/attestation/vulns", "https://in-toto.io/attestation/vulns/")


_NO_SEVERITY = ("epss", "kev")
"""Methods whose numbers are likelihoods."""


class VulnerabilityScan(Reporting):
    name = "vulnerability-scan"

    def title(self, predicate_type: str) -> str:
        if predicate_type == COSIGN:
            return "vulnerability scan"
        if predicate_type == _IN_TOTO[0] or predicate_type.startswith(_IN_TOTO[1]):
            return "vulnerability scan (in-toto)"
        return ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        scanner, metadata = fields.within("scanner"), fields.within("metadata")
        database = scanner.within_or_empty("db")
        if predicate.type == COSIGN:
            form, found = result_of(scanner, "result")
        else:
            if "result" not in scanner:
                raise scanner.wrong("result", "a list of vulnerabilities")
            form, found = "in-toto", tuple(_listed(each) for each in scanner.each("result"))
        return Scan(
            scanner=scanner.text("uri"),
            vulnerabilities=found,
            finished=metadata.time("scanFinishedOn"),
            database=database.time("lastUpdate"),
            format=form,
        )


def _listed(entry: Fields) -> Vulnerability:
    """An entry of in-toto: several methods may rate one vulnerability, and the worst counts."""
    ratings = [
        rating_of(each.text_or_none("score"))
        for each in (entry.each("severity") if "severity" in entry else ())
        if each.text_or_none("method").lower() not in _NO_SEVERITY
    ]
    return Vulnerability(entry.text("id"), worst_of(ratings))


FAMILY: PredicateFamily = VulnerabilityScan()

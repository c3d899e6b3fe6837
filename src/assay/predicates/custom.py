"""What people attest in no standard form: cosign's custom predicate (a file as text, and a time),
in which scans in SARIF are found; and SARIF as a predicate itself."""

from __future__ import annotations

from assay import strict_json
from assay.model.codes import predicate as codes
from assay.model.finding import AssayError, Finding
from assay.model.statement import Facts, Scan, Values
from assay.predicates.fields import Fields
from assay.predicates.model import Predicate, PredicateFamily
from assay.predicates.scanners import is_sarif, result_of

COSIGN = "https://cosign.sigstore.dev/attestation/v1"


class Custom:
    name = "custom"

    def title(self, predicate_type: str) -> str:
        return "custom statement (cosign)" if predicate_type == COSIGN else ""

    def vouches(self, predicate: Predicate) -> bool:
        return not _may_be_sarif(predicate.content.get("Data"))  # a scan only reports

    def refusal(self, predicate: Predicate) -> str:
        return ""

    def read(self, predicate: Predicate) -> Facts:
        fields = Fields(predicate.content, predicate.document)
        data = fields.raw("Data")
        if _may_be_sarif(data):
            if isinstance(data, str):
                data = _parsed(data, predicate.document)
            return sarif_scan(Fields({"Data": data}, predicate.document))
        return Values({"time": fields.time("Timestamp")} if "Timestamp" in fields else {})


class Sarif:
    """SARIF that is a predicate by itself, under whichever type its maker chose."""

    name = "sarif"

    def title(self, predicate_type: str) -> str:
        known = "sarif" in predicate_type.lower() and predicate_type.startswith("http")
        return "scan result (SARIF)" if known else ""

    def vouches(self, predicate: Predicate) -> bool:
        return False

    def refusal(self, predicate: Predicate) -> str:
        return ""

    def read(self, predicate: Predicate) -> Facts:
        return sarif_scan(Fields({"Data": dict(predicate.content)}, predicate.document))


def sarif_scan(fields: Fields) -> Scan:
    """A SARIF log, the field ``Data``, as a scan. Its time is that of the run that ended first."""
    log = fields.within("Data")
    if not is_sarif(log):
        raise fields.wrong("Data", "a log of SARIF 2.1")
    form, found = result_of(fields, "Data")
    names, times = [], []
    for run in log.each("runs"):
        driver = run.within("tool").within("driver")
        names.append(driver.text_or_none("informationUri") or driver.text("name"))
        times += [each.time("endTimeUtc") for each in run.each("invocations")] or [""]
    return Scan(
        scanner=", ".join(dict.fromkeys(names)),
        vulnerabilities=found,
        finished=min(times) if times else "",
        format=form,
    )


def _may_be_sarif(value: object) -> bool:
    """Whether the data are a log of SARIF, by a look at it."""
    if isinstance(value, str):
        return value.lstrip()[:1] == "{" and '"runs"' in value and "sarif" in value.lower()
    return isinstance(value, dict) and is_sarif(Fields(value, ""))


def _parsed(text: str, document: str) -> object:
    try:
        return strict_json.parse(text.encode("utf-8", "replace"), document)
    except AssayError as error:
        raise AssayError(
            Finding.of(
                codes.PREDICATE_MALFORMED, document, f"predicate.Data: {error.finding.detail}"
            )
        ) from error


CUSTOM: PredicateFamily = Custom()
SARIF: PredicateFamily = Sarif()

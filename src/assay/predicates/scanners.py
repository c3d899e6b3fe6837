"""Results in the own forms of scanners: Trivy's and Grype's JSON, and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assay import limits
from assay.model.statement import Rating, Vulnerability
from assay.predicates.fields import Fields
from assay.predicates.severity import rating_of, worst_of


def result_of(place: Fields, name: str) -> tuple[str, tuple[Vulnerability, ...]]:
    """The form of a result, and what it found. Raises AssayError (predicate-malformed) for one in a
    form that is not known: an unread result must not look like an empty one."""
    if name not in place:
        raise place.wrong(name, "the result of a scanner")
    result = place.within(name)
    for form, (is_one, read) in _FORMS.items():
        if is_one(result):
            found = tuple(dict.fromkeys(read(result)))
            if len(found) > limits.PREDICATE_ENTRIES:
                raise place.too_many(name, len(found), limits.PREDICATE_ENTRIES)
            return form, found
    raise place.wrong(name, "a result of Trivy or Grype, or SARIF")


def is_sarif(value: Fields) -> bool:
    """Whether an object is a SARIF log (SARIF 2.1.0 section 3.13)."""
    return isinstance(value.raw("runs"), list) and str(value.raw("version")).startswith("2.1")


def _trivy(result: Fields) -> Iterator[Vulnerability]:
    for target in result.each("Results"):
        for found in target.each("Vulnerabilities"):
            identifier = found.within_or_empty("PkgIdentifier")
            yield Vulnerability(
                found.text("VulnerabilityID"),
                rating_of(found.text_or_none("Severity")),
                found.texts("VendorIDs"),
                identifier.text_or_none("PURL") or found.text_or_none("PkgName"),
            )


def _grype(result: Fields) -> Iterator[Vulnerability]:
    for match in result.each("matches"):
        found, artifact = match.within("vulnerability"), match.within_or_empty("artifact")
        related = tuple(each.text("id") for each in match.each("relatedVulnerabilities"))
        yield Vulnerability(
            found.text("id"),
            rating_of(found.text_or_none("severity")),
            related,
            artifact.text_or_none("purl") or artifact.text_or_none("name"),
        )


def _sarif(log: Fields) -> Iterator[Vulnerability]:
    """Rules say how severe what they find is; a result may say so itself."""
    for run in log.each("runs"):
        rules = {
            rule.text("id"): _rated(rule)
            for rule in run.within("tool").within("driver").each("rules")
        }
        for result in run.each("results"):
            # suppressions are passed over: it is not the scanner's user who says what is harmless
            rule = result.text_or_none("ruleId") or result.within("rule").text("id")
            own = _rated(result)
            rating = own if own is not Rating.UNKNOWN else rules.get(rule, Rating.UNKNOWN)
            yield Vulnerability(rule, rating)


def _rated(place: Fields) -> Rating:
    """The properties by which scanners (and GitHub) tell the severity. SARIF's own ``level`` is
    about how to show a result and says nothing of vulnerabilities."""
    properties = place.within_or_empty("properties")
    ratings = [
        rating_of(str(value))
        for name in ("security-severity", "severity", "cvssV3_severity")
        if (value := properties.raw(name)) is not None
    ]
    return worst_of(ratings)


_FORMS: dict[str, tuple[Callable[[Fields], bool], Callable[[Fields], Iterator[Vulnerability]]]] = {
    "SARIF": (is_sarif, _sarif),
    "Trivy": (lambda result: "SchemaVersion" in result and "ArtifactName" in result, _trivy),
    "Grype": (lambda result: isinstance(result.raw("matches"), list), _grype),
}
